import type { Rule, RuleLook } from './rule.ts';

/** Both judge the share of good answers of the canary alone, once a minute. */
const CHECK_SECONDS = 60;

/**
 * Argo Rollouts as in its documentation: 20, 40, 60 and 80 % for ten minutes each, and a background analysis of the
 * success rate; more failed measurements than `failureLimit` abort. Its example measures every five minutes against
 * 95 %; here every minute against the contract's objective, which favours it.
 * Source: argo-rollouts.readthedocs.io, "Analysis & Progressive Delivery" and "Canary".
 */
export function argoStyleRule(failureLimit: number, objective: number): Rule {
  const steps = [0.2, 0.4, 0.6, 0.8];
  const stepSeconds = 600;
  return {
    name: `Argo-style, failureLimit ${failureLimit}`,
    lookSeconds: 60,
    start: () => {
      let failed = 0;
      return {
        share: steps[0] ?? 0,
        look: (look) => {
          if (!passes(look, objective)) failed += 1;
          if (failed > failureLimit) return 'rollback';
          const share = steps[Math.floor(look.at / stepSeconds)];
          return share === undefined ? 'promote' : { share };
        },
      };
    },
  };
}

/**
 * Flagger as in its documentation: 5 % more each minute up to 50 %, a failed check holds the weight, and as many failed
 * checks as `threshold` roll back. Its example asks for 99 % of good answers, which is also the objective here.
 * Source: docs.flagger.app, "Canary release" and "How it works".
 */
export function flaggerStyleRule(threshold: number, objective: number): Rule {
  const [step, max] = [0.05, 0.5];
  return {
    name: `Flagger-style, threshold ${threshold}`,
    lookSeconds: CHECK_SECONDS,
    start: () => {
      let failed = 0;
      return {
        share: step,
        look: (look) => {
          if (!passes(look, objective)) {
            failed += 1;
            return failed >= threshold ? 'rollback' : { share: look.share };
          }
          return look.share >= max - 1e-9 ? 'promote' : { share: look.share + step };
        },
      };
    },
  };
}

function passes({ canary }: RuleLook, objective: number): boolean {
  return canary.requests === 0 || canary.badEvents / canary.requests <= objective;
}
