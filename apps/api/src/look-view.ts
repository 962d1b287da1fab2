import { type PromotionState, ruleOf } from '@proviso/domain';
import type { LookPoint } from '@proviso/journal';
import { SUSPICION_E } from '@proviso/judge';
import { timeOf } from './person-ref.ts';
import type { LooksResource } from './look-shapes.ts';

/** A stretch of a canary's series; the thresholds are those of the pinned policy, so they hold for all of it. */
export function looksView({ policy }: PromotionState, points: readonly LookPoint[], limit: number): LooksResource {
  const rule = ruleOf(policy, 'canary');
  return {
    items: points.map(pointView),
    next: points.length < limit ? null : (points.at(-1)?.number ?? null),
    thresholds:
      rule === undefined
        ? null
        : { rollback: -Math.log(rule.alpha), advance: -Math.log(rule.beta), suspicion: Math.log(SUSPICION_E) },
  };
}

function pointView(point: LookPoint): LooksResource['items'][number] {
  const { number, at, weight, samples, evidence, errors, metrics, move, verdict, reason, words } = point;
  const [canary, stable] = [unitsOf(samples.canary), unitsOf(samples.stable)];
  const ofErrors = { metric: 'errors', against: errors, samples: { canary: canary.units, stable: stable.units } };
  const others = metrics.map((each) => ({ metric: each.metric, against: each.logEvidence, samples: each.samples }));
  return {
    ...{ number, at: timeOf(at), weight, samples: { canary, stable }, evidence },
    ...{ metrics: [ofErrors, ...others], move, verdict, reason, words },
  };
}

function unitsOf({ bad, ok }: LookPoint['samples']['canary']): { units: number; failed: number } {
  return { units: bad + ok, failed: bad };
}
