import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RepeatedOrder } from '../order.ts';
import { plantedBugs } from '../planted-bug.ts';
import { copySource } from '../source-copy.ts';
import { openStage } from '../stage.ts';
import { crowdOf, racePolicy } from './crowd.ts';
import { playRound, type Round } from './round.ts';
import { openStartingLine } from './starting-line.ts';

/** All rounds, and the same race on a product whose lock on the promotion's row is missing. */
export interface RacesResult {
  readonly rounds: readonly Round[];
  readonly planted: { readonly bug: string; readonly caught: boolean; readonly findings: readonly string[] };
  readonly elapsedMs: number;
  readonly passed: boolean;
}

/** As many as the sentence says: by two who may and five who may not. */
const votesPerRound = 200;
/** Without the lock the very first round has always shown it; three leave no room for luck. */
const plantedRoundsMax = 3;

/** Two hundred votes in the same instant, round after round; then once more with the lock taken out, which must show. */
export async function races({ projectRoot, rounds, say }: RepeatedOrder): Promise<RacesResult> {
  const startedMs = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'proviso-races-'));
  try {
    const played = await raced({ codeRoot: projectRoot, projectRoot, folder: join(folder, 'whole'), rounds, say });
    const planted = await withoutLock({ projectRoot, folder: join(folder, 'planted'), say });
    const passed = planted.caught && played.length === rounds && played.every(({ findings }) => findings.length === 0);
    return { rounds: played, planted, elapsedMs: Math.round(performance.now() - startedMs), passed };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A line a round, then what was found. */
export function racesText({ rounds, planted, elapsedMs, passed }: RacesResult): string {
  const wrong = rounds.filter(({ findings }) => findings.length > 0);
  const sum = (of: (round: Round) => number): number => rounds.reduce((before, round) => before + of(round), 0);
  return [
    'round  votes  decisions  passes  5xx     ms  refused',
    ...rounds.map(rowOf),
    '',
    `rounds ${rounds.length}, votes ${sum(({ votes }) => votes)}, decisions ${sum(({ recorded }) => recorded)}, ` +
      `passes ${sum(({ passes }) => passes)}, 5xx ${sum(({ fiveHundreds }) => fiveHundreds)}`,
    `planted ${planted.bug}: ${planted.caught ? `caught (${planted.findings[0] ?? ''})` : 'NOT CAUGHT'}`,
    ...wrong.flatMap(({ round, findings }) => findings.map((finding) => `wrong in round ${round}: ${finding}`)),
    `${passed ? 'passed' : 'FAILED'} in ${Math.round(elapsedMs / 1_000)} s`,
  ].join('\n');
}

function rowOf({ round, votes, recorded, passes, fiveHundreds, refused, tookMs }: Round): string {
  const numbers = [
    [round, 5],
    [votes, 7],
    [recorded, 11],
    [passes, 8],
    [fiveHundreds, 5],
    [tookMs, 7],
  ].map(([value = 0, width = 0]) => String(value).padStart(width));
  const codes = Object.entries(refused).toSorted(([a], [b]) => a.localeCompare(b));
  return `${numbers.join('')}  ${codes.map(([code, count]) => `${code} ${count}`).join(', ')}`;
}

interface Race {
  readonly codeRoot: string;
  readonly projectRoot: string;
  readonly folder: string;
  readonly rounds: number;
  readonly say: (line: string) => void;
}

/** Plays rounds on an API process of their own; nothing else is needed for people to decide. */
async function raced(
  { codeRoot, projectRoot, folder, rounds, say }: Race,
  enough: (round: Round) => boolean = () => false,
): Promise<readonly Round[]> {
  mkdirSync(folder, { recursive: true });
  const without = ['worker', 'edge', 'temporal'] as const;
  const stage = await openStage({
    codeRoot,
    projectRoot,
    folder,
    policy: racePolicy,
    extras: crowdOf(rounds),
    without,
  });
  const { apiUrl, cast } = stage;
  const line = await openStartingLine(apiUrl);
  const played: Round[] = [];
  try {
    while (played.length < rounds && !played.some(enough)) {
      const round = await playRound({ apiUrl, cast, line, votes: votesPerRound }, played.length + 1);
      played.push(round);
      say(`${rowOf(round)}${round.findings.length === 0 ? '' : `  WRONG: ${round.findings.join('; ')}`}`);
    }
  } finally {
    await line.close();
    await stage.close();
  }
  return played;
}

/** Behind the lock of the promotion's row stands nothing else: taking it out must show, or this race proves nothing. */
async function withoutLock({
  projectRoot,
  folder,
  say,
}: Pick<Race, 'projectRoot' | 'folder' | 'say'>): Promise<RacesResult['planted']> {
  const bug = plantedBugs.find(({ name }) => name === 'no row lock');
  if (bug === undefined) throw new Error('expected the bug "no row lock" among those that are planted');
  const codeRoot = join(folder, 'code');
  mkdirSync(codeRoot, { recursive: true });
  copySource(projectRoot, codeRoot, bug.patches);
  say(`planted ${bug.name}:`);
  const shown = (round: Round): boolean => round.findings.length > 0;
  const order = { codeRoot, projectRoot, folder: join(folder, 'stage'), rounds: plantedRoundsMax, say };
  const findings = (await raced(order, shown)).flatMap((round) => round.findings);
  return { bug: bug.name, caught: findings.length > 0, findings };
}
