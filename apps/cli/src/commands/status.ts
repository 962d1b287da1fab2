import { listPromotions, type Promotion } from '@proviso/client';
import { resultOf } from '../decision.ts';
import { exitCodeOfState, type ExitCode, exitCodes } from '../exit-code.ts';
import { namesOfPrototypes, readPromotion } from '../reading.ts';
import type { Session } from '../session.ts';
import { facts, plainLine, short, table } from '../table.ts';

/** One promotion in full, with an exit code that says where it stands; or the latest promotions as a list. */
export async function status(session: Session, id: string | undefined): Promise<ExitCode> {
  if (id === undefined) return await list(session);
  const promotion = await readPromotion(session.api(), id);
  session.print(session.json ? JSON.stringify(promotion) : describe(promotion));
  return exitCodeOfState(promotion.state);
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
export function describe(promotion: Promotion): string {
  const { lane, canary } = promotion;
  const gates = promotion.gates.map((gate) => [gate.name, String(gate.attempt), resultOf(gate)]);
  const blockers = promotion.blockers.map(({ message, file, line }) => {
    const place = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}: `;
    return `  - ${plainLine(`${place}${message}`)}`;
  });
  return [
    plainLine(promotion.headline),
    ...(blockers.length === 0 ? [] : ['', 'In the way:', ...blockers]),
    '',
    facts([
      ['promotion', promotion.id],
      ['candidate', `${promotion.candidate.version}, artifact ${short(promotion.candidate.artifactDigest)}`],
      ['policy', `${promotion.policy.name}, version ${promotion.policy.version}`],
      ['canary', `${canary.weight} %${canary.unitsSeen === null ? '' : ` (n = ${canary.unitsSeen})`}`],
      ...(lane === null ? [] : [['live', `${lane.liveVersion ?? 'nothing'} ${short(lane.liveDigest)}`] as const]),
    ]),
    '',
    table(['gate', 'attempt', 'result'], gates),
  ].join('\n');
}
