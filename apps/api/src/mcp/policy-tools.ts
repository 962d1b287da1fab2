import { z } from 'zod';
import { bodies, ids } from '../forms.ts';
import { resources } from '../resources.ts';
import { paging } from './paging.ts';
import { closed, codeOf, few, fewOf, gateNamed, theirs, untrusted, untrustedOrNull } from './shown.ts';
import { type Tool, tool } from './tool.ts';

/** A gate's settings with all their requirements; a longer one is read from its source. */
const settingsLettersMax = 2_000;

type Policy = z.output<typeof resources.policy>;
type End = z.output<typeof resources.policyReplay>['changed'][number]['before'];

const policyShape = {
  id: closed.policy,
  name: theirs,
  version: z.int(),
  environment: z.enum(['staging', 'production']),
};
const endShape = z.strictObject({ admitted: z.boolean(), gate: closed.gate.nullable(), why: theirs.nullable() });

function policyShown({ id, name, version, environment }: Policy) {
  return { id, name: untrusted(name), version, environment: z.enum(['staging', 'production']).parse(environment) };
}

function endShown({ admitted, gate, why }: End): z.input<typeof endShape> {
  return { admitted, gate: gateNamed(gate), why: untrustedOrNull(why) };
}

/** Policies as they are, and what another one would have done. None of these publishes anything. */
export const policyTools: readonly Tool[] = [
  tool('list_policies', {
    ...{ route: 'listPolicies', effect: 'reads', title: 'List policies' },
    about: 'Policies with the version that promotions open with now.',
    input: z.strictObject(paging.input),
    ask: ({ after, limit }) => ({ query: { after, limit: String(limit) } }),
    answer: resources.policies,
    output: z.strictObject({ policies: z.array(z.strictObject(policyShape)), next: paging.next }),
    show: ({ items, next }) => ({ policies: items.map(policyShown), next }),
  }),
  tool('explain_policy', {
    ...{ route: 'readPolicy', effect: 'reads', title: 'Explain a policy' },
    about: 'The gates of a policy in order, each with its settings, and whether a weaker version waits for somebody.',
    input: z.strictObject({ policy: ids.policy }),
    ask: ({ policy }) => ({ id: policy }),
    answer: resources.policy,
    output: z.strictObject({
      ...{ ...policyShape, digest: closed.digest, until: closed.time.nullable() },
      gates: z.array(z.strictObject({ gate: closed.gate.nullable(), settings: theirs })),
      waits: z.boolean().describe('a weaker version waits for an administrator'),
    }),
    show: (policy) => ({
      ...{ ...policyShown(policy), digest: policy.digest, until: policy.until, waits: policy.waiting !== null },
      gates: policy.gates.map(({ gate, ...settings }) => {
        return { gate: gateNamed(String(gate)), settings: untrusted(JSON.stringify(settings), settingsLettersMax) };
      }),
    }),
  }),
  tool('simulate_policy', {
    ...{ route: 'replayPolicy', effect: 'reads', title: 'Simulate a policy' },
    about: 'Decides past promotions again under a draft and tells which would have ended otherwise. Changes nothing.',
    input: bodies.replayPolicy,
    ask: (body) => ({ body }),
    answer: resources.policyReplay,
    output: z.strictObject({
      looked: z.int(),
      whole: z.boolean(),
      changed: fewOf(z.strictObject({ promotion: closed.promotion, before: endShape, after: endShape })),
    }),
    show: ({ looked, whole, changed }) => ({
      ...{ looked, whole },
      changed: few(changed, ({ promotion, before, after }) => {
        return { promotion, before: endShown(before), after: endShown(after) };
      }),
    }),
  }),
  tool('test_policy', {
    ...{ route: 'tryPolicy', effect: 'reads', title: 'Test a policy' },
    about: 'Could this person approve this promotion if a draft were its policy? Changes nothing, and is no vote.',
    input: bodies.tryPolicy,
    ask: (body) => ({ body }),
    answer: resources.triedVote,
    output: z.strictObject({
      ...{
        allowed: z.boolean(),
        code: closed.code.nullable(),
        rule: closed.rule.nullable(),
        message: theirs.nullable(),
      },
      fills: z.array(z.strictObject({ from: closed.whose, count: z.int() })),
      ...{ met: z.boolean(), missing: theirs.nullable() },
    }),
    show: ({ allowed, code, rule, message, fills, met, missing }) => ({
      ...{ allowed, code: code === null ? null : codeOf(code), rule, message: untrustedOrNull(message), fills },
      ...{ met, missing: untrustedOrNull(missing) },
    }),
  }),
];
