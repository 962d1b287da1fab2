import { decide, type DecisionReceipt, type Gate, type Promotion } from '@proviso/client';
import type { Api } from './api.ts';
import { exitCodes } from './exit-code.ts';
import { facts, short } from './table.ts';
import { Trouble } from './trouble.ts';

/** What a person says at a gate. */
export interface Vote {
  readonly verdict: 'approve' | 'reject' | 'request_changes';
  readonly reason: string | undefined;
}

/** The gate at which a person is awaited, or why there is none. */
export function expectWaitingGate(promotion: Promotion): Gate & { readonly evidenceDigest: string } {
  const gate = promotion.gates.find(({ status }) => status === 'waiting');
  if (gate !== undefined && gate.evidenceDigest !== null) return { ...gate, evidenceDigest: gate.evidenceDigest };
  throw new Trouble(`expected ${promotion.id} to wait for a person, got: ${promotion.headline}`, {
    exitCode: promotion.outcome === null ? exitCodes.pending : exitCodes.stale,
  });
}

/** What was found so far: a person should see it before the click that is bound to it. */
export function evidenceSummary(promotion: Promotion, gate: Gate): string {
  const found = promotion.gates
    .filter(({ status }) => status === 'passed')
    .map((passed): [string, string] => [passed.name, resultOf(passed)]);
  const needs = gate.requirements.map(
    ({ from, count, have }) => `${from.replace('/', ' ')}: ${have} of ${count} so far`,
  );
  return facts([
    ['candidate', `${promotion.candidate.version}, artifact ${short(gate.artifactDigest)}`],
    ...(promotion.unknownAuthors === 0 ? [] : [['authors', authorWords(promotion)] as const]),
    ...found,
    ['evidence', `${short(gate.evidenceDigest)}, the digest over all of the above: your vote counts for exactly this`],
    ...(promotion.preview === null ? [] : [['preview', `proviso preview ${promotion.id}`] as const]),
    ['needs', needs.join(', ')],
    ...(gate.missing === null ? [] : [['missing', gate.missing] as const]),
    ...(gate.expiresAt === null ? [] : [['expires', gate.expiresAt] as const]),
  ]);
}

/** Nobody was excluded for them, so whoever decides should know that they are there. */
export function authorWords({ unknownAuthors }: Pick<Promotion, 'unknownAuthors'>): string {
  const count = unknownAuthors === 1 ? 'one unknown author' : `${unknownAuthors} unknown authors`;
  return `the commit names ${count}, for whom nobody here is kept from voting`;
}

/** Sends the vote with the digests that were shown; the server refuses it when one of them is no longer current. */
export async function sendVote(
  api: Api,
  gate: Gate & { readonly evidenceDigest: string },
  { verdict, reason }: Vote,
): Promise<DecisionReceipt> {
  const { attempt, artifactDigest, evidenceDigest } = gate;
  const body = { verdict, attempt, artifactDigest, evidenceDigest, ...(reason !== undefined && { reason }) };
  return await api.write((options) => decide({ ...options, path: { id: gate.id }, body }));
}

/** A gate's result in a line: the measured value when there is one. */
export function resultOf(gate: Gate): string {
  const [first] = gate.reasons;
  if (gate.verdict === 'waived') return waivedWords(gate);
  const status = statusWords[gate.status] ?? gate.status.replaceAll('_', ' ');
  if (gate.measure !== null) {
    const { k, n, lower } = gate.measure;
    // Rounded down, as everywhere: a bound is never shown better than it is.
    return `${status}: ${k} of ${n}, at least ${(Math.floor(lower * 1_000) / 10).toFixed(1)} %`;
  }
  return first === undefined ? status : `${status}: ${placed(first)}`;
}

/** Let pass by people and not by itself, so it is never called passed. */
function waivedWords({ waivers }: Gate): string {
  const ends = waivers.flatMap(({ approvedBy, endedAt, until }) =>
    approvedBy !== null && endedAt === null ? [until] : [],
  );
  return ends.length === 0 ? 'waived' : `waived until ${ends.toSorted()[0]}`;
}

/** Words for what is under way or was cut short; all other statuses say it themselves. */
const statusWords: Readonly<Record<string, string>> = {
  pending: 'not reached',
  claimed: 'under way',
  waiting: 'waiting for people',
  errored: 'broke, is tried again',
  stopped: 'cut short',
};

/** A reason with its file and line, unless it names the file itself. */
export function placed({ message, file, line }: Gate['reasons'][number]): string {
  if (file === undefined || message.includes(file)) return message;
  return `${message} (${file}${line === undefined ? '' : `:${line}`})`;
}
