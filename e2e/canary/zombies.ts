import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkWorld } from '../checker.ts';
import { onDrivenStage } from '../driven-stage.ts';
import type { RepeatedOrder } from '../order.ts';
import { journalOf, worldOf } from '../storm.ts';
import { type Ground, onGround, openDesk } from './climb.ts';
import { type LateWrite, lateWrite, type LateWriteName, lateWrites } from './late-write.ts';
import { losses, type LossName, type LostRun, lostRun, openUnaskedDesk } from './lost-run.ts';
import { quickPolicy, stillPolicy } from './policies.ts';
import { type Unqueued, unqueued, wordsBack } from './unqueued.ts';
import { type Usurped, usurper } from './usurper.ts';

/** What came of all of them. */
export interface ZombiesResult {
  readonly writes: readonly LateWrite[];
  readonly runs: readonly LostRun[];
  /** Ways back that people ordered while Temporal was stopped. */
  readonly unqueued: readonly Unqueued[];
  /** A worker that slept until the next version was on its way by another's hand; null in a quick run. */
  readonly usurped: Usurped | null;
  /** What the checker of the journal and of the world found in the end. */
  readonly findings: readonly string[];
  readonly elapsedMs: number;
  readonly passed: boolean;
}

/** Rounds of lost runs that are played at once: a dozen canaries are no load, and a lapsing share takes half a minute. */
const roundsAtOnce = 4;

