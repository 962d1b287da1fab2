import { randomUUID } from 'node:crypto';
import { builtinPrincipals } from '@proviso/domain';
import { type Deployment, atApproval } from './deployment.contract.ts';

type Command = Parameters<Deployment['parts']['journal']['submit']>[0]['command'];
type Look = { readonly number: number; readonly body: Readonly<Record<string, unknown>> };

/** What a judge's worker needs to be heard. */
export interface Claimed {
  readonly promotion: `prm_${string}`;
  readonly fence: number;
  readonly laneFence: number;
  readonly attempt: number;
}

/** A worker of a test's own: it claims canaries and looks at them, and what it sees is the test's. */
export interface CanaryStage {
  readonly say: (command: Command, look?: Look) => Promise<unknown>;
  readonly claim: (promotion: `prm_${string}`) => Promise<Claimed>;
  /** A promotion whose canary was claimed after both approvals. */
  readonly claimed: (name: string) => Promise<Claimed>;
  /** The same with its first users on it. */
  readonly canaryOf: (name: string) => Promise<Claimed>;
  /** A look that asks for a share, or for none. */
  readonly look: (canary: Claimed, percent: number | null, row?: Look) => Promise<unknown>;
  /** Tidies up after a way back. */
  readonly tidy: (promotion: `prm_${string}`) => Promise<void>;
}

/** A look as it is stored, as far as it is told. */
export function looked(number: number, over: Record<string, unknown> = {}): Look {
  const now = Date.now();
  const body = {
    ...{ v: 1, at: now, weight: 10, unitsSeen: 40 * number, move: 'hold', verdict: 'hold', reason: 'collecting' },
    words: 'there is not enough traffic yet to decide: new 1 of 40 failed',
    course: { idleLooks: 0, countedAt: now, weightSince: now - 60_000 },
    explanation: {
      logEvidence: { errors: -0.3 },
      metrics: [{ metric: 'latency', portion: 0.2, logEvidence: 0.4, samples: { canary: 40, stable: 360 } }],
      samples: { canary: { bad: 1, ok: 39 }, stable: { bad: 2, ok: 358 } },
      needed: { canaryUnits: 280, looks: 7 },
    },
    evidence: { against: -0.2, advance: 1.5, by: 'stable' },
    perMinute: 2,
    ...over,
  };
  return { number, body };
}

/** Opens one beside a deployment. */
export function openCanaryStage(here: Deployment): CanaryStage {
  const say = async (command: Command, look?: Look) => {
    const receipt = await here.parts.journal.submit({
      ...{ workspace: here.workspace, actor: builtinPrincipals.worker.id, command, authn: 'service/worker' },
      idempotencyKey: randomUUID(),
      ...(look !== undefined && 'promotion' in command && { look: { promotion: command.promotion, ...look } }),
    });
    if (receipt.kind === 'refused') throw new Error(`expected ${command.kind} to be accepted: ${receipt.refusal.code}`);
    return receipt.answer;
  };
  const claim = async (promotion: `prm_${string}`): Promise<Claimed> => {
    const granted = await say({ kind: 'Claim', promotion, step: 'canary', claimant: randomUUID() });
    if (granted.kind !== 'granted') throw new Error(`expected a grant, got ${JSON.stringify(granted)}`);
    const { fence, laneFence, attempt } = granted;
    return { promotion, fence, laneFence: laneFence ?? 0, attempt };
  };
  const claimed = async (name: string) => {
    const { promotion, decisions, digests } = await atApproval(here, name);
    for (const actor of ['sam', 'kim'] as const)
      await here.post(actor, decisions, { verdict: 'approve', ...digests, reason: 'looked at it' });
    return await claim(promotion);
  };
  const look = async ({ promotion, fence, laneFence }: Claimed, percent: number | null, row = looked(1)) => {
    const verdict = percent === null ? ({ kind: 'hold' } as const) : ({ kind: 'advance', percent } as const);
    return await say({ kind: 'Look', promotion, fence, laneFence, fresh: true, verdict }, row);
  };
  const canaryOf = async (name: string) => {
    const canary = await claimed(name);
    const steered = await look(canary, 10);
    if (steered.kind !== 'steered') throw new Error(`expected a share, got ${steered.kind}`);
    return { ...canary, laneFence: steered.laneFence };
  };
  const tidy = async (promotion: `prm_${string}`) => {
    const undo = await say({ kind: 'Claim', promotion, step: 'undo', claimant: randomUUID() });
    if (undo.kind !== 'granted') throw new Error(`expected a grant, got ${undo.kind}`);
    await say({ kind: 'Undone', promotion, fence: undo.fence });
  };
  return { say, claim, claimed, canaryOf, look, tidy };
}
