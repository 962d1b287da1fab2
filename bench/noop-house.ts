import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  builtinPrincipals,
  type Command,
  idFrom,
  type PersonId,
  type Policy,
  type PromotionId,
  type Step,
  type WorkspaceId,
} from '@proviso/domain';
import type { Journal } from '@proviso/journal';
import { Context } from '@temporalio/activity';
import { openClerk } from '../apps/worker/src/clerk.ts';
import { type Act, carry } from '../apps/worker/src/errand.ts';
import type { WorkerPorts } from '../apps/worker/src/ports.ts';

/** A log that says nothing, in every form that is asked for. */
export const quiet = {
  log: () => undefined,
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** The real clock. */
export const clock = {
  now: () => Date.now(),
  pause: async (durationMs: number, signal: AbortSignal) => await pause(durationMs, undefined, { signal }),
};

/** A workspace with its people and a policy with all gates, two approvals and six weight steps. */
export interface House {
  readonly workspace: WorkspaceId;
  readonly builder: PersonId;
  readonly approvers: readonly PersonId[];
  readonly policyId: `pol_${string}`;
  readonly ended: Map<string, () => void>;
}

const attemptsMax = 3;
const weights = [1, 2, 5, 10, 20, 50];

const policy: Policy = {
  name: 'bench',
  environment: 'production',
  evidenceAgeMaxMs: 30 * 86_400_000,
  gates: [
    { gate: 'readiness', attemptsMax },
    { gate: 'scan', attemptsMax },
    { gate: 'evaluation', attemptsMax, bar: 0.9, repeats: 1 },
    { gate: 'staging', attemptsMax },
    { gate: 'approval', requirements: [{ from: 'group/security', count: 2 }], expiresMs: 86_400_000 },
    {
      gate: 'canary',
      attemptsMax,
      weights,
      lookMs: 1_000,
      dwellMs: 0,
      deadlineMs: 60_000,
      alpha: 0.01,
      beta: 0.05,
      rateRatioMax: 2,
    },
  ],
};

/** Opens the workspace. */
export async function foundHouse(journal: Journal): Promise<House> {
  const workspace: WorkspaceId = idFrom('wsp', randomUUID());
  const [builder, ...approvers] = Array.from({ length: 3 }, () => idFrom('psn', randomUUID())) as [
    PersonId,
    ...PersonId[],
  ];
  const policyId = idFrom('pol', randomUUID());
  const house: House = { workspace, builder, approvers, policyId, ended: new Map() };
  const founder = builtinPrincipals.founder.id;
  await ask(journal, house, founder, { kind: 'OpenWorkspace', workspace, name: 'bench' });
  await ask(journal, house, founder, {
    kind: 'AddPerson',
    person: builder,
    principal: 'human',
    bindings: [{ role: 'builder' }, { role: 'policy-owner' }],
  });
  for (const person of approvers)
    await ask(journal, house, founder, {
      kind: 'AddPerson',
      person,
      principal: 'human',
      bindings: [{ role: 'approver', group: 'security' }],
    });
  await ask(journal, house, builder, {
    kind: 'PublishPolicy',
    policyId,
    policy,
    digest: digestOf(policyId),
    author: builder,
  });
  return house;
}

/** Prepares a promotion of a prototype of its own, to be begun when the clock runs. */
export async function openPromotion(journal: Journal, house: House) {
  const { builder, policyId } = house;
  const [prototype, id, candidate] = [
    idFrom('pro', randomUUID()),
    idFrom('prm', randomUUID()),
    idFrom('cnd', randomUUID()),
  ];
  const lanes = { staging: idFrom('lane', randomUUID()), production: idFrom('lane', randomUUID()) };
  await ask(journal, house, builder, {
    kind: 'RegisterPrototype',
    prototype,
    name: 'bench',
    owner: builder,
    lanes,
    hosts: { staging: 's', production: 'p' },
  });
  const provenance = { kind: 'upload', uploader: builder, authors: [] } as const;
  const content = {
    id: candidate,
    version: 'v1',
    manifestDigest: digestOf(candidate),
    manifest: { v: 1, artifact: digestOf(prototype), parts: {} },
    provenance,
  } as const;
  await ask(journal, house, builder, { kind: 'FreezeCandidate', prototype, candidate: content });
  const ended = new Promise<void>((resolve) => house.ended.set(id, resolve));
  const begin = () =>
    ask(journal, house, builder, { kind: 'OpenPromotion', promotion: id, prototype, candidate, policyId });
  return { id, begin, ended };
}

/** The product's own claim → act → report, with acts that do nothing but what they must tell the journal. */
export function noopActivities(journal: Journal, house: House) {
  const ports = { journal, clock, drawId: randomUUID, fault: () => undefined, log: quiet } as unknown as WorkerPorts;
  const turnOf = () => {
    const { workflowExecution, activityId, attempt } = Context.current().info;
    return {
      claimant: `${workflowExecution?.runId}/${activityId}/${attempt}`,
      signal: Context.current().cancellationSignal,
      beginnings: 0,
      begin: () => undefined,
    };
  };
  type Subject = { readonly workspace: WorkspaceId; readonly promotion: PromotionId };
  return {
    look: async (subject: Subject) => await openClerk(ports, subject, turnOf()).ask(),
    carry: async (asked: Subject & { readonly step: Step }) => {
      const onward = await carry(ports, asked, { turn: turnOf(), act: asked.step === 'canary' ? sixSteps : nothing });
      if (asked.step === 'staging') void vote(journal, house, asked.promotion);
      if (onward.kind === 'end') house.ended.get(asked.promotion)?.();
      return onward;
    },
  };
}

const nothing: Act = async ({ grant }) => ({
  kind: 'report',
  outcome: {
    verdict: 'pass',
    reasons: [],
    evidence: [{ kind: grant.step, digest: digestOf(grant.step) }],
    measure: null,
  },
});

const sixSteps: Act = async (errand) => {
  let laneFence = errand.grant.laneFence ?? 0;
  for (const percent of weights) {
    const { fence } = errand.grant;
    const command = {
      kind: 'Look',
      promotion: errand.state.id,
      fence,
      laneFence,
      fresh: true,
      verdict: { kind: 'advance', percent },
    } as const;
    const receipt = await errand.clerk.submit(command, errand.key(`look-${percent}`));
    if (receipt.kind === 'refused' || receipt.answer.kind !== 'steered') throw new Error('expected to be steered');
    laneFence = receipt.answer.laneFence;
  }
  return await nothing(errand);
};

async function vote(journal: Journal, house: House, promotion: PromotionId): Promise<void> {
  const view = await journal.reads(house.workspace).promotion(promotion);
  const gate = view?.state.gates.find((one) => one.name === 'approval');
  if (view === null || gate?.evidenceDigest == null) throw new Error('expected an open approval gate');
  const shown = { artifact: view.state.candidate.manifest.artifact, evidenceDigest: gate.evidenceDigest };
  for (const person of house.approvers) {
    const decision = idFrom('dec', randomUUID());
    await ask(journal, house, person, {
      kind: 'Decide',
      promotion,
      gate: 'approval',
      attempt: gate.attempt,
      decision,
      verdict: 'approve',
      ...shown,
    });
  }
}

async function ask(journal: Journal, house: House, actor: PersonId, command: Command): Promise<void> {
  const receipt = await journal.submit({
    workspace: house.workspace,
    actor,
    command,
    idempotencyKey: randomUUID(),
    authn: 'bench',
  });
  if (receipt.kind === 'refused')
    throw new Error(`expected ${command.kind} to be accepted, got ${receipt.refusal.code}`);
}

function digestOf(text: string): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
