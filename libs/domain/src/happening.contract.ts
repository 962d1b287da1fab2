import fc from 'fast-check';
import type { Command } from './command.ts';
import type { PersonId } from './id.ts';
import { currentGate } from './next.ts';
import { paceOf } from './pace.ts';
import type { Policy } from './policy.ts';
import { artifactOf, gateIn, type PromotionState } from './promotion.ts';
import { buildPolicy, cast, productionOf, promotionsOf, type World } from './world.contract.ts';

/** Has no role: whatever she may is somebody else's right. */
export const dana = `psn_${'d'.repeat(31)}a` as const;
export const people = [cast.builder, ...cast.security, cast.operator, cast.agent, dana] as const;

/** What may happen, in words; numbers choose among what exists, and sometimes among what is stale. */
export const happening = fc.oneof(
  // What a healthy system would do next; without it few stories come as far as production.
  { weight: 60, arbitrary: fc.record({ do: fc.constant('go' as const), who: fc.nat(15) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('open' as const), candidate: fc.nat(1) }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('claim' as const), claimant: fc.nat(2), wrong: fc.boolean() }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      verdict: fc.constantFrom('pass', 'pass', 'pass', 'fail', 'inconclusive' as const),
      stale: fc.nat(6),
      // What a build makes of the same files: once in a while something else, and now and then a report that is none.
      artifact: fc.constantFrom('a', 'a', 'b' as const),
      odd: fc.nat(20),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('break' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('vote' as const),
      who: fc.nat(5),
      verdict: fc.constantFrom('approve', 'approve', 'approve', 'reject', 'request_changes' as const),
      stale: fc.nat(9),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('look' as const),
      verdict: fc.constantFrom('hold', 'advance', 'advance', 'condemn' as const),
      stale: fc.nat(6),
      // Null is what the policy says; a judge that is wrong or lies may ask for anything.
      percent: fc.constantFrom(null, null, null, 10, 50, 11, 100),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('seen' as const),
      incarnations: fc.constantFrom(-1, 0, 0, 1, 3, 1_001, Number.MAX_SAFE_INTEGER - 9),
      changes: fc.constantFrom(-1, 0, 1, 4, 1_000_001, Number.MAX_SAFE_INTEGER - 99),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('cancel', 'rollback', 'rollback', 'rerun', 'undone', 'hold', 'resume' as const),
    }),
  },
  // Anybody at any time, also after the end.
  { weight: 2, arbitrary: fc.record({ do: fc.constant('comment' as const), who: fc.nat(5) }) },
  // Mostly let go again: what stays paused never comes to its end. At a canary `go` steers, too.
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('pause', 'unpause', 'unpause', 'advance' as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('ask_waiver', 'approve_waiver', 'ask_glass', 'approve_glass', 'defer' as const),
      who: fc.nat(4),
      days: fc.constantFrom(0.001, 1, 3),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('approve_waiver', 'approve_glass' as const),
      who: fc.nat(4),
      days: fc.constant(1),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('delegate', 'delegate', 'delegate', 'end_delegation', 'review' as const),
      who: fc.constantFrom(1, 2, 3),
      to: fc.constantFrom(1, 3, 5, 5, 5),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('role' as const), who: fc.nat(4), grant: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(10, 10_000, 600_000) }) },
  // Only between a build and the gate after it, so that the build is done again while that gate's evidence is still fresh.
  { weight: 4, arbitrary: fc.record({ do: fc.constant('age' as const) }) },
);
export type Happening = typeof happening extends fc.Arbitrary<infer One> ? One : never;

/** Every exception that a policy can allow. */
export const exceptionalPolicy: Policy = {
  ...buildPolicy,
  gates: buildPolicy.gates.map((rule) =>
    rule.gate === 'approval'
      ? ({
          ...rule,
          ...{ escalate: 'group/leads', onRefresh: 'keep' as const, breakGlass: { from: 'group/security' } },
          waivers: { from: 'role/operator', daysMax: 7 },
        } as const)
      : rule,
  ),
};

const digest = (letter: string) => `sha256:${letter.repeat(64)}` as const;

export function commandFor(world: World, one: Happening, serial: number): { actor: PersonId; command: Command } | null {
  const state = promotionsOf(world).at(-1);
  if (one.do === 'open') {
    const promotion = `prm_${serial.toString(16).padStart(32, '0')}` as const;
    return {
      actor: cast.builder,
      command: {
        kind: 'OpenPromotion',
        promotion,
        prototype: cast.prototype,
        candidate: cast.candidates[one.candidate] ?? cast.candidates[0],
        policyId: cast.policy,
      },
    };
  }
  if (one.do === 'role') {
    const binding = { role: 'approver', group: 'security' } as const;
    return {
      actor: cast.operator,
      command: { kind: one.grant ? 'GrantRole' : 'RevokeRole', person: people[one.who] ?? cast.builder, binding },
    };
  }
  if (state === undefined || one.do === 'wait' || one.do === 'age') return null;
  const exception = one.do === 'go' ? rightException(state, one.who) : null;
  if (exception !== null) return exceptionFor(state, exception, { now: world.now, serial });
  if (isException(one)) return exceptionFor(state, one, { now: world.now, serial });
  return onPromotion(world, state, one.do === 'go' ? rightThing(state, one.who) : one, serial);
}

