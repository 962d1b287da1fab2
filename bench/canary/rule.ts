import type { Stretch, World } from './world.ts';

/** What a rule sees at the end of a look. */
export interface RuleLook extends Stretch {
  /** Seconds since the canary began. */
  readonly at: number;
  readonly share: number;
  /** What came since the share changed within this look; undefined when it did not. */
  readonly sinceChange: Stretch | undefined;
}

/** What a rule says: back to stable, all users, or the share to have next. */
export type RuleAnswer = 'rollback' | 'promote' | { readonly share: number };

/** A rule under way with one canary. */
export interface RuleInstance {
  readonly share: number;
  readonly look: (look: RuleLook) => RuleAnswer;
}

/** A way to decide about canaries. */
export interface Rule {
  readonly name: string;
  readonly lookSeconds: number;
  readonly start: () => RuleInstance;
}

/** How one canary ended. */
export interface Ending {
  readonly kind: 'rolled_back' | 'promoted' | 'undecided';
  readonly seconds: number;
  /** What the canary cost users until then; after a promotion nothing is counted. */
  readonly excessBad: number;
}

/** An edge hears of a new share after so long: also of the way back. */
const EDGE_DELAY_SECONDS = 1;

/** Plays one canary to its end, or to the horizon. */
export function play(rule: Rule, world: World, horizonSeconds: number): Ending {
  const instance = rule.start();
  let [share, wanted, excessBad] = [0, instance.share, 0];
  for (let at = 0; at < horizonSeconds; at += rule.lookSeconds) {
    const whole = share === wanted;
    const late = whole ? 0 : EDGE_DELAY_SECONDS;
    const before = late > 0 && share > 0 ? world.pass(at, late, share) : undefined;
    excessBad += world.excess(at, late, share);
    if (!whole) world.turn();
    share = wanted;
    const after = world.pass(at + late, rule.lookSeconds - late, share);
    excessBad += world.excess(at + late, rule.lookSeconds - late, share);
    const seconds = at + rule.lookSeconds;
    const answer = instance.look({
      ...joined(before, after),
      at: seconds,
      share,
      sinceChange: whole ? undefined : after,
    });
    if (answer === 'rollback') {
      return { kind: 'rolled_back', seconds, excessBad: excessBad + world.excess(seconds, EDGE_DELAY_SECONDS, share) };
    }
    if (answer === 'promote') return { kind: 'promoted', seconds, excessBad };
    wanted = answer.share;
  }
  return { kind: 'undecided', seconds: horizonSeconds, excessBad };
}

/** Counts of two stretches together. */
export function joined(before: Stretch | undefined, after: Stretch): Stretch {
  if (before === undefined) return after;
  const arm = (name: 'canary' | 'stable') => ({
    requests: before[name].requests + after[name].requests,
    firstBadUnits: before[name].firstBadUnits + after[name].firstBadUnits,
    badEvents: before[name].badEvents + after[name].badEvents,
    latenciesMs: [...before[name].latenciesMs, ...after[name].latenciesMs],
  });
  return { canary: arm('canary'), stable: arm('stable'), order: [...before.order, ...after.order] };
}
