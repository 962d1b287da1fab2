import type { Told } from '@proviso/testkit';
import { packed, uploadedCandidate } from '../candidate.ts';
import type { Cast } from '../cast.ts';
import { type Door, openDoor } from '../door.ts';
import { type Ballot, ballots, eligible, voterIn } from './crowd.ts';
import type { StartingLine } from './starting-line.ts';

/** What came of one round, and everything about it that must not be. */
export interface Round {
  readonly round: number;
  readonly votes: number;
  readonly recorded: number;
  readonly passes: number;
  readonly fiveHundreds: number;
  /** Every no by channel and code, with how often it was said. */
  readonly refused: Readonly<Record<string, number>>;
  readonly findings: readonly string[];
  readonly tookMs: number;
}

/** Where rounds are played. */
export interface Track {
  readonly apiUrl: string;
  readonly cast: Cast;
  readonly line: StartingLine;
  readonly votes: number;
}

/** A promotion of its own, and all votes on it in the same instant. */
export async function playRound(track: Track, round: number): Promise<Round> {
  const { apiUrl, cast, line, votes } = track;
  const requester = openDoor(apiUrl, voterIn(cast, 'requester', round), []);
  const promotion = await openedPromotion(requester, cast, round);
  const cards = ballots(votes);
  line.expect(votes);
  const startedMs = performance.now();
  const told = await Promise.all(
    cards.map(({ voter, channel }) => {
      const { token } = voterIn(cast, voter, round);
      return channel.approve({ apiUrl: line.url, token, promotion }).catch(unanswered);
    }),
  );
  const tookMs = Math.round(performance.now() - startedMs);
  const heard = cards.map((card, index): Heard => ({ ...card, told: told[index] ?? unanswered('none') }));
  const findings = [...findingsInAnswers(heard), ...(await findingsInReads(track, { round, promotion, requester }))];
  const fiveHundreds = told.filter(({ status }) => status >= 500).length;
  return { round, votes, ...sumsOf(heard), fiveHundreds, findings, tookMs };
}

interface Heard extends Ballot {
  readonly told: Told;
}

/** A vote without an answer is a finding, and its cause is what helps to mend it. */
function unanswered(error: unknown): Told {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return { recorded: false, passed: false, code: `no answer: ${String(cause)}`, status: 0 };
}

async function openedPromotion(requester: Door, cast: Cast, round: number): Promise<string> {
  const { id: prototype } = await requester.post<{ id: string }>('/v1/prototypes', { name: `race-${round}` });
  const archive = packed({ 'main.mjs': `// round ${round}\n` });
  const candidate = await uploadedCandidate(requester, { prototype, version: 'v1', archive });
  const policy = cast.policies['race']?.id;
  return (await requester.post<{ id: string }>('/v1/promotions', { prototype, candidate, policy })).id;
}

function sumsOf(heard: readonly Heard[]): Pick<Round, 'recorded' | 'passes' | 'refused'> {
  const refused: Record<string, number> = {};
  for (const { channel, told } of heard.filter(({ told }) => !told.recorded)) {
    const key = `${channel.name} ${told.code ?? told.status}`;
    refused[key] = (refused[key] ?? 0) + 1;
  }
  const recorded = heard.filter(({ told }) => told.recorded).length;
  return { recorded, passes: heard.filter(({ told }) => told.passed).length, refused };
}

/** What `proviso approve` ends with where nobody is waited for: the promotion moved on, or has not come that far. */
const exitCodes = { stale: 6, pending: 8 };

/** What may be answered to those who may vote, and to those who may not. */
const fitting = {
  late: ['already_decided', 'gate_closed'],
  unfit: ['own_work', 'not_permitted'],
};

function findingsInAnswers(heard: readonly Heard[]): readonly string[] {
  const recorded = heard.filter(({ told }) => told.recorded).map(({ voter }) => voter);
  const passes = heard.filter(({ told }) => told.passed).length;
  const odd = heard
    .filter(({ told }) => !told.recorded)
    .filter((one) => !lookedTooLate(one))
    .filter(({ voter, told }) => !(eligible.includes(voter) ? fitting.late : fitting.unfit).includes(told.code ?? ''))
    .map(({ voter, channel, told }) => `${voter} over ${channel.name} was told ${told.code ?? told.status}`);
  return [
    ...(sameSet(recorded, eligible)
      ? []
      : [`expected one vote of each of ${eligible.join(', ')}, got ${recorded.join(', ')}`]),
    ...(passes === 1 ? [] : [`expected one pass to be told, got ${passes}`]),
    ...new Set(odd),
  ];
}

/** The command line looks before it votes: a process that came after the others found no gate waiting, and did not ask. */
function lookedTooLate({ channel, told }: Heard): boolean {
  return channel.name === 'CLI' && told.code === null && [exitCodes.stale, exitCodes.pending].includes(told.status);
}

interface Played {
  readonly round: number;
  readonly promotion: string;
  readonly requester: Door;
}

/** The gate and the entries say the same as the answers did. */
async function findingsInReads({ cast }: Track, { round, promotion, requester }: Played): Promise<readonly string[]> {
  const gate = await requester.get<{
    status: string;
    attempt: number;
    decisions: readonly { person: { id: string } }[];
  }>(`/v1/gates/gate_${promotion.slice('prm_'.length)}-approval`);
  const { items } = await requester.get<{ items: readonly { kind: string; sequence: number }[] }>(
    `/v1/promotions/${promotion}/history?limit=500`,
  );
  const standing = `${gate.status} at attempt ${gate.attempt}`;
  const deciders = gate.decisions.map(({ person }) => person.id);
  const wanted = eligible.map((name) => voterIn(cast, name, round).id);
  const count = (kind: string): number => items.filter((entry) => entry.kind === kind).length;
  const gaps = items.filter(({ sequence }, index) => sequence !== index + 1).length;
  return [
    ...(standing === 'passed at attempt 1' ? [] : [`expected the gate passed at attempt 1, got ${standing}`]),
    ...(sameSet(deciders, wanted) ? [] : [`expected 2 decisions of 2 people at the gate, got ${deciders.length}`]),
    ...(count('decision_recorded') === 2 ? [] : [`expected 2 decisions recorded, got ${count('decision_recorded')}`]),
    ...(count('quorum_reached') === 1 ? [] : [`expected the quorum once, got it ${count('quorum_reached')} times`]),
    ...(gaps === 0 ? [] : [`expected entries numbered from 1 without a gap, got ${gaps} out of their place`]),
  ];
}

/** The same things, each once. */
function sameSet(some: readonly string[], others: readonly string[]): boolean {
  return some.toSorted().join(' ') === others.toSorted().join(' ');
}
