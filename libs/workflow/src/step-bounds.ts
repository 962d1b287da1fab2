import type { Step, WatchCheck } from '@proviso/domain';

/** How long one activity of a step may take, and how soon its silence is noticed. */
export interface StepBounds {
  /** The worker gives up after this and reports a breakage, so that the journal counts it. */
  readonly actMsMax: number;
  /** A killed worker is noticed after this at the latest. */
  readonly heartbeatMsMax: number;
}

/**
 * The bounds of each step. Readiness reads files; a build waits for its turn, fetches its packages for five minutes at
 * most, builds for as long as its contract says, up to half an hour, and once more when that was quick; a scan bounds its own tool at 20 s; an evaluation may put 500 cases
 * several times; staging and canary wait for a start, which a contract may allow five minutes, and a canary then looks for
 * another five and comes back; undo only watches what is decided already.
 */
export const stepBounds: Readonly<Record<Step, StepBounds>> = {
  readiness: { actMsMax: 60_000, heartbeatMsMax: 6_000 },
  build: { actMsMax: 3_600_000, heartbeatMsMax: 6_000 },
  scan: { actMsMax: 120_000, heartbeatMsMax: 6_000 },
  evaluation: { actMsMax: 1_800_000, heartbeatMsMax: 6_000 },
  staging: { actMsMax: 600_000, heartbeatMsMax: 6_000 },
  canary: { actMsMax: 700_000, heartbeatMsMax: 6_000 },
  undo: { actMsMax: 15_000, heartbeatMsMax: 3_000 },
};

const briefly: StepBounds = { actMsMax: 60_000, heartbeatMsMax: 6_000 };

/** The bounds of each look at a live release: those of the step that it does again, else of reading a few rows. */
export const watchBounds: Readonly<Record<WatchCheck, StepBounds>> = {
  owner: briefly,
  review: briefly,
  cost: briefly,
  errorBudget: briefly,
  scan: stepBounds.scan,
  evaluation: stepBounds.evaluation,
  drift: briefly,
};

/** Claiming and reporting around the act: two commands that each may wait for a database that is coming back. */
export const aroundActMs = 60_000;
