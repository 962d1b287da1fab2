import { approvalRuleFrom, approvalShape } from './approval-document.ts';
import { demands } from './demand-document.ts';
import { environments } from './lane.ts';
import { type ChangeType, type GateRule, type Policy, type Tier, gateNames, policyProblem } from './policy.ts';
import { type ReadResult, type ShapeProblem, read } from './shape-reading.ts';
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

/** Reads a parsed YAML value to a policy, or tells every problem with its path. */
export function readPolicy(node: unknown): ReadResult<Policy> {
  const found = read(policyShape, node);
  if (!found.ok) return found;
  const problems = policySense(found.value);
  return problems.length === 0 ? { ok: true, value: policyFrom(found.value) } : { ok: false, problems };
}

/** From the words and units of the file to those of the product. */
export function policyFrom(document: PolicyDocument): Policy {
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
    gates: gates.map(ruleFrom),
    ...(freeze.length > 0 && { freeze }),
    ...(base !== undefined && { extends: base }),
    ...(baseline === true && { baseline }),
    ...(tiers !== undefined && { tiers: tiers satisfies Readonly<Record<string, Tier>> }),
    ...(types !== undefined && { changes: types }),
    ...(watch !== undefined && { watch: watchFrom(watch) }),
  };
}

/** What is wrong with a policy as a whole, at the field it is about; the YAML reader adds line and column. */
export function policySense(document: PolicyDocument): readonly ShapeProblem[] {
  const policy = policyFrom(document);
  const problem = policyProblem(policy);
  if (problem === null) return [];
  const { path, message } = problem;
  return [{ code: 'not_allowed', path, message, expected: 'a policy that makes sense as a whole', got: policy.name }];
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
