import type { Look, Promotion } from '@proviso/client';
import { promotionStates } from '@proviso/domain';
import { canaryLine, canaryPicture } from '../canary-picture.ts';
import { openSeries, type SeriesReader } from '../canary-series.ts';
import { exitCodeOfState, type ExitCode, exitCodes } from '../exit-code.ts';
import { follow, isOver, isOverOrStuck, reached, type Standing } from '../follow.ts';
import { readPromotion } from '../reading.ts';
import { type RunFlags, openRun } from '../run-promoting.ts';
import type { Session } from '../session.ts';
import { plainLine } from '../table.ts';
import { Trouble } from '../trouble.ts';

/** Flags of `wait`. */
export interface WaitFlags extends RunFlags {
  readonly until: string;
  readonly timeout: number;
}

/**
 * Follows a promotion until it has ended; a blocked one is waited for, since a re-run may free it. Its canary is drawn over
 * and over on a terminal, told in lines elsewhere, and printed point by point for machines.
 */
export async function watch(session: Session, id: string): Promise<ExitCode> {
  const api = session.api();
  const reader = openSeries(api, id);
  const tell = canaryTeller(session, reader);
  const look = async (promotion: Promotion) => tell(promotion, await reader.more(promotion));
  const last = await follow(() => readPromotion(api, id), { until: isOver, look, signal: session.interruption.signal });
  session.progress.done();
  if (!session.json) for (const line of pictureFor(session, reader)) session.print(line);
  return finish(session, last);
}

type Telling = (promotion: Promotion, fresh: readonly Look[]) => void;

function canaryTeller(session: Session, reader: SeriesReader): Telling {
  const { progress, json, print } = session;
  const announce = announcer(session);
  return (promotion, fresh) => {
    if (json) for (const point of fresh) print(JSON.stringify(point));
    const series = reader.series();
    const newest = fresh.at(-1);
    if (progress.screen !== undefined && series !== null) {
      const { columns } = progress.screen.size();
      progress.screen.draw([...wrapped(plainLine(promotion.headline), columns), '', ...pictureFor(session, reader)]);
    } else if (promotion.state !== 'canary' || series === null) announce(promotion);
    // Of what was there before anybody watched the newest is enough: the rest is for machines and pictures.
    else if (newest !== undefined) progress.now(plainLine(canaryLine(newest, series.thresholds)));
  };
}

/** Pictures are for people at a terminal. */
function pictureFor({ progress, config }: Session, reader: SeriesReader): readonly string[] {
  const series = reader.series();
  if (progress.screen === undefined || series === null) return [];
  return canaryPicture(series, { columns: progress.screen.size().columns, color: config.color });
}

/** A headline in lines that do not wrap by themselves. */
function wrapped(text: string, columns: number): readonly string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length < columns) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Waits for a state or a passed gate. Ends at once when it can no longer be reached by itself. */
export async function wait(session: Session, id: string, flags: WaitFlags): Promise<ExitCode> {
  expectGoal(flags.until);
  const last = await follow(readerFor(session, id, flags), {
    until: (promotion) => reached(promotion, flags.until) || isOverOrStuck(promotion),
    look: announcer(session),
    timeoutMs: flags.timeout * 1_000,
    signal: session.interruption.signal,
  });
  const code = finish(session, last);
  return reached(last, flags.until) ? exitCodes.ok : code;
}

/** A run of a pipeline reads nothing but where its own promotion stands. */
function readerFor(session: Session, id: string, flags: WaitFlags): () => Promise<Standing> {
  if (flags.workspace === undefined) {
    const api = session.api();
    return () => readPromotion(api, id);
  }
  const run = openRun(session, flags.prototype, flags);
  return () => run.standing(id);
}

/** Prints the last word and gives the exit code that belongs to it. */
export function finish(session: Session, promotion: Standing): ExitCode {
  session.progress.done();
  if (session.json) session.print(JSON.stringify(promotion));
  else session.print(plainLine(promotion.headline));
  return exitCodeOfState(promotion.state);
}

/** Draws the headline while it moves. */
export function announcer(session: Session): (promotion: Standing) => void {
  return (promotion) => session.progress.now(plainLine(promotion.headline));
}

const gateGoals = ['readiness', 'build', 'scan', 'evaluation', 'staging', 'approval', 'canary'];

function expectGoal(goal: string): void {
  const goals = [...promotionStates, ...gateGoals];
  if (goals.includes(goal)) return;
  throw new Trouble(`expected a state or a gate to wait for, got ${goal}`, { advice: `One of: ${goals.join(', ')}.` });
}
