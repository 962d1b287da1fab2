import type { Command } from './command.ts';
import type { Door } from './door.ts';
import type { PersonId } from './id.ts';
import type { GateName } from './policy.ts';
import { gateIn } from './promotion.ts';
import type { Decided } from './scene.ts';
import { ask, cast, type World, promotion, stateOf } from './world.contract.ts';
import type { Reason } from './verdict.ts';

/** Evidence behind every report of the small world. */
export const evidence = [{ kind: 'report', digest: `sha256:${'8'.repeat(64)}` }] as const;

/** The code of a no, or the kind of the answer. */
export function answerOf({ outcome }: Decided): string {
  return outcome.kind === 'refused' ? outcome.refusal.code : outcome.kind;
}

/** Opens the promotion of the small world. */
export function openIn(world: World): World {
  const { prototype, policy: policyId, candidates } = cast;
  ask(world, cast.builder, { kind: 'OpenPromotion', promotion, prototype, candidate: candidates[0], policyId });
  return world;
}

/** Claims a machine gate and reports a verdict on it, with the reasons that a no has. */
export function run(
  world: World,
  gate: Exclude<GateName, 'approval'>,
  verdict: 'pass' | 'fail' | 'inconclusive' = 'pass',
  reasons: readonly Reason[] = [],
): Decided {
  const { outcome } = ask(world, cast.worker, { kind: 'Claim', promotion, step: gate, claimant: gate });
  if (outcome.kind !== 'granted') throw new Error(`expected a grant, got ${JSON.stringify(outcome)}`);
  const { attempt, fence } = outcome;
  const told = { verdict, reasons, evidence, measure: null };
  return ask(world, cast.worker, { kind: 'Report', promotion, gate, attempt, fence, ...told });
}

/** A world whose promotion stands at its approval gate. */
export function toApproval(world: World): World {
  openIn(world);
  run(world, 'scan');
  run(world, 'staging');
  return world;
}

/** One vote on what is shown now. */
export function vote(
  world: World,
  who: PersonId,
  over: Partial<Extract<Command, { kind: 'Decide' }>> = {},
  door?: Door,
): Decided {
  const state = stateOf(world);
  const { evidenceDigest, attempt } = gateIn(state, 'approval');
  const command: Command = {
    ...{ kind: 'Decide', promotion, gate: 'approval', attempt, verdict: 'approve' },
    decision: `dec_${who.slice(-4)}${attempt}`,
    artifact: state.built ?? state.candidate.manifest.artifact,
    evidenceDigest: evidenceDigest ?? `sha256:${'0'.repeat(64)}`,
    ...over,
  };
  return ask(world, who, command, door);
}

/** A world whose canary was claimed after both approvals. */
export function toCanary(world: World): World {
  toApproval(world);
  for (const who of cast.security) vote(world, who);
  ask(world, cast.worker, { kind: 'Claim', promotion, step: 'canary', claimant: 'one' });
  return world;
}
