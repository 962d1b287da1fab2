import { promotionRels } from '@proviso/authority';
import { gateStatuses, outcomes, paceKinds, verdicts } from '@proviso/domain';
import { z } from 'zod';
import { ids } from '../forms.ts';
import { type PromotionResource, resources } from '../resources.ts';
import { paging } from './paging.ts';
import { closed, codeOf, few, fewOf, gateId, gateNamed, theirs, untrusted, untrustedOrNull, whosIn } from './shown.ts';
import { type Tool, tool } from './tool.ts';

const reasonShape = z.strictObject({
  code: closed.code,
  message: theirs,
  file: theirs.nullable(),
  line: z.int().nullable(),
});

const briefShape = {
  id: closed.promotion,
  prototype: closed.prototype,
  version: theirs,
  state: closed.state,
  headline: theirs,
  openedAt: closed.time,
  endedAt: closed.time.nullable(),
};

const agentsRels = ['rerun', 'comment', 'pause', 'rollback'] as const;

/** What an agent could do about a promotion by a tool; whatever else people may do there is not offered to it. */
const offered: ReadonlySet<string> = new Set(agentsRels);

/** A promotion as tools show it. */
export const promotionShape = z.strictObject({
  ...briefShape,
  candidate: closed.candidate,
  policy: z.strictObject({ id: closed.policy, version: z.int(), name: theirs }),
  at: closed.gate.nullable().describe('the gate it is at'),
  outcome: z.enum(outcomes).nullable(),
  blockers: fewOf(reasonShape),
  gates: z.array(
    z.strictObject({
      ...{ id: closed.gateId, name: closed.gate, status: z.enum(gateStatuses), attempt: z.int() },
      ...{ verdict: z.enum(verdicts).nullable(), missing: theirs.nullable(), expiresAt: closed.time.nullable() },
    }),
  ),
  canary: z.strictObject({ weight: z.int(), pace: z.enum(paceKinds) }),
  held: z.boolean().describe('the lane takes no new version until a person resumes it'),
  actions: z
    .array(
      z.strictObject({
        ...{ rel: z.enum(agentsRels), allowed: z.boolean() },
        ...{ code: closed.code.nullable(), whoCan: z.array(closed.whose) },
      }),
    )
    .describe('what you could do about it now'),
  revision: z.int(),
});

/** Where a promotion stands. */
export function promotionShown(view: PromotionResource): z.input<typeof promotionShape> {
  const { policy, canary, actions } = view;
  return {
    ...briefOf(view),
    candidate: view.candidate.id,
    policy: { id: policy.id, version: policy.version, name: untrusted(policy.name) },
    at: gateNamed(view.at),
    outcome: view.outcome,
    blockers: few(view.blockers, reasonShown),
    gates: view.gates.map(({ id, name, status, attempt, verdict, missing, expiresAt }) => {
      return { id, name, status, attempt, verdict, missing: untrustedOrNull(missing), expiresAt };
    }),
    canary: { weight: canary.weight, pace: canary.pace },
    held: view.lane?.held ?? false,
    actions: actions
      .filter(({ rel }) => offered.has(rel))
      .map(({ rel, allowed, code, whoCan }) => {
        const known = rel as (typeof agentsRels)[number];
        return { rel: known, allowed, code: code === null ? null : codeOf(code), whoCan: whosIn(whoCan) };
      }),
    revision: view.revision,
  };
}

function briefOf({ id, prototype, candidate, state, headline, openedAt, endedAt }: PromotionResource) {
  return {
    ...{ id, prototype, version: untrusted(candidate.version), state, headline: untrusted(headline) },
    ...{ openedAt, endedAt },
  };
}

function reasonShown({ code, message, file, line }: PromotionResource['blockers'][number]) {
  return { code: codeOf(code), message: untrusted(message), file: untrustedOrNull(file), line: line ?? null };
}

