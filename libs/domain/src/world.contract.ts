import type { Calendar } from './freeze.ts';
import type { Command } from './command.ts';
import type { Door } from './door.ts';
import { decide } from './decide.ts';
import type { PersonId, PromotionId } from './id.ts';
import type { LaneState } from './lane.ts';
import type { PersonState } from './person.ts';
import type { Policy } from './policy.ts';
import type { PolicyState } from './policy-publication.ts';
import type { PromotionState } from './promotion.ts';
import type { PrototypeState } from './prototype.ts';
import type { Authority, Decided, Draft, Scene } from './scene.ts';
import { reachOf } from './reach.ts';
import { separate } from './separation.ts';
import { evolve, type StreamState } from './stream.ts';

/** A journal without a database: the states of a small world, every draft ever accepted, and a clock. For tests. */
export interface World {
  readonly states: Map<string, StreamState>;
  readonly drafts: { readonly draft: Draft; readonly at: number }[];
  now: number;
}

const hex = (letter: string) => letter.repeat(32);
const digest = (letter: string) => `sha256:${letter.repeat(64)}` as const;

/** Everybody and everything in the small world. */
export const cast = {
  builder: `psn_${hex('a')}`,
  security: [`psn_${hex('b')}`, `psn_${hex('c')}`],
  operator: `psn_${hex('d')}`,
  agent: `psn_${hex('e')}`,
  worker: `psn_${hex('f')}`,
  prototype: `pro_${hex('1')}`,
  policy: `pol_${hex('2')}`,
  lanes: { staging: `lane_${hex('3')}`, production: `lane_${hex('4')}` },
  candidates: [`cnd_${hex('5')}`, `cnd_${hex('6')}`],
} as const;

/** The policy of the small world: one machine gate, two groups of people, a canary. */
export const smallPolicy: Policy = {
  name: 'small',
  environment: 'production',
  evidenceAgeMaxMs: 1_000_000,
  gates: [
    { gate: 'scan', attemptsMax: 2 },
    { gate: 'staging', attemptsMax: 2 },
    {
      gate: 'approval',
      requirements: [
        { from: 'group/security', count: 1 },
        { from: 'role/operator', count: 1 },
      ],
      expiresMs: 500_000,
    },
    {
      gate: 'canary',
      attemptsMax: 2,
      weights: [10, 50],
      lookMs: 1_000,
      dwellMs: 0,
      deadlineMs: 60_000,
      alpha: 0.01,
      beta: 0.05,
      rateRatioMax: 2,
    },
  ],
};

/**
 * The same with a build in front, so that what stands on a build can be seen to fall with it: one long wait between two
 * gates makes the evidence of the first too old and not that of the second.
 */
export const buildPolicy: Policy = {
  ...smallPolicy,
  evidenceAgeMaxMs: 550_000,
  gates: [{ gate: 'build', attemptsMax: 2 }, ...smallPolicy.gates],
};

/** A world with people, a published policy, a prototype and two candidates. */
export function newWorld(policy: Policy = smallPolicy): World {
  const world: World = { states: new Map(), drafts: [], now: 1_000_000 };
  const add = (
    person: PersonId,
    bindings: PersonState['bindings'],
    principal: PersonState['kind'] = 'human',
    actsFor?: PersonId,
  ) =>
    ask(world, cast.worker, {
      kind: 'AddPerson',
      person,
      principal,
      bindings,
      ...(actsFor === undefined ? {} : { actsFor }),
    });
  add(cast.builder, [{ role: 'builder' }, { role: 'approver', group: 'security' }, { role: 'operator' }]);
  for (const person of cast.security) add(person, [{ role: 'approver', group: 'security' }, { role: 'operator' }]);
  add(cast.operator, [{ role: 'operator' }]);
  add(cast.agent, [{ role: 'approver', group: 'security' }], 'agent', cast.operator);
  ask(world, cast.security[1], {
    kind: 'PublishPolicy',
    policyId: cast.policy,
    policy,
    digest: digest('7'),
    author: cast.agent,
  });
  ask(world, cast.builder, {
    kind: 'RegisterPrototype',
    prototype: cast.prototype,
    name: 'desk',
    owner: cast.builder,
    lanes: cast.lanes,
    hosts: { staging: 'desk.staging.localhost', production: 'desk.localhost' },
  });
  for (const [index, id] of cast.candidates.entries()) {
    const manifest = { v: 1, artifact: digest(String(index)), parts: {} } as const;
    const provenance = { kind: 'upload', uploader: cast.builder, authors: [] } as const;
    ask(world, cast.builder, {
      kind: 'FreezeCandidate',
      prototype: cast.prototype,
      candidate: { id, version: `v${index + 1}`, manifestDigest: digest(String(index + 2)), manifest, provenance },
    });
  }
  return world;
}

/** A copy that can be changed without the original noticing: states and drafts are immutable. */
export function copyOf(world: World): World {
  return { states: new Map(world.states), drafts: [...world.drafts], now: world.now };
}

