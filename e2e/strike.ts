import type { Finding } from './invariants/finding.ts';
import { isAt, type KillPoint, ownFaults, promotionIn } from './kill-point.ts';
import type { PartName, Stage } from './stage.ts';
import type { Caught } from './wire-proxy.ts';

/** What is killed; `connection` only cuts the wire to PostgreSQL, so that a COMMIT has an unknown outcome. */
export type Victim = PartName | 'connection';

/** One kill to be done: at this point, of this victim, for the so-many-th time. */
export interface Blow {
  readonly point: KillPoint;
  readonly victim: Victim;
  readonly round: number;
}

/** A kill that was done, or could not be. */
export interface Struck {
  readonly blow: Blow;
  readonly at: number;
  /** The promotion that was at the point; null when the moment named none. */
  readonly promotion: string | null;
  /** Null when the point was reached. */
  readonly missed: string | null;
  /** From the kill until the victim served again. */
  readonly awayMs: number;
  findings: readonly Finding[];
}

/** A point comes by every few seconds; while something restarts it may take a while. */
const reachMsMax = 90_000;
/** The last of three kills of a worker is done by the worker itself, at the very line. */
const ownFaultEvery = 3;

/** Waits until the point is reached, kills the victim there, and starts it again. */
export async function strike(stage: Stage, blow: Blow): Promise<Struck> {
  const fault = ownFaults[blow.point];
  if (blow.victim === 'worker' && fault !== undefined && blow.round % ownFaultEvery === 0) {
    return await strikeItself(stage, blow, fault);
  }
  const watched =
    blow.victim === 'api' && blow.point !== 'during rollback' && isEverySubmission(blow) ? 'api' : 'worker';
  const trap = stage.proxies[watched].catchAt(isAt(blow.point, watched));
  const caught = await within(trap.caught, reachMsMax);
  if (caught === null) {
    trap.forget();
    return missed(blow, 'the point was not reached');
  }
  const at = Date.now();
  await kill(stage, blow, caught, watched);
  const awayMs = Date.now() - at;
  return { blow, at, promotion: promotionIn(caught.moment), missed: null, awayMs, findings: [] };
}

/** The first four points belong to every submission, so the API passes them by itself. */
function isEverySubmission({ point }: Blow): boolean {
  return ['after lock', 'before commit', 'after commit', 'before wake'].includes(point);
}

async function kill(stage: Stage, { victim, round }: Blow, caught: Caught, watched: 'api' | 'worker'): Promise<void> {
  if (victim === 'connection') return caught.cut();
  const part = stage.parts[victim];
  // Every other time the whole server dies at once, as at a power cut, and not only its first process.
  await part.kill({ withChildren: victim === 'postgres' && round % 2 === 0 });
  // What was about to be heard by the dead, or from the dead, is never heard.
  if (victim === watched || victim === 'postgres') caught.cut();
  else caught.release();
  await part.start();
}

async function strikeItself(stage: Stage, blow: Blow, fault: string): Promise<Struck> {
  const { worker } = stage.parts;
  stage.setWorkerFault(fault);
  await worker.kill();
  await worker.start();
  stage.setWorkerFault(null);
  const died = await within(
    worker.died().then(() => true),
    reachMsMax,
  );
  if (died === null) return missed(blow, 'the worker did not come to the fault');
  const at = Date.now();
  await worker.start();
  return { blow, at, promotion: null, missed: null, awayMs: Date.now() - at, findings: [] };
}

function missed(blow: Blow, why: string): Struck {
  return { blow, at: Date.now(), promotion: null, missed: why, awayMs: 0, findings: [] };
}

/** What came by at last; nothing else in the story makes sense without it. */
export async function reached<T>(moment: Promise<T>, what: string): Promise<T> {
  const found = await within(moment, reachMsMax);
  if (found === null) throw new Error(`expected ${what} within ${reachMsMax} ms, got nothing`);
  return found;
}

/** The value, or null when it did not come in time. */
async function within<T>(asked: Promise<T>, timeoutMs: number): Promise<T | null> {
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => late.resolve(null), timeoutMs);
  const first = await Promise.race([asked, late.promise]);
  clearTimeout(timer);
  return first;
}