/** Workers that wake up late, and runs that are ended, cancelled or set back: users are on stable, and stay there. */
export async function zombies({ projectRoot, quick, rounds, say }: RepeatedOrder): Promise<ZombiesResult> {
  const startedMs = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'proviso-zombies-'));
  const stage = { codeRoot: projectRoot, projectRoot, folder, policy: quickPolicy, morePolicies: [stillPolicy] };
  try {
    const played = await onDrivenStage({ ...stage, requests: [] }, (driver) =>
      onGround(driver, say, async (ground) => {
        const writes = await sleepers(ground, quick ? quickWrites : named(lateWrites, rounds));
        const runs = await orphans(ground, { rounds, names: quick ? ['cancelled'] : losses });
        const withoutQueue = await backWithoutQueue(ground);
        const usurped = quick ? null : await outslept(ground);
        const found = [...(await checkWorld(worldOf(driver.stage))), ...(await journalOf(driver)).findings];
        return {
          writes,
          runs,
          unqueued: withoutQueue,
          usurped,
          findings: found.map(({ invariant, detail }) => `${invariant}: ${detail}`),
        };
      }),
    );
    const passed = violationsOf(played).length + played.findings.length === 0;
    return { ...played, elapsedMs: Math.round(performance.now() - startedMs), passed };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A line for each kind, then what was wrong. */
export function zombiesText(result: ZombiesResult): string {
  const { writes, runs, unqueued: back, usurped, findings, elapsedMs, passed } = result;
  const wrong = violationsOf(result);
  return [
    row('worker stopped with', 'rounds', 'right', 'answered', 'users away', 'told when it woke up'),
    ...lateWrites.map((name) =>
      writeRow(
        name,
        writes.filter(({ write }) => write === name),
      ),
    ),
    '',
    row('run', 'rounds', 'right', 'weight 0', 'last met', 'ended'),
    ...losses.map((name) =>
      runRow(
        name,
        runs.filter(({ loss }) => loss === name),
      ),
    ),
    '',
    ...back.map(({ word, metMs }) => `${word} while Temporal was stopped: last met ${metMs} ms later`),
    ...(usurped === null ? [] : [`woken up after the next version had begun: ${usurped.refused.join(', ')}`]),
    ...wrong.map((each) => `wrong: ${each}`),
    ...findings.map((each) => `violation of ${each}`),
    `violations ${wrong.length + findings.length}, ${passed ? 'passed' : 'FAILED'} in ${Math.round(elapsedMs / 1_000)} s`,
  ].join('\n');
}

function violationsOf(all: Pick<ZombiesResult, 'writes' | 'runs' | 'unqueued' | 'usurped'>): readonly string[] {
  const { writes, runs, unqueued: back, usurped } = all;
  return [...writes, ...runs, ...back, ...(usurped === null ? [] : [usurped])].flatMap(({ violations }) => violations);
}

async function backWithoutQueue(ground: Ground): Promise<readonly Unqueued[]> {
  const desks = await Promise.all(wordsBack.map(async (word) => await openDesk(ground, `unqueued-${word}`, 'quick')));
  const came = await unqueued(ground, desks, 'v1');
  ground.say(`taken back without Temporal${told(came.flatMap(({ violations }) => violations))}`);
  return came;
}

async function outslept(ground: Ground): Promise<Usurped> {
  const came = await usurper(ground, await openDesk(ground, 'usurped', 'quick'), ['v1', 'v2']);
  ground.say(`slept until the next version: ${came.refused.join(', ')}${told(came.violations)}`);
  return came;
}

/** Beyond a heartbeat's patience: every other time the step has been given to its next try when the worker wakes up. */
const longFrozenMs = 9_000;

/** The two that differ most. */
const quickWrites: readonly LateWriteName[] = ['a first share, not begun', 'a renewed lease'];

/** Round after round, so that each kind is met as often as the others. */
function named<Name>(names: readonly Name[], rounds: number): readonly Name[] {
  return Array.from({ length: rounds }, (_, index) => names[index % names.length] as Name);
}

/** One after the other: the worker that is stopped is everybody's. */
async function sleepers(ground: Ground, names: readonly LateWriteName[]): Promise<readonly LateWrite[]> {
  const desk = await openDesk(ground, 'sleeper', 'quick');
  const done: LateWrite[] = [];
  for (const [index, write] of names.entries()) {
    const isLong = Math.floor(index / lateWrites.length) % 2 === 1;
    const order = { write, version: `v${index + 1}`, frozenMs: isLong ? longFrozenMs : 0 };
    const came = await lateWrite(ground, desk, order);
    done.push(came);
    ground.say(`${write}: ${came.refused.join(', ') || 'not refused'}${told(came.violations)}`);
  }
  return done;
}

async function orphans(
  ground: Ground,
  { rounds, names }: { readonly rounds: number; readonly names: readonly LossName[] },
): Promise<readonly LostRun[]> {
  const slots = Array.from({ length: Math.min(rounds, roundsAtOnce) }, (_, index) => index + 1);
  const done: LostRun[] = [];
  const playing = slots.flatMap((slot) =>
    names.map(async (loss) => {
      const desk = await openDesk(ground, `${loss}-${slot}`, 'quick');
      const unasked = await openUnaskedDesk(ground, `${loss}-${slot}-unasked`);
      for (let round = slot; round <= rounds; round += roundsAtOnce) {
        const came = await lostRun(ground, desk, { loss, version: `v${round}`, unasked });
        done.push(came);
        ground.say(`${loss}: 0 after ${came.zeroMs} ms, ended ${came.outcome}${told(came.violations)}`);
      }
    }),
  );
  await Promise.all(playing);
  return done;
}

function told(violations: readonly string[]): string {
  return violations.map((violation) => `\n  WRONG: ${violation}`).join('');
}

function writeRow(name: string, done: readonly LateWrite[]): string {
  const codes = [...new Set(done.flatMap(({ refused }) => refused))].join(', ') || '(nothing to be told)';
  return row(
    name,
    ...countsOf(done),
    most(done.map(({ rolledBackMs }) => rolledBackMs)),
    most(done.map(({ metMs }) => metMs)),
    codes,
  );
}

function runRow(name: string, done: readonly LostRun[]): string {
  const ends = [...new Set(done.map(({ outcome }) => outcome ?? 'no end'))].join(', ');
  return row(
    name,
    ...countsOf(done),
    most(done.map(({ zeroMs }) => zeroMs)),
    most(done.map(({ metMs }) => metMs)),
    ends,
  );
}

function countsOf(done: readonly { readonly violations: readonly string[] }[]): readonly [string, string] {
  return [String(done.length), String(done.filter(({ violations }) => violations.length === 0).length)];
}

function most(times: readonly number[]): string {
  return times.length === 0 ? '·' : `${Math.max(...times)} ms`;
}

function row(
  name: string,
  ...[rounds = '', right = '', first = '', second = '', last = '']: readonly string[]
): string {
  const cells = [rounds.padStart(8), right.padStart(7), first.padStart(12), second.padStart(12)].join('');
  return `${name.padEnd(42)}${cells}  ${last}`;
}
