import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onDrivenStage } from '../driven-stage.ts';
import type { RepeatedOrder } from '../order.ts';
import { journalOf } from '../storm.ts';
import { type BlindRound, blindStrike } from './blind-strike.ts';
import { onGround, openDesk } from './climb.ts';
import { manners, openLinks, type Outage, victims } from './outage.ts';
import { quickPolicy, stillPolicy } from './policies.ts';

/** What came of every outage. */
export interface BlindResult {
  readonly rounds: readonly BlindRound[];
  readonly findings: readonly string[];
  readonly elapsedMs: number;
  readonly passed: boolean;
}

/** Outages last for the better part of a minute in which little is done: two cores bear two deployments. */
const stagesAtOnce = 2;

/** The one in which nothing but the lease ends a share: nobody is there who would decide anything. */
const quickOutages: readonly Outage[] = [{ victim: 'worker', manner: 'frozen' }];

/** Takes away one part after the other in every way while canaries turn bad: as many at once as there are rounds. */
export async function blind(options: RepeatedOrder): Promise<BlindResult> {
  const startedMs = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'proviso-blind-'));
  const all = manners.flatMap((manner) => victims.map((victim): Outage => ({ victim, manner })));
  const outages = options.quick ? quickOutages : all;
  const stages = Array.from({ length: Math.min(stagesAtOnce, outages.length) }, (_, index) => ({
    folder: join(folder, `stage-${index + 1}`),
    outages: outages.filter((_outage, turn) => turn % stagesAtOnce === index),
  }));
  try {
    const played = await Promise.all(stages.map(async (stage) => await suffered(options, stage)));
    const rounds = played.flatMap((one) => one.rounds);
    const findings = played.flatMap((one) => one.findings);
    const isWhole = rounds.length === outages.length * options.rounds;
    const passed = isWhole && findings.length === 0 && rounds.every(({ violations }) => violations.length === 0);
    return { rounds, findings, elapsedMs: Math.round(performance.now() - startedMs), passed };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A table of victims and manners, then what was wrong. */
export function blindText({ rounds, findings, elapsedMs, passed }: BlindResult): string {
  const wrong = rounds.flatMap(({ victim, manner, violations }) =>
    violations.map((violation) => `wrong: ${victim} ${manner}: ${violation}`),
  );
  const asked = rounds.reduce((sum, { stableAsked }) => sum + stableAsked, 0);
  return [
    ['right / rounds, slowest 0'.padEnd(28), ...manners.map((manner) => manner.padStart(20))].join(''),
    ...victims.map((victim) => {
      const cells = manners.map((manner) =>
        cellOf(rounds.filter((round) => round.victim === victim && round.manner === manner)),
      );
      return [victim.padEnd(28), ...cells].join('');
    }),
    '',
    `stable was asked ${asked} times`,
    ...wrong,
    ...findings.map((finding) => `violation of ${finding}`),
    `violations ${wrong.length + findings.length}, ${passed ? 'passed' : 'FAILED'} in ${Math.round(elapsedMs / 1_000)} s`,
  ].join('\n');
}

async function suffered(
  { projectRoot, rounds, say }: RepeatedOrder,
  { folder, outages }: { readonly folder: string; readonly outages: readonly Outage[] },
): Promise<Pick<BlindResult, 'rounds' | 'findings'>> {
  mkdirSync(folder, { recursive: true });
  const links = openLinks();
  const stage = { codeRoot: projectRoot, projectRoot, folder, policy: quickPolicy, morePolicies: [stillPolicy] };
  try {
    return await onDrivenStage({ ...stage, reroute: links.reroute, requests: [] }, (driver) =>
      onGround(driver, say, async (ground) => {
        const names = Array.from({ length: rounds }, (_, index) => `blind-${index + 1}`);
        const desks = await Promise.all(names.map(async (name) => await openDesk(ground, name, 'quick')));
        const done: BlindRound[] = [];
        for (const [index, outage] of outages.entries()) {
          const came = await blindStrike(ground, links, { desks, outage, version: `v${index + 1}` });
          done.push(...came);
          say(
            `${outage.victim} ${outage.manner}: 0 after ${came.map(({ zeroMs }) => zeroMs).join(', ')} ms${told(came)}`,
          );
        }
        const { findings } = await journalOf(driver);
        return { rounds: done, findings: findings.map(({ invariant, detail }) => `${invariant}: ${detail}`) };
      }),
    );
  } finally {
    await links.close();
  }
}

function told(came: readonly BlindRound[]): string {
  return came.flatMap(({ violations }) => violations.map((violation) => `\n  WRONG: ${violation}`)).join('');
}

function cellOf(rounds: readonly BlindRound[]): string {
  if (rounds.length === 0) return '·'.padStart(20);
  const right = rounds.filter(({ violations }) => violations.length === 0).length;
  const slowestMs = Math.max(...rounds.map(({ zeroMs }) => zeroMs));
  return `${right} / ${rounds.length}  ${(slowestMs / 1_000).toFixed(1)} s`.padStart(20);
}