type Exception = Extract<Happening, { who: number } & ({ days: number } | { to: number })>;

function isException(one: Happening): one is Exception {
  return 'days' in one || 'to' in one;
}

/** What people would do about a gate that stands in the way, or an emergency that was asked for. */
function rightException(state: PromotionState, who: number): Exception | null {
  const gate = currentGate(state);
  const { glass, waivers = [] } = state;
  if (glass?.brokenAt === null && glass.endedAt === null) return { do: 'approve_glass', who, days: 1 };
  if (gate?.status === 'waiting' && who === 15) return { do: 'ask_glass', who: 0, days: 1 };
  if (gate === null || !['failed', 'inconclusive'].includes(gate.status) || gate.name === 'build') return null;
  const asked = waivers.some(
    ({ gate: name, attempt, approvedBy }) => name === gate.name && attempt === gate.attempt && approvedBy === null,
  );
  return { do: asked ? 'approve_waiver' : 'ask_waiver', who: asked ? 1 : 0, days: 0.001 };
}

/** Whoever the authority would not let through is not tried here: these rules are on this side of it. */
function mayAgree(state: PromotionState): readonly PersonId[] {
  const excluded = new Set(state.exclusions.map(({ person }) => person));
  return people.filter((person) => person !== cast.agent && person !== dana && !excluded.has(person));
}

function exceptionFor(
  state: PromotionState,
  one: Exception,
  { now, serial }: { readonly now: number; readonly serial: number },
): ReturnType<typeof commandFor> {
  const { id: promotion } = state;
  const asker = people[one.who] ?? cast.builder;
  const agreeing = mayAgree(state);
  const agreer = agreeing[one.who % agreeing.length] ?? cast.operator;
  const gate = currentGate(state) ?? gateIn(state, 'canary');
  const until = now + ('days' in one ? one.days : 1) * 86_400_000;
  switch (one.do) {
    case 'ask_waiver': {
      const waiver = `wvr_${serial.toString(16).padStart(32, '0')}` as const;
      const about = { gate: gate.name, attempt: gate.attempt, finding: null, owner: cast.operator, until };
      return { actor: asker, command: { kind: 'AskWaiver', promotion, waiver, ...about } };
    }
    case 'approve_waiver': {
      const waiver = state.waivers?.at(-1)?.id ?? `wvr_${'0'.repeat(32)}`;
      return { actor: agreer, command: { kind: 'ApproveWaiver', promotion, waiver } };
    }
    case 'ask_glass':
      return { actor: asker, command: { kind: 'AskBreakGlass', promotion, minutes: 60 } };
    case 'approve_glass':
      return { actor: agreer, command: { kind: 'ApproveBreakGlass', promotion, artifact: artifactOf(state) } };
    case 'defer':
      return {
        actor: agreer,
        command: { kind: 'Defer', promotion, gate: gate.name, attempt: gate.attempt, until: now + 1_000 },
      };
    case 'review':
      return { actor: agreer, command: { kind: 'ReviewBreakGlass', promotion } };
    case 'delegate':
      return {
        actor: asker,
        command: { kind: 'Delegate', person: people[one.to] ?? cast.operator, until: now + 60_000 },
      };
    case 'end_delegation':
      return { actor: asker, command: { kind: 'EndDelegation', person: people[one.to] ?? cast.operator } };
  }
}

type OnPromotion = Exclude<Happening, Exception | { do: 'open' | 'role' | 'wait' | 'age' | 'go' }>;

function rightThing(state: PromotionState, draw: number): OnPromotion {
  const who = draw % 2;
  const gate = currentGate(state);
  if (state.undo !== null) return who === 0 ? { do: 'claim', claimant: 0, wrong: false } : { do: 'undone' };
  if (gate?.name === 'approval') return { do: 'vote', who: draw === 14 ? 5 : who + 1, verdict: 'approve', stale: 1 };
  if (gate?.status !== 'claimed') return { do: 'claim', claimant: 0, wrong: false };
  if (gate.name === 'canary' && draw === 13) return { do: 'rollback' };
  if (gate.name === 'canary' && state.weight > 0) {
    if (paceOf(state) === 'paused' && draw % 4 === 0) return { do: 'unpause' };
    if (paceOf(state) === 'paused') return { do: 'look', verdict: 'condemn', stale: 1, percent: null };
    if (draw > 8) return { do: who === 0 ? 'pause' : 'advance' };
  }
  if (gate.name === 'canary' && state.weight < 50) return { do: 'look', verdict: 'advance', stale: 1, percent: null };
  return { do: 'report', verdict: 'pass', stale: 1, artifact: who === 0 ? 'a' : 'b', odd: 1 };
}