/** What can be read of promotions. */
export const promotionTools: readonly Tool[] = [
  tool('list_promotions', {
    ...{ route: 'listPromotions', effect: 'reads', title: 'List promotions' },
    about: 'Promotions, newest first, each with its state and headline. `next` is the cursor of the following page.',
    input: z.strictObject({ prototype: ids.prototype.optional(), open: z.boolean().optional(), ...paging.input }),
    ask: ({ prototype, open, after, limit }) => ({
      query: { prototype, open: open === undefined ? undefined : String(open), after, limit: String(limit) },
    }),
    answer: resources.promotions,
    output: z.strictObject({ promotions: z.array(z.strictObject(briefShape)), next: paging.next }),
    show: ({ items, next }) => ({ promotions: items.map(briefOf), next }),
  }),
  tool('promotion_status', {
    ...{ route: 'readPromotion', effect: 'reads', title: 'Where a promotion stands' },
    about: 'State, what blocks it, its gates with their ids, the canary, and which of your actions are allowed now.',
    input: z.strictObject({ promotion: ids.promotion }),
    ask: ({ promotion }) => ({ id: promotion }),
    answer: resources.promotion,
    output: promotionShape,
    show: promotionShown,
  }),
  tool('gate_evidence', {
    ...{ route: 'readGate', effect: 'reads', title: 'Evidence of a gate' },
    about: 'A summary of one gate: verdict, reasons, measure, evidence by digest, and whose approvals are missing.',
    input: z.strictObject({ gate: gateId }),
    ask: ({ gate }) => ({ id: gate }),
    answer: resources.gate,
    output: z.strictObject({
      ...{ id: closed.gateId, promotion: closed.promotion, name: closed.gate, status: z.enum(gateStatuses) },
      ...{ attempt: z.int(), since: closed.time, verdict: z.enum(verdicts).nullable(), reasons: fewOf(reasonShape) },
      measure: z.strictObject({ n: z.number(), k: z.number(), lower: z.number(), upper: z.number() }).nullable(),
      evidence: fewOf(z.strictObject({ kind: theirs, digest: closed.digest })),
      requirements: z.array(z.strictObject({ from: closed.whose, count: z.int(), have: z.int() })),
      missing: theirs.nullable(),
      decisions: z.int().describe('how many votes count as they were given'),
    }),
    show: ({ id, promotion, name, status, attempt, since, verdict, reasons, measure, ...rest }) => ({
      ...{ id, promotion, name, status, attempt, since, verdict, reasons: few(reasons, reasonShown) },
      measure: measure === null ? null : { n: measure.n, k: measure.k, lower: measure.lower, upper: measure.upper },
      evidence: few(rest.evidence, ({ kind, digest }) => ({ kind: untrusted(kind), digest })),
      requirements: rest.requirements,
      missing: untrustedOrNull(rest.missing),
      decisions: rest.decisions.filter(({ voided }) => voided === null).length,
    }),
  }),
  tool('explain_action', {
    ...{ route: 'explainAction', effect: 'reads', title: 'Why somebody may or may not' },
    about: 'Every rule that is asked before somebody may do something to a promotion, and the one that decides.',
    input: z.strictObject({
      promotion: ids.promotion,
      action: z.enum(promotionRels),
      person: ids.person.optional().describe('whose rights; without it your own'),
    }),
    ask: ({ promotion, action, person }) => ({ id: promotion, query: { action, person } }),
    answer: resources.explanation,
    output: z.strictObject({
      ...{ promotion: closed.promotion, person: closed.person, action: z.enum(promotionRels), allowed: z.boolean() },
      ...{ code: closed.code.nullable(), decidedBy: closed.rule, whoCan: z.array(closed.whose) },
      rules: z.array(z.strictObject({ rule: closed.rule, answer: z.enum(['yes', 'no']), words: theirs })),
    }),
    show: ({ promotion, person, action, allowed, code, decidedBy, whoCan, rules }) => ({
      ...{ promotion, person: person.id, action: z.enum(promotionRels).parse(action), allowed },
      ...{ code: code === null ? null : codeOf(code), decidedBy, whoCan: whosIn(whoCan) },
      rules: rules.map(({ rule, answer, words }) => ({ rule, answer, words: untrusted(words) })),
    }),
  }),
];
