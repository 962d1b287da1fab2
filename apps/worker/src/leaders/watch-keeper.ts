import type { Leadership, WatchedLane } from '@proviso/journal';
import { laneOfWatch, watchIdOf } from '@proviso/workflow';
import type { Clock, Log } from '../ports.ts';
import type { WatchSchedules, Watched } from './watch-schedules.ts';

/** Lanes that are read at once. */
const pageMax = 1_000;
/** More production lanes than one deployment has; what lies beyond is kept by nobody, and that is said. */
const lanesMax = 100_000;
/** As long as a lost Temporal may go unnoticed; a release that has become live since the last round is not left so long. */
const lookMs = 60_000;

/**
 * Keeps one Schedule for each release that is live and watched, and none for any other: a Temporal whose database was
 * lost gets them again. What was found is the journal's, so nothing but the rhythm can be lost here.
 */
export function watchKeeper(ports: {
  readonly schedules: WatchSchedules;
  readonly clock: Clock;
  readonly log: Log;
}): (leadership: Pick<Leadership, 'watched'>) => Promise<void> {
  const { schedules, clock, log } = ports;
  let kept = '';
  let keptAt = Number.NEGATIVE_INFINITY;
  return async (leadership) => {
    const lanes = await lanesOf(leadership, log);
    const wanted = new Map(lanes.flatMap(watchedIn).map((one) => [watchIdOf(one.lane, one.promotion), one]));
    const names = [...wanted.keys()].join(' ');
    if (names === kept && clock.now() < keptAt + lookMs) return;
    const found = await schedules.names();
    // Another deployment may have Schedules in the same Temporal: those of lanes that we do not know are not ours to end.
    const ours = new Set<string | null>(lanes.map(({ lane }) => lane));
    for (const name of found.filter((one) => !wanted.has(one) && ours.has(laneOfWatch(one)))) {
      await schedules.end(name);
      log.info({ watch: name }, 'watch.ended');
    }
    for (const [name, watched] of wanted) {
      if (found.includes(name)) continue;
      await schedules.begin(watched);
      log.info({ watch: name }, 'watch.began');
    }
    kept = names;
    keptAt = clock.now();
  };
}

async function lanesOf(leadership: Pick<Leadership, 'watched'>, log: Log): Promise<readonly WatchedLane[]> {
  const lanes: WatchedLane[] = [];
  for (let after = ''; lanes.length < lanesMax; ) {
    const page = await leadership.watched(after, pageMax);
    lanes.push(...page);
    if (page.length < pageMax) return lanes;
    after = page.at(-1)?.lane ?? '';
  }
  log.warn({ lanesMax }, 'watch.too_many_lanes');
  return lanes;
}

function watchedIn({ workspace, lane, promotion, everyMs }: WatchedLane): readonly Watched[] {
  return promotion === null || everyMs === null ? [] : [{ workspace, lane, promotion, everyMs }];
}
