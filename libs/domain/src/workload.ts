import type { Digest, PersonId, PrototypeId } from './id.ts';
import { limitsOf, noRoom } from './limits.ts';
import type { Candidate } from './candidate.ts';
import { candidateOf } from './prototype.ts';
import { refusal } from './refusal.ts';
import { type Decided, Plan, type Scene } from './scene.ts';
import { type Exclusion, exclusionsOfEvidence } from './separation.ts';

/** More pipelines than one prototype has; each is a service with entries of its own. */
export const workloadsMax = 20;

/** Enough for every report of a pipeline; all are shown beside the candidate. */
export const evidencePerCandidateMax = 50;

/** A run of a pipeline is over by then, or asks again: nobody can take such a token home. */
export const workloadTokenMaxMs = 15 * 60_000;

/**
 * Which runs of a CI system may bring evidence for a prototype, or promote it. A rule never changes: another one is another service,
 * and whoever distrusts it ends its tokens in the same moment.
 */
export interface WorkloadRule {
  /** The service that such a run acts as; the operator who trusted it answers for it. */
  readonly service: PersonId;
  readonly issuer: string;
  readonly audience: string;
  readonly repository: string;
  /** A branch or tag in full; a star at the end stands for the rest. */
  readonly ref: string;
  /** The file of the pipeline, without the ref behind it. */
  readonly workflow?: string;
  /** Its runs may also freeze and promote their own commit; absent, they bring evidence and no more. */
  readonly promotes?: true;
}

/** What a verified token of a CI system says about the run that holds it. */
export interface WorkloadClaims {
  readonly issuer: string;
  readonly audience: string;
  readonly repository: string;
  readonly ref: string;
  readonly workflow: string | null;
}

/** A document that somebody outside brought for a candidate, with whoever brought it. */
export interface ExternalEvidence {
  readonly kind: string;
  readonly digest: Digest;
  readonly by: PersonId;
  /** Who lent them the token they came with. */
  readonly lentBy?: PersonId;
}

/** As a promotion is told of it; whoever is behind the document has no vote from then on. */
export interface EvidenceAdded {
  readonly kind: 'evidence_added';
  readonly v: 1;
  readonly evidence: ExternalEvidence;
  readonly exclusions: readonly Exclusion[];
}

/** What may be asked about machines that bring evidence, and about what they or people bring. */
export type WorkloadCommand =
  | { readonly kind: 'TrustWorkload'; readonly prototype: PrototypeId; readonly rule: WorkloadRule }
  | { readonly kind: 'DistrustWorkload'; readonly prototype: PrototypeId; readonly service: PersonId }
  | AddEvidence;

/** Brings a stored document for a candidate; the commit that it is about must be the candidate's own. */
export interface AddEvidence {
  readonly kind: 'AddEvidence';
  readonly prototype: PrototypeId;
  readonly candidate: Candidate['id'];
  readonly document: { readonly kind: string; readonly digest: Digest; readonly bytes: number };
  readonly commit: string;
}

/** A branch or tag, with at most one star at its end: what a pull request of a stranger runs on has another beginning. */
export const refPattern = /^refs\/(heads|tags)\/[A-Za-z0-9._/-]{0,180}\*?$/;

/** True when a run that these claims are about is one that the rule trusts. */
export function trusts(rule: WorkloadRule, claims: WorkloadClaims): boolean {
  return (
    rule.issuer === claims.issuer &&
    rule.audience === claims.audience &&
    rule.repository === claims.repository &&
    matchesRef(rule.ref, claims.ref) &&
    (rule.workflow === undefined || rule.workflow === claims.workflow)
  );
}

function matchesRef(pattern: string, ref: string): boolean {
  return pattern.endsWith('*') ? ref.startsWith(pattern.slice(0, -1)) : ref === pattern;
}

/** Decides a command about pipelines and what they bring. */
export function decideWorkload(scene: Scene, command: WorkloadCommand | AddEvidence): Decided {
  switch (command.kind) {
    case 'TrustWorkload':
      return trustWorkload(scene, command);
    case 'DistrustWorkload':
      return distrustWorkload(scene, command);
    case 'AddEvidence':
      return addEvidence(scene, command);
  }
}

