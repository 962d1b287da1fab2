import { listPromotions, type Promotion } from '@proviso/client';
import { authorWords, placed, resultOf } from '../decision.ts';
import { exitCodeOfState, type ExitCode, exitCodes } from '../exit-code.ts';
import { type ChainedEntry, namesOfPrototypes, readHistory, readPromotion } from '../reading.ts';
import type { Session } from '../session.ts';
import { facts, plainLine, short, table } from '../table.ts';
import { whoWords } from '../who-can.ts';

/** One promotion in full, with an exit code that says where it stands; or the latest promotions as a list. */
export async function status(session: Session, id: string | undefined): Promise<ExitCode> {
  if (id === undefined) return await list(session);
  const api = session.api();
  const promotion = await readPromotion(api, id);
  if (session.json) session.print(JSON.stringify(promotion));
  else {
    const remarks = decidedByPeople.has(promotion.state) ? remarksOf(await readHistory(api, id)) : [];
    session.print(describe(promotion, remarks));
  }
  return exitCodeOfState(promotion.state);
}

/** States behind which a person's words may stand; only then the history is asked for them. */
const decidedByPeople: ReadonlySet<Promotion['state']> = new Set(['rejected', 'rolled_back', 'cancelled', 'blocked']);

/** What people said, in their own words and each once: a rejection without its reason helps no builder. */
function remarksOf(entries: readonly ChainedEntry[]): readonly string[] {
  const said = entries.flatMap(({ by, reason }) => (reason === null ? [] : [`${by?.name ?? 'somebody'}: ${reason}`]));
  return [...new Set(said)];
}

/** More than a screen holds; an older one is asked for by its id. */
const LISTED_MAX = 50;

async function list(session: Session): Promise<ExitCode> {
  const api = session.api();
  const page = await api.read((options) => listPromotions({ ...options, query: { limit: LISTED_MAX } }));
  if (session.json) {
    session.print(JSON.stringify(page));
    return exitCodes.ok;
  }
  if (page.items.length === 0) {
    session.print('No promotions yet. Open one with `proviso promote <folder>`.');
    return exitCodes.ok;
  }
  const names = await namesOfPrototypes(api);
  const latestFirst = page.items.toSorted((a, b) => b.openedAt.localeCompare(a.openedAt));
  const rows = latestFirst.map((each) => [
    ...[each.id, names.get(each.prototype) ?? each.prototype, each.candidate.version],
    ...[each.state, each.headline],
  ]);
  session.print(table(['promotion', 'prototype', 'version', 'state', 'headline'], rows));
  return exitCodes.ok;
}

/** The first sentence answers; below it what is in the way, then the gates. */
export function describe(promotion: Promotion, remarks: readonly string[] = []): string {
  const { lane, canary } = promotion;
  const gates = promotion.gates.map((gate) => [gate.name, String(gate.attempt), resultOf(gate)]);
  const blockers = promotion.blockers.map((reason) => `  - ${plainLine(placed(reason))}`);
  const held = lane?.held === true;
  return [
    plainLine(promotion.headline),
    ...(blockers.length === 0 ? [] : ['', 'In the way:', ...blockers]),
    ...(remarks.length === 0 ? [] : ['', 'People said:', ...remarks.map((remark) => `  - ${plainLine(remark)}`)]),
    '',
    facts([
      ['promotion', promotion.id],
      ['candidate', `${promotion.candidate.version}, artifact ${short(promotion.candidate.artifactDigest)}`],
      ...(promotion.unknownAuthors === 0 ? [] : [['authors', authorWords(promotion)] as const]),
      ['policy', `${promotion.policy.name}, version ${promotion.policy.version}`],
      ['canary', `${canary.weight} %${canary.unitsSeen === null ? '' : ` (n = ${canary.unitsSeen})`}`],
      ...(lane === null ? [] : [['live', liveWords(lane)] as const, ['served as', lane.host] as const]),
      ...watchFacts(promotion.watch),
      ...(promotion.preview === null ? [] : [['preview', `proviso preview ${promotion.id}`] as const]),
      ...(held
        ? [['held', 'nothing new goes live until an operator resumes the lane (`proviso resume`)'] as const]
        : []),
    ]),
    '',
    table(['gate', 'attempt', 'result'], gates),
    ...(promotion.actions.length === 0 ? [] : ['', facts(promotion.actions.map(actionWords))]),
  ].join('\n');
}

/** When it was looked at and will be; below it a line for each check that is not well. */
function watchFacts(watch: Promotion['watch']): readonly (readonly [string, string])[] {
  if (watch === null) return [];
  const next = watch.next === null ? 'not any more' : `next by ${watch.next}`;
  const open = watch.checks.filter(({ standing }) => standing === 'breached' || standing === 'unseen');
  return [
    ['watched', `every ${watch.every}, ${watch.last === null ? 'not yet' : `last ${watch.last}`}, ${next}`],
    ...open.map(({ check, standing, reasons, do: order }): [string, string] => {
      const words = plainLine(reasons[0]?.message ?? 'no reason was given');
      return [`  ${check}`, standing === 'breached' ? `${words} (${order})` : `could not be told: ${words}`];
    }),
  ];
}

function liveWords({ liveVersion, liveDigest }: NonNullable<Promotion['lane']>): string {
  return liveVersion === null ? 'nothing yet' : `${liveVersion}, artifact ${short(liveDigest)}`;
}

/** What can be done now: by the one who asks, or else by whom. */
function actionWords({ rel, allowed, code, reason, whoCan }: Promotion['actions'][number]): [string, string] {
  const who = whoWords(whoCan);
  if (allowed) return [rel, 'you can'];
  // Who can says all there is to a missing role.
  const why = reason === null || code === 'not_permitted' ? 'not you' : `not you: ${reason}`;
  return [rel, who === '' ? why : `${why}; ${who} can`];
}
