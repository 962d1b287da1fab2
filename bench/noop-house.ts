import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { idFrom, type Policy, type PromotionId, type Step, type WorkspaceId } from '@proviso/domain';
import type { Journal } from '@proviso/journal';
import { Context } from '@temporalio/activity';
import { openClerk } from '../apps/worker/src/clerk.ts';
import { type Act, carry } from '../apps/worker/src/errand.ts';
import type { WorkerPorts } from '../apps/worker/src/ports.ts';
import {
  approvalOf,
  type BenchWorkspace,
  digestOf,
  foundWorkspace,
  preparedPromotion,
  submitted,
} from './bench-workspace.ts';

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

/** A workspace whose policy has all gates, two approvals and six weight steps, and who waits for the end of what. */
export interface House extends BenchWorkspace {
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
  return { ...(await foundWorkspace(journal, { approvers: 2, policy })), ended: new Map() };
}

/** Prepares a promotion of a prototype of its own, to be opened when the clock runs. */
export async function openPromotion(house: House) {
  const { id, open } = await preparedPromotion(house);
  const ended = new Promise<void>((resolve) => house.ended.set(id, resolve));
  return { id, open, ended };
}

/** The product's own claim → act → report, with acts that do nothing but what they must tell the journal. */
export function noopActivities(house: House) {
  const { journal } = house;
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
      if (asked.step === 'staging') void vote(house, asked.promotion);
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

async function vote(house: House, promotion: PromotionId): Promise<void> {
  const command = await approvalOf(house, promotion);
  for (const person of house.approvers) {
    await submitted(house, person, { ...command, decision: idFrom('dec', randomUUID()) });
  }
}
