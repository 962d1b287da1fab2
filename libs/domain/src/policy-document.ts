import { approvalRuleFrom, approvalShape } from './approval-document.ts';
import { type PlanRamp, canaryRuleFrom, canaryShape, rampProblem } from './canary-document.ts';
import { demands } from './demand-document.ts';
import { environments } from './lane.ts';
import {
  type ChangeType,
  type GateRule,
  type Policy,
  type PolicyProblem,
  type Tier,
  gateNames,
  policyProblem,
} from './policy.ts';
import type { ShapeProblem } from './shape-reading.ts';
import { toJsonSchema } from './shape-schema.ts';
import {
  type Of,
  about,
  choice,
  duration,
  flag,
  group,
  integer,
  list,
  number,
  oneOf,
  preset,
  record,
  text,
} from './shape.ts';
import { watchFrom, watchShape } from './watch-document.ts';

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
  canary: canaryShape,
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

const policyName = text({
  min: 2,
  max: 63,
  pattern: '^[a-z][a-z0-9]*(-[a-z0-9]+)*$',
  meaning: 'lower-case words joined by hyphens',
});

const gateList = list(choice(gateNames), { min: 1, max: gateNames.length });

const tier = group(
  {},
  {
    gates: about(gateList, 'the gates of this policy that a prototype of this tier must pass; else all'),
    requirements: about(demands, 'who must approve instead'),
  },
);

const changes = group({}, {
  code: about(gateList, 'the gates that must run again when the code changed'),
  model: about(gateList, 'when the model changed'),
  prompt: about(gateList, 'when prompts changed'),
  flag: about(gateList, 'when the configuration changed'),
  data: about(gateList, 'when the schema of the data changed'),
} satisfies Record<ChangeType, unknown>);

/** The shape of a policy file. */
export const policyShape = group(
  {
    policy: about(policyName, 'its name'),
    gates: about(list(gateShape, { min: 1, max: 7 }), 'in the order in which they are met'),
  },
  {
    environment: preset(choice(environments), 'production'),
    evidenceAgeMax: preset(
      about(duration({ minMs: 60_000 }), 'older evidence is gathered again before production'),
      '30d',
    ),
    freeze: preset(about(list(freezeWindow, { max: 50 }), 'when nothing new goes to users'), []),
    extends: about(policyName, 'the policy that this one must be at least as strong as'),
    baseline: about(flag(), 'whether every policy of the workspace must be at least as strong as this one'),
    tiers: about(
      record(tier, { keyPattern: '^[a-z][a-z0-9-]{0,62}$', max: 10 }),
      'what differs for a prototype of a tier',
    ),
    changes: about(changes, 'which gates must run again for what changed since the live version; else all'),
    watch: about(watchShape, 'what is looked at while a release is live, and what is done about it'),
  },
);

/** A policy as written, before units and names are those of the product. */
export type PolicyDocument = Of<typeof policyShape>;

/** From the words and units of the file to those of the product. */
export function policyFrom(document: PolicyDocument, planRamp: PlanRamp): Policy {
  const {
    policy: name,
    environment,
    evidenceAgeMax,
    gates,
    extends: base,
    baseline,
    tiers,
    changes: types,
    freeze,
    watch,
  } = document;
  return {
    name,
    environment,
    evidenceAgeMaxMs: evidenceAgeMax,
    gates: gates.map((gate) => ruleFrom(gate, planRamp)),
    ...(freeze.length > 0 && { freeze }),
    ...(base !== undefined && { extends: base }),
    ...(baseline === true && { baseline }),
    ...(tiers !== undefined && { tiers: tiers satisfies Readonly<Record<string, Tier>> }),
    ...(types !== undefined && { changes: types }),
    ...(watch !== undefined && { watch: watchFrom(watch) }),
  };
}

/** What is wrong with a policy as a whole, at the field it is about; the YAML reader adds line and column. */
export function policySense(document: PolicyDocument, planRamp: PlanRamp): readonly ShapeProblem[] {
  const problem = plannedProblem(document, planRamp) ?? policyProblem(policyFrom(document, planRamp));
  if (problem === null) return [];
  const { path, message } = problem;
  const expected = 'a policy that makes sense as a whole';
  return [{ code: 'not_allowed', path, message, expected, got: document.policy }];
}

function plannedProblem({ gates }: PolicyDocument, planRamp: PlanRamp): PolicyProblem | null {
  for (const [index, gate] of gates.entries()) {
    const problem = gate.gate === 'canary' ? rampProblem(gate, planRamp) : null;
    if (problem !== null) return { path: ['gates', index, ...problem.path], message: problem.message };
  }
  return null;
}

/** The JSON Schema of a policy file, for editors. */
export function policySchema(): Record<string, unknown> {
  return toJsonSchema(policyShape, 'policy');
}

function ruleFrom(document: PolicyDocument['gates'][number], planRamp: PlanRamp): GateRule {
  switch (document.gate) {
    case 'approval':
      return { ...approvalRuleFrom(document), gate: 'approval' };
    case 'canary':
      return { ...canaryRuleFrom(document, planRamp), gate: 'canary' };
    case 'evaluation':
    case 'readiness':
    case 'build':
    case 'scan':
    case 'staging':
      return document;
  }
}
