import { approvalRuleFrom, approvalShape } from './approval-document.ts';
import { environments } from './lane.ts';
import { type GateRule, type Policy, policyProblem } from './policy.ts';
import { type ReadResult, type ShapeProblem, read } from './shape-reading.ts';
import { toJsonSchema } from './shape-schema.ts';
import { type Of, about, choice, duration, group, integer, list, number, oneOf, preset, text } from './shape.ts';

const attempts = {
  attemptsMax: preset(about(integer({ min: 1, max: 10 }), 'breakages after which the gate is inconclusive'), 3),
};

const gateShape = oneOf('gate', {
  readiness: group({}, attempts),
  build: group({}, attempts),
  scan: group({}, attempts),
  evaluation: group(
    // A bar of 0 asks nothing, and no number of answers shows one of 1: the judge refuses both.
    { bar: about(number({ min: 0, max: 1, exclusive: true }), 'the lower bound of the pass rate must reach this') },
    { ...attempts, repeats: preset(integer({ min: 1, max: 20 }), 3) },
  ),
  staging: group({}, attempts),
  approval: approvalShape,
  canary: group(
    { weights: about(list(integer({ min: 1, max: 100 }), { min: 1, max: 10 }), 'percent of users, growing') },
    {
      ...attempts,
      look: preset(about(duration({ minMs: 200, maxMs: 60_000 }), 'how often the judge looks'), '10s'),
      dwell: preset(about(duration({ minMs: 0, maxMs: 86_400_000 }), 'how long each weight lasts at least'), '30s'),
      deadline: preset(about(duration({ minMs: 1_000, maxMs: 7 * 86_400_000 }), 'after this a person is asked'), '24h'),
      alpha: preset(number({ min: 0.0001, max: 0.2 }), 0.01),
      beta: preset(number({ min: 0.0001, max: 0.2 }), 0.05),
      rateRatioMax: preset(number({ min: 1.1, max: 20 }), 2),
    },
  ),
});

const wallTime = text({
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$',
  meaning: 'a local time such as 2026-12-19T18:00',
});

const freezeWindow = group(
  {
    zone: about(text({ min: 1, max: 60 }), 'the time zone of both times, such as Europe/Berlin'),
    from: about(wallTime, 'when it begins, by the clock on the wall'),
    until: about(wallTime, 'when it ends; at most 92 days later'),
    why: about(text({ min: 1, max: 200 }), 'what people are told who wait'),
  },
  { every: about(text({ min: 1, max: 200 }), 'how it comes again: a rule of RFC 5545 such as FREQ=WEEKLY;BYDAY=FR') },
);

/** The shape of a policy file. */
export const policyShape = group(
  {
    policy: about(
      text({
        min: 2,
        max: 63,
        pattern: '^[a-z][a-z0-9]*(-[a-z0-9]+)*$',
        meaning: 'lower-case words joined by hyphens',
      }),
      'its name',
    ),
    gates: about(list(gateShape, { min: 1, max: 7 }), 'in the order in which they are met'),
  },
  {
    environment: preset(choice(environments), 'production'),
    evidenceAgeMax: preset(
      about(duration({ minMs: 60_000 }), 'older evidence is gathered again before production'),
      '30d',
    ),
    freeze: preset(about(list(freezeWindow, { max: 50 }), 'when nothing new goes to users'), []),
  },
);

/** A policy as written, before units and names are those of the product. */
export type PolicyDocument = Of<typeof policyShape>;

/** Reads a parsed YAML value to a policy, or tells every problem with its path. */
export function readPolicy(node: unknown): ReadResult<Policy> {
  const found = read(policyShape, node);
  if (!found.ok) return found;
  const policy = policyFrom(found.value);
  const problem = policyProblem(policy);
  if (problem === null) return { ok: true, value: policy };
  const told: ShapeProblem = {
    code: 'not_allowed',
    path: ['gates'],
    message: problem,
    expected: 'a policy that makes sense as a whole',
    got: policy.name,
  };
  return { ok: false, problems: [told] };
}

/** From the words and units of the file to those of the product. */
export function policyFrom({ policy: name, environment, evidenceAgeMax, gates, freeze }: PolicyDocument): Policy {
  return {
    name,
    environment,
    evidenceAgeMaxMs: evidenceAgeMax,
    gates: gates.map(ruleFrom),
    ...(freeze.length > 0 && { freeze }),
  };
}

/** The JSON Schema of a policy file, for editors. */
export function policySchema(): Record<string, unknown> {
  return toJsonSchema(policyShape, 'policy');
}

function ruleFrom(document: PolicyDocument['gates'][number]): GateRule {
  switch (document.gate) {
    case 'approval':
      return { ...approvalRuleFrom(document), gate: 'approval' };
    case 'canary': {
      const { look, dwell, deadline, ...rest } = document;
      return { ...rest, lookMs: look, dwellMs: dwell, deadlineMs: deadline };
    }
    case 'evaluation':
    case 'readiness':
    case 'build':
    case 'scan':
    case 'staging':
      return document;
  }
}