/** Trusts a pipeline: its service comes into being with the one right to bring evidence for this prototype. */
function trustWorkload(scene: Scene, { prototype, rule }: Extract<WorkloadCommand, { kind: 'TrustWorkload' }>) {
  const plan = new Plan(scene);
  if (scene.prototype === null) return plan.refuse(refusal('not_found', 'expected a known prototype'));
  const known = scene.prototype.workloads ?? [];
  if (scene.person !== null || known.some((one) => sameRule(one, rule)))
    return plan.refuse(refusal('exists', 'this workload is trusted already'));
  if (known.length >= workloadsMax)
    return plan.refuse(refusal('too_many', `expected at most ${workloadsMax} workloads of one prototype`));
  const { actor, lentBy } = scene;
  const actsFor = lentBy ?? actor.actsFor ?? actor.id;
  plan.drafts.push(
    { stream: 'prototype', id: prototype, event: { kind: 'workload_trusted', v: 1, rule, by: actor.id } },
    {
      stream: 'person',
      id: rule.service,
      event: { kind: 'person_added', v: 1, person: rule.service, principal: 'service', actsFor },
    },
    {
      stream: 'person',
      id: rule.service,
      event: { kind: 'role_granted', v: 1, binding: { role: 'workload', prototype } },
    },
  );
  return plan.answer({ kind: 'done' });
}

/** Ends the trust, and with it every token that a run still holds. */
function distrustWorkload(
  scene: Scene,
  { prototype, service }: Extract<WorkloadCommand, { kind: 'DistrustWorkload' }>,
): Decided {
  const plan = new Plan(scene);
  const known = scene.prototype?.workloads?.some((rule) => rule.service === service) === true;
  if (!known || scene.person === null) return plan.refuse(refusal('not_found', 'expected a trusted workload'));
  const by = scene.actor.id;
  plan.drafts.push({ stream: 'prototype', id: prototype, event: { kind: 'workload_distrusted', v: 1, service, by } });
  if (!scene.person.disabled)
    plan.drafts.push({ stream: 'person', id: service, event: { kind: 'person_disabled', v: 1 } });
  return plan.answer({ kind: 'done' });
}

/**
 * Enters a document for a candidate, and for every open promotion of it. Whoever brought it, and the human behind them,
 * has no vote there from then on; where the vote is over it comes too late.
 */
function addEvidence(scene: Scene, { prototype, candidate: id, document, commit }: AddEvidence): Decided {
  const plan = new Plan(scene);
  const { actor, lentBy, token, rivals } = scene;
  if (scene.prototype === null) return plan.refuse(refusal('not_found', 'expected a known prototype'));
  const candidate = candidateOf(scene.prototype, id);
  if (candidate === undefined)
    return plan.refuse(refusal('candidate_unknown', 'expected a candidate of this prototype'));
  const about = candidate.provenance.commit;
  if (about === undefined || about !== commit || (token?.commit ?? commit) !== commit)
    return plan.refuse(
      refusal('commit_mismatch', 'expected evidence about the commit that the candidate was made from'),
    );
  const brought = candidate.evidence ?? [];
  if (brought.some((one) => one.digest === document.digest && one.kind === document.kind))
    return plan.answer({ kind: 'done' });
  if (brought.length >= evidencePerCandidateMax)
    return plan.refuse(refusal('too_many', `expected at most ${evidencePerCandidateMax} documents for one candidate`));
  const full = scene.usage && noRoom(limitsOf(scene.workspace), scene.usage, document.bytes);
  if (full !== null) return plan.refuse(full);
  const promotions = rivals.filter((one) => one.candidate.id === id);
  if (promotions.some((one) => one.gates.some(({ name, status }) => name === 'approval' && status === 'passed')))
    return plan.refuse(refusal('gate_closed', 'expected evidence before the approval, got it after'));
  const evidence: ExternalEvidence = {
    kind: document.kind,
    digest: document.digest,
    by: actor.id,
    ...(lentBy !== null && { lentBy }),
  };
  plan.drafts.push({
    stream: 'prototype',
    id: prototype,
    event: { kind: 'evidence_added', v: 1, candidate: id, evidence },
  });
  for (const promotion of promotions) {
    const exclusions = exclusionsOfEvidence(evidence, actor).filter(
      ({ person }) => !promotion.exclusions.some((known) => known.person === person),
    );
    plan.drafts.push({
      stream: 'promotion',
      id: promotion.id,
      event: { kind: 'evidence_added', v: 1, evidence, exclusions },
    });
  }
  return plan.answer({ kind: 'done' });
}

function sameRule(one: WorkloadRule, other: WorkloadRule): boolean {
  return (
    one.issuer === other.issuer &&
    one.audience === other.audience &&
    one.repository === other.repository &&
    one.ref === other.ref &&
    one.workflow === other.workflow &&
    one.promotes === other.promotes
  );
}
