import type { Promotion } from '@proviso/client';
import { promotionStates } from '@proviso/domain';
import { exitCodeOfState, type ExitCode, exitCodes } from '../exit-code.ts';
import { follow, isOver, isOverOrStuck, reached } from '../follow.ts';
import type { Session } from '../session.ts';
import { plainLine } from '../table.ts';
import { Trouble } from '../trouble.ts';

/** Flags of `wait`. */
export interface WaitFlags {
  readonly until: string;
  readonly timeout: number;
}

/** Follows a promotion until it has ended; a blocked one is waited for, since a re-run may free it. */
export async function watch(session: Session, id: string): Promise<ExitCode> {
  const last = await follow(session.api(), id, {
    until: isOver,
    look: announcer(session),
    signal: session.interruption.signal,
  });
  return finish(session, last);
}

/** Waits for a state or a passed gate. Ends at once when it can no longer be reached by itself. */
export async function wait(session: Session, id: string, flags: WaitFlags): Promise<ExitCode> {
  expectGoal(flags.until);
  const last = await follow(session.api(), id, {
    until: (promotion) => reached(promotion, flags.until) || isOverOrStuck(promotion),
    look: announcer(session),
    timeoutMs: flags.timeout * 1_000,
    signal: session.interruption.signal,
  });
  const code = finish(session, last);
  return reached(last, flags.until) ? exitCodes.ok : code;
}

/** Prints the last word and gives the exit code that belongs to it. */
export function finish(session: Session, promotion: Promotion): ExitCode {
  session.progress.done();
  if (session.json) session.print(JSON.stringify(promotion));
  else session.print(plainLine(promotion.headline));
  return exitCodeOfState(promotion.state);
}

/** Draws the headline while it moves. */
export function announcer(session: Session): (promotion: Promotion) => void {
  return (promotion) => session.progress.now(plainLine(promotion.headline));
}

const gateGoals = ['readiness', 'build', 'scan', 'evaluation', 'staging', 'approval', 'canary'];

function expectGoal(goal: string): void {
  const goals = [...promotionStates, ...gateGoals];
  if (goals.includes(goal)) return;
  throw new Trouble(`expected a state or a gate to wait for, got ${goal}`, { advice: `One of: ${goals.join(', ')}.` });
}
