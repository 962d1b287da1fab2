import { type PlanRamp, type Policy, policyFrom, policySense, policyShape } from '@proviso/domain';
import { planRamp } from '@proviso/judge';
import { type YamlResult, readYaml } from './yaml.ts';

/** Until everybody is back on stable: the edge asks for orders at least once a second, and a commit takes part of one. */
const rollbackSeconds = 2;

/** Reads a policy's YAML, or tells every mistake with its line and column. Weights are planned here, once. */
export function readPolicyFile(source: string | Uint8Array): YamlResult<Policy> {
  const found = readYaml(source, policyShape, (document) => policySense(document, planWeights));
  return found.ok ? { ok: true, value: policyFrom(found.value, planWeights) } : found;
}

/** The ramp of canary.md for a budget, without its last 100: a release that is proven settles from where it is. */
const planWeights: PlanRamp = ({ budget, hold }, lookMs) => {
  const { badRequests: badRequestsMax, requestsPerSecond, badShare } = budget;
  // The first look under a share counts from where it began, and finds an outage.
  const lookSeconds = lookMs / 1_000;
  const plan = planRamp({ badRequestsMax, requestsPerSecond, badShare, lookSeconds, rollbackSeconds }, hold);
  return { ...plan, weights: plan.weights.filter((weight) => weight < 100) };
};