function onPromotion(
  world: World,
  state: PromotionState,
  one: OnPromotion,
  serial: number,
): ReturnType<typeof commandFor> {
  const promotion = state.id;
  const gate = currentGate(state) ?? gateIn(state, 'canary');
  const worker = (command: Command) => ({ actor: cast.worker, command });
  const fence = 'stale' in one && one.stale === 0 ? state.fence - 1 : state.fence;
  switch (one.do) {
    case 'claim': {
      const step = state.undo !== null ? 'undo' : gate.name === 'approval' || one.wrong ? 'canary' : gate.name;
      return worker({ kind: 'Claim', promotion, step, claimant: `worker ${one.claimant}` });
    }
    case 'report':
      return worker(reportFor(state, one, fence));
    case 'break':
      return worker({
        kind: 'Breakage',
        promotion,
        gate: gate.name === 'approval' ? 'scan' : gate.name,
        attempt: gate.attempt,
        fence,
        code: 'tool_crashed',
      });
    case 'vote':
      return vote(state, one, serial);
    case 'look': {
      const lane = productionOf(world);
      const verdict =
        one.verdict === 'condemn'
          ? ({ kind: 'condemn', snapshot: digest('8'), reasons: [] } as const)
          : one.verdict === 'advance'
            ? ({ kind: 'advance', percent: one.percent ?? (lane.weight < 10 ? 10 : 50) } as const)
            : ({ kind: 'hold' } as const);
      return worker({ kind: 'Look', promotion, fence, laneFence: lane.fence.counter, fresh: true, verdict });
    }
    case 'seen': {
      const lane = productionOf(world);
      const { incarnation, counter } = lane.fence;
      const seen = { incarnation: incarnation + one.incarnations, counter: counter + one.changes };
      return worker({ kind: 'RaiseIncarnation', lane: lane.id, seen, edge: cast.worker });
    }
    case 'undone':
      return worker({ kind: 'Undone', promotion, fence });
    case 'pause':
      return { actor: cast.builder, command: { kind: 'Pause', promotion } };
    case 'unpause':
      return { actor: cast.operator, command: { kind: 'Unpause', promotion } };
    case 'advance':
      return { actor: cast.operator, command: { kind: 'Advance', promotion } };
    case 'comment':
      return { actor: people[one.who] ?? cast.builder, command: { kind: 'Comment', promotion } };
    case 'rerun':
      return { actor: cast.builder, command: { kind: 'Rerun', promotion, gate: gate.name } };
    case 'cancel':
    case 'rollback':
      return { actor: cast.operator, command: { kind: one.do === 'cancel' ? 'Cancel' : 'Rollback', promotion } };
    case 'hold':
    case 'resume':
      return {
        actor: cast.operator,
        command: { kind: one.do === 'hold' ? 'HoldLane' : 'ResumeLane', lane: cast.lanes.production },
      };
  }
}

function reportFor(state: PromotionState, one: Extract<OnPromotion, { do: 'report' }>, fence: number): Command {
  const gate = currentGate(state) ?? gateIn(state, 'canary');
  const builds = gate.name === 'build' && one.verdict === 'pass';
  return {
    kind: 'Report',
    promotion: state.id,
    gate: gate.name,
    attempt: gate.attempt,
    fence,
    verdict: one.verdict,
    reasons: [],
    evidence: [{ kind: gate.name, digest: digest('8') }],
    measure: null,
    ...(builds !== (one.odd === 0) && { artifact: digest(one.artifact) }),
  };
}

function vote(
  state: PromotionState,
  one: Extract<OnPromotion, { do: 'vote' }>,
  serial: number,
): ReturnType<typeof commandFor> {
  const gate = gateIn(state, 'approval');
  const shown = {
    artifact: artifactOf(state),
    evidenceDigest: one.stale === 0 ? digest('9') : (gate.evidenceDigest ?? digest('9')),
  };
  const decision = `dec_${serial.toString(16).padStart(32, '0')}` as const;
  const about = { promotion: state.id, gate: 'approval', attempt: gate.attempt, decision } as const;
  const actor = people[one.who] ?? cast.builder;
  return { actor, command: { kind: 'Decide', ...about, verdict: one.verdict, ...shown } };
}
