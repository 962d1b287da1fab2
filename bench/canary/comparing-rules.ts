import { mannWhitney, shiftInterval } from './rank-test.ts';
import { joined, type Rule, type RuleAnswer, type RuleLook } from './rule.ts';
import type { ArmSeen, Stretch } from './world.ts';

/** What is compared: the share of bad answers, or the mean latency. */
export type Compared = 'errors' | 'latency';

/** Rules that bring no schedule of their own get Flagger's and stay at its end until their time is over. */
const LIFETIME_SECONDS = 3_600;
const STEP_SECONDS = 60;
const [STEP, SHARE_MAX] = [0.05, 0.5];

/**
 * The one-sided Mann–Whitney test at 1 % on points of ten seconds since the canary began, asked again each minute: what
 * many home-made gates do.
 */
export function mannWhitneyRule(compared: Compared): Rule {
  return comparingRule('Mann-Whitney each minute', 10, () => {
    const points = { canary: [] as number[], stable: [] as number[] };
    return ({ canary, stable, at }) => {
      points.canary.push(pointOf(canary, compared));
      points.stable.push(pointOf(stable, compared));
      return at % STEP_SECONDS === 0 && mannWhitney(points.canary, points.stable) < 0.01;
    };
  });
}

/** Fewer points than this cannot reach the confidence that is asked for. */
const KAYENTA_POINTS_MIN = 5;

/**
 * Kayenta's Mann–Whitney classifier, asked each minute on its usual points of a minute: a metric is high when the lower
 * end of the 98 % interval of the shift exceeds a quarter of the estimated shift, and then the canary is ended.
 * Source: spinnaker/kayenta, kayenta-judge, MannWhitneyClassifier (tolerance .25, confLevel .98).
 */
export function kayentaStyleRule(compared: Compared): Rule {
  return comparingRule('Kayenta-style each minute', STEP_SECONDS, () => {
    const points = { canary: [] as number[], stable: [] as number[] };
    return ({ canary, stable }) => {
      points.canary.push(pointOf(canary, compared));
      points.stable.push(pointOf(stable, compared));
      if (points.canary.length < KAYENTA_POINTS_MIN) return false;
      const { lower, estimate } = shiftInterval(points.canary, points.stable, 0.98);
      return estimate > 0 && lower > 0.25 * Math.abs(estimate);
    };
  });
}

/** The size of difference that the mixture expects: half the objective. */
const MIXTURE_SPREAD = 0.005;

/**
 * Always-valid inference on the pooled difference of error rates, at every ten seconds: a mixture over normal effects.
 * Sources: Johari, Pekelis & Walsh 2015, "Always Valid Inference" (mSPRT); Howard et al. 2021 (GAVI).
 */
export function mixtureRule(): Rule {
  return comparingRule('GAVI/mSPRT', 10, () => {
    let seen: Stretch | undefined;
    return ({ canary, stable }) => {
      // Latencies are left out of the sums: nobody reads them, and they would grow without end.
      const counts = { canary: { ...canary, latenciesMs: [] }, stable: { ...stable, latenciesMs: [] }, order: [] };
      seen = joined(seen, counts);
      const [ours, theirs] = [seen.canary, seen.stable];
      if (ours.requests === 0 || theirs.requests === 0) return false;
      const difference = ours.badEvents / ours.requests - theirs.badEvents / theirs.requests;
      const rate = (ours.badEvents + theirs.badEvents) / (ours.requests + theirs.requests);
      const variance = rate * (1 - rate) * (1 / ours.requests + 1 / theirs.requests);
      if (difference <= 0 || variance === 0) return false;
      const spread = MIXTURE_SPREAD ** 2;
      const exponent = (difference ** 2 * spread) / (2 * variance * (variance + spread));
      return 0.5 * Math.log(variance / (variance + spread)) + exponent >= Math.log(100);
    };
  });
}

function comparingRule(name: string, lookSeconds: number, open: () => (look: RuleLook) => boolean): Rule {
  return {
    name,
    lookSeconds,
    start: () => {
      const condemns = open();
      return {
        share: STEP,
        look: (look): RuleAnswer => {
          if (condemns(look)) return 'rollback';
          if (look.at >= LIFETIME_SECONDS) return 'promote';
          return { share: Math.min(SHARE_MAX, STEP * (1 + Math.floor(look.at / STEP_SECONDS))) };
        },
      };
    },
  };
}

function pointOf({ requests, badEvents, latenciesMs }: ArmSeen, compared: Compared): number {
  if (requests === 0) return 0;
  if (compared === 'errors') return badEvents / requests;
  return latenciesMs.reduce((sum, latency) => sum + latency, 0) / requests;
}
