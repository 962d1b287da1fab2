import { createHash, randomUUID } from 'node:crypto';
import {
  artifactOf,
  builtinPrincipals,
  type Command,
  idFrom,
  limitBounds,
  type PersonId,
  type Policy,
  type PromotionId,
  type WorkspaceId,
} from '@proviso/domain';
import type { Journal } from '@proviso/journal';

/** A workspace with a builder, approvers of the group `security` and one policy. */
export interface BenchWorkspace {
  readonly journal: Journal;
  readonly workspace: WorkspaceId;
  readonly builder: PersonId;
  readonly approvers: readonly PersonId[];
  readonly policyId: `pol_${string}`;
}

/** Opens the workspace in the journal, with so many approvers and this policy. */
export async function foundWorkspace(
  journal: Journal,
  { approvers: count, policy }: { readonly approvers: number; readonly policy: Policy },
): Promise<BenchWorkspace> {
  const approvers = Array.from({ length: count }, () => idFrom('psn', randomUUID()));
  const [builder, policyId] = [idFrom('psn', randomUUID()), idFrom('pol', randomUUID())];
  const founded = { journal, workspace: idFrom('wsp', randomUUID()), builder, approvers, policyId };
  const founder = builtinPrincipals.founder.id;
  const add = async (person: PersonId, bindings: readonly Binding[]) =>
    await submitted(founded, founder, { kind: 'AddPerson', person, principal: 'human', bindings });
  await submitted(founded, founder, { kind: 'OpenWorkspace', workspace: founded.workspace, name: 'bench' });
  await add(builder, [{ role: 'builder' }, { role: 'policy-owner' }, { role: 'operator' }]);
  // What is measured is the way of one promotion, not the wait for a place.
  const limits = {
    prototypesMax: limitBounds.prototypesMax.max,
    runsAtOnceMax: limitBounds.runsAtOnceMax.max,
    buildsPerDayMax: limitBounds.buildsPerDayMax.max,
  };
  await submitted(founded, builder, { kind: 'SetLimits', workspace: founded.workspace, limits });
  for (const person of approvers) await add(person, [{ role: 'approver', group: 'security' }]);
  const digest = digestOf(policyId);
  await submitted(founded, builder, { kind: 'PublishPolicy', policyId, policy, digest, author: builder });
  return founded;
}

type Binding = Extract<Command, { kind: 'AddPerson' }>['bindings'][number];

/** Registers a prototype with a candidate of its own; `open` opens the promotion, so that a clock may start before it. */
export async function preparedPromotion(
  founded: BenchWorkspace,
): Promise<{ readonly id: PromotionId; readonly open: () => Promise<void> }> {
  const { builder, policyId } = founded;
  const [prototype, id, candidate] = [
    idFrom('pro', randomUUID()),
    idFrom('prm', randomUUID()),
    idFrom('cnd', randomUUID()),
  ];
  await submitted(founded, builder, {
    ...{ kind: 'RegisterPrototype', prototype, name: 'bench', owner: builder },
    lanes: { staging: idFrom('lane', randomUUID()), production: idFrom('lane', randomUUID()) },
    hosts: { staging: 's', production: 'p' },
  });
  await submitted(founded, builder, {
    ...{ kind: 'FreezeCandidate', prototype },
    candidate: {
      ...{ id: candidate, version: 'v1', manifestDigest: digestOf(candidate) },
      manifest: { v: 1, artifact: digestOf(prototype), parts: {} },
      provenance: { kind: 'upload', uploader: builder, authors: [] },
    },
  });
  const open = async () =>
    await submitted(founded, builder, { kind: 'OpenPromotion', promotion: id, prototype, candidate, policyId });
  return { id, open };
}

/** A vote at the approval, bound to what the gate shows; it is still to be cast. */
export async function approvalOf(
  { journal, workspace }: BenchWorkspace,
  promotion: PromotionId,
): Promise<Extract<Command, { kind: 'Decide' }>> {
  const view = await journal.reads(workspace).promotion(promotion);
  const gate = view?.state.gates.find(({ name }) => name === 'approval');
  if (view === null || gate?.evidenceDigest == null) throw new Error('expected an open approval gate');
  return {
    ...{ kind: 'Decide', promotion, gate: 'approval', attempt: gate.attempt, verdict: 'approve' },
    decision: idFrom('dec', randomUUID()),
    artifact: artifactOf(view.state),
    evidenceDigest: gate.evidenceDigest,
  };
}

/** Submits what must be accepted. */
export async function submitted(
  { journal, workspace }: BenchWorkspace,
  actor: PersonId,
  command: Command,
): Promise<void> {
  const receipt = await journal.submit({ workspace, actor, command, idempotencyKey: randomUUID(), authn: 'bench' });
  if (receipt.kind === 'refused')
    throw new Error(`expected ${command.kind} to be accepted, got ${receipt.refusal.code}`);
}

/** Of a text that stands for a document; a benchmark stores none. */
export function digestOf(text: string): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
