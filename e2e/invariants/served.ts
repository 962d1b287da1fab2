/** A request of a visitor from its first byte to its end, by the wall clock. */
export interface Visit {
  readonly host: string;
  readonly sentAt: number;
  readonly endedAt: number;
  /** The status, or what broke. */
  readonly what: string;
}

/** A time in which the edge was really down. */
export interface Downtime {
  readonly from: number;
  readonly to: number;
  /** Requests to stable that were open in it and failed. */
  readonly failed: number;
}

/** How stable was served: what failed though the edge was there, and apart from it, by downtime, what failed without. */
export interface Service {
  readonly asked: number;
  readonly failed: readonly Visit[];
  readonly downtimes: readonly Downtime[];
}

/** An edge is back within a second or two, with both cores busy within twenty; whoever needs longer is not excused. */
export const downMsMax = 30_000;

/**
 * Judges the requests to stable releases. The edge is down from the strike to the first success that the new process gave:
 * a request that was sent after the strike and answered. Only a request that was open in that time is excused.
 */
export function serviceOf(seen: {
  /** To releases that must always answer. */
  readonly toStable: readonly Visit[];
  /** Every success, to whatever release. */
  readonly succeeded: readonly Pick<Visit, 'sentAt' | 'endedAt'>[];
  readonly strikes: readonly number[];
}): Service {
  const failed = seen.toStable.filter(({ what }) => what !== '200');
  const downtimes = seen.strikes.map((from): Downtime => {
    const answers = seen.succeeded.filter(({ sentAt }) => sentAt > from).map(({ endedAt }) => endedAt);
    const to = answers.reduce((first, at) => Math.min(first, at), from + downMsMax);
    return { from, to, failed: failed.filter((visit) => wasOpenIn(visit, { from, to })).length };
  });
  return {
    asked: seen.toStable.length,
    failed: failed.filter((visit) => !downtimes.some((down) => wasOpenIn(visit, down))),
    downtimes,
  };
}

function wasOpenIn({ sentAt, endedAt }: Visit, { from, to }: Pick<Downtime, 'from' | 'to'>): boolean {
  return sentAt <= to && endedAt >= from;
}