const atRest: Door = { channel: 'rest', freshAt: null };

/** Decides a command in the world and applies what came of it. */
export function ask(world: World, actor: PersonId, command: Command, door: Door = atRest): Decided {
  const decided = decide(sceneFor(world, actor, command, door), command);
  for (const draft of decided.drafts) {
    const key = `${draft.stream}/${draft.id}`;
    world.states.set(key, evolve(world.states.get(key) ?? null, draft, world.now));
    world.drafts.push({ draft, at: world.now });
  }
  return decided;
}

/** Folds every draft from nothing: must give the very states that were stored on the way. */
export function foldAgain(world: World): Map<string, StreamState> {
  const states = new Map<string, StreamState>();
  for (const { draft, at } of world.drafts) {
    const key = `${draft.stream}/${draft.id}`;
    states.set(key, evolve(states.get(key) ?? null, draft, at));
  }
  return states;
}

/** The first promotion of the world. */
export const promotion = `prm_${'0'.repeat(32)}` as const;

/** That promotion as it is now. */
export function stateOf(world: World): PromotionState {
  const state = promotionsOf(world).find((one) => one.id === promotion);
  if (state === undefined) throw new Error('expected the promotion');
  return state;
}

/** All promotions, oldest first. */
export function promotionsOf(world: World): readonly PromotionState[] {
  return [...world.states].filter(([key]) => key.startsWith('promotion/')).map(([, state]) => state as PromotionState);
}

/** The lane that users see. */
export function productionOf(world: World): LaneState {
  return world.states.get(`lane/${cast.lanes.production}`) as LaneState;
}

/** The authority of the small world, written apart from the product's: rights from bindings, then separation. */
const plainAuthority: Authority = {
  counts: (voter, requirement, promotion) =>
    separate(voter, promotion.exclusions) === null &&
    voter.bindings.some(
      (binding) =>
        binding.from === undefined &&
        (requirement.from === `role/${binding.role}` || requirement.from === `group/${binding.group ?? ''}`),
    ),
};

/** Windows of the small world are plain numbers: from when until when. */
const plainCalendar: Calendar = {
  freezeAt: (windows, now) => {
    const on = windows.find(({ from, until }) => Number(from) <= now && now < Number(until));
    return on === undefined ? null : { until: Number(on.until), why: on.why };
  },
  windowProblem: ({ from }) => (Number.isNaN(Number(from)) ? 'expected a number' : null),
};
/** What the small world keeps: everything that was ever frozen or built, until it is let go. */
function keptIn(world: World, artifact: string): Scene['artifact'] {
  const told = world.drafts.flatMap(({ draft: { event } }) => {
    if (event.kind === 'candidate_frozen' && event.candidate.manifest.artifact === artifact)
      return [{ bytes: event.candidate.sizeBytes ?? 0, removed: false }];
    if (event.kind === 'artifact_built' && event.artifact === artifact)
      return [{ bytes: event.bytes ?? 0, removed: false }];
    return event.kind === 'artifact_removed' && event.artifact === artifact ? [{ bytes: 0, removed: true }] : [];
  });
  return told.at(-1) ?? null;
}

/** What the journal would load for this command. */
export function sceneFor(world: World, actor: PersonId, command: Command, door: Door = atRest): Scene {
  const state = <State>(key: string) => (world.states.get(key) ?? null) as State | null;
  const people = Object.fromEntries(
    [...world.states]
      .filter(([key]) => key.startsWith('person/'))
      .map(([, one]) => [(one as PersonState).id, one as PersonState]),
  );
  const promotion: PromotionId | null = 'promotion' in command ? command.promotion : null;
  const unknown: PersonState = { id: actor, kind: 'service', disabled: false, bindings: [], tokens: [] };
  return {
    now: world.now,
    actor: people[actor] ?? unknown,
    lentBy: null,
    door,
    token: null,
    says: true,
    authority: plainAuthority,
    calendar: plainCalendar,
    digestOf: (text) =>
      `sha256:${[...text]
        .reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7)
        .toString(16)
        .padStart(64, '0')}`,
    promotion: state(`promotion/${promotion ?? ''}`),
    rivals: promotionsOf(world).filter((one) => one.outcome === null && one.id !== promotion),
    lanes: { staging: state(`lane/${cast.lanes.staging}`), production: state(`lane/${cast.lanes.production}`) },
    prototype: state<PrototypeState>(`prototype/${cast.prototype}`),
    policy: state<PolicyState>(`policy/${'policyId' in command ? command.policyId : cast.policy}`),
    policies: [...world.states].flatMap(([key, one]) => (key.startsWith('policy/') ? [one as PolicyState] : [])),
    person: state(`person/${reachOf(command).person ?? ''}`),
    holder: null,
    workspace: null,
    usage: null,
    authors: {},
    artifact: command.kind === 'RemoveArtifact' ? keptIn(world, command.artifact) : null,
    people,
  };
}
