import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { leavesOf } from './demand.ts';
import { isUnderWay } from './gate.ts';
import type { LaneState } from './lane.ts';
import { currentGate } from './next.ts';
import { paceOf } from './pace.ts';
import type { Draft } from './scene.ts';
import { commandFor, dana, exceptionalPolicy, happening, type Happening } from './happening.contract.ts';
import { artifactOf, gateIn, type PromotionState } from './promotion.ts';
import {
  ask,
  cast,
  copyOf,
  foldAgain,
  newWorld,
  productionOf,
  promotionsOf,
  smallPolicy,
  type World,
} from './world.contract.ts';

/** Sequences of the property; the issue asks for 1e5. */
const sequences = 100_000;

/** I2, from the events alone: who approved, counted by trying every assignment, with nobody excluded among them. */
function quorumByBruteForce(state: PromotionState, world: World): boolean {
  const gate = gateIn(state, 'approval');
  if (gate.verdict === 'waived') return byGlass(state);
  const approvers = gate.decisions.filter((decision) => decision.voided === null && decision.verdict === 'approve');
  const excluded = new Set(state.exclusions.map((exclusion) => exclusion.person));
  const holders = approvers.map(({ person, rightOf }) => rightOf ?? person);
  if (new Set(holders).size !== holders.length || holders.some((one) => excluded.has(one) || one === cast.agent))
    return false;
  const humans = approvers.filter((decision) => !excluded.has(decision.person) && decision.person !== cast.agent);
  const can = (decision: (typeof humans)[number], from: string) =>
    decision.bindingsAt.some((binding) => from === `role/${binding.role}` || from === `group/${binding.group ?? ''}`);
  if (new Set(humans.map((decision) => decision.person)).size !== humans.length) return false;
  const [first, second] = smallPolicy.gates.flatMap((rule) =>
    rule.gate === 'approval' ? leavesOf(rule.requirements) : [],
  );
  return (
    humans.some(
      (a) => can(a, first?.from ?? '') && humans.some((b) => b.person !== a.person && can(b, second?.from ?? '')),
    ) && world.states.size > 0
  );
}

/** One emergency instead: two humans who neither asked nor had a part in it, for these files, within the hour. */
function byGlass({ glass, exclusions, productionAt, ...state }: PromotionState): boolean {
  if (glass?.brokenAt == null || glass.usedAt !== productionAt || glass.artifact !== artifactOf(state)) return false;
  const out = new Set([glass.askedBy, cast.agent, ...exclusions.map(({ person }) => person)]);
  const two = new Set(glass.approvedBy.filter((person) => !out.has(person)));
  return two.size >= 2 && (glass.usedAt ?? 0) - glass.askedAt < 3_600_000;
}

/** A waiver that ended under the canary leaves its gate open; then the lane must not go on. */
function isWaiverOver({ waivers = [], productionAt }: PromotionState, gate: string): boolean {
  return waivers.some((one) => one.gate === gate && one.endedAt !== null && one.endedAt >= (productionAt ?? 0));
}

/** I3, from the events alone: since the last build that made something else, every gate has passed anew. */
function standsOnBuilt(world: World, state: PromotionState): boolean {
  let built: string = state.candidate.manifest.artifact;
  const passedFor = new Map<string, string>();
  for (const { draft } of world.drafts) {
    if (draft.stream !== 'promotion' || draft.id !== state.id) continue;
    const { event } = draft;
    if (event.kind === 'artifact_built') built = event.artifact;
    if (event.kind === 'gate_reported' || event.kind === 'quorum_reached') passedFor.set(event.gate, built);
    if (event.kind === 'glass_broken') passedFor.set('approval', built);
    if (event.kind === 'gate_reopened') passedFor.delete(event.gate);
  }
  const approvals = gateIn(state, 'approval').decisions.filter((decision) => decision.voided === null);
  return (
    built === artifactOf(state) &&
    approvals.every((decision) => decision.artifact === built) &&
    state.gates.filter(({ name }) => name !== 'canary').every(({ name }) => passedFor.get(name) === built)
  );
}

/** What must only grow, as it was before a command. */
interface Before {
  readonly lane: LaneState;
  readonly fences: ReadonlyMap<string, number>;
  /** Promotions whose canary a person keeps at its share. */
  readonly paused: ReadonlySet<string>;
}

function beforeOf(world: World): Before {
  const states = promotionsOf(world);
  return {
    lane: productionOf(world),
    fences: new Map(states.map((state) => [state.id, state.fence])),
    paused: new Set(states.filter((state) => paceOf(state) === 'paused').map(({ id }) => id)),
  };
}

/** Nothing goes up against a person's word, whoever asks; and everything that goes down does. */
function checkPause(state: PromotionState, lane: LaneState, before: Before): void {
  if (!before.paused.has(state.id)) return;
  if (lane.owner === state.id && lane.weight > before.lane.weight) throw new Error('a share grew that was paused');
  if (state.outcome === 'live') throw new Error('a paused canary went live');
  if (state.undo !== null && lane.owner === state.id && lane.weight > 0)
    throw new Error('a pause was in the way of a rollback');
}

/** What somebody says moves nothing: one entry, and every state but the count of comments is what it was. */
function checkComment(
  world: World,
  { states, told }: { readonly states: World['states']; readonly told: number },
): void {
  const [entry, ...more] = world.drafts.slice(told).map(({ draft }) => draft);
  if (entry?.event.kind !== 'commented' || more.length > 0) throw new Error('a comment told something else');
  for (const [key, state] of world.states) {
    const before = states.get(key);
    if (state === before) continue;
    const [was, is] = [before, state].map((one) => ({ ...(one as PromotionState), comments: 0, revision: 0 }));
    if (key !== `promotion/${entry.id}` || !isDeepStrictEqual(was, is)) throw new Error('a comment moved something');
  }
}

/** The lane's fence grows by steps that run out of no numbers, and a share grows only to the policy's next one. */
function checkLane(lane: LaneState, before: LaneState): void {
  const incarnations = lane.fence.incarnation - before.fence.incarnation;
  const changes = lane.fence.counter - before.fence.counter;
  if (incarnations < 0 || changes < 0) throw new Error('I4: a fence of the lane shrank');
  if (incarnations > 1_001 || changes > 1_000_001) throw new Error('I4: a fence of the lane was pushed');
  if (incarnations > 0 && changes === 0) throw new Error('I4: a raised fence has an old counter');
  const due = before.weight === 0 ? 10 : 50;
  if (lane.weight > before.weight && lane.weight !== due) throw new Error('a share that the policy did not ask for');
}

function check(world: World, before: Before): void {
  const lane = productionOf(world);
  checkLane(lane, before.lane);
  for (const state of promotionsOf(world)) {
    const production = gateIn(state, 'canary');
    if (production.status === 'claimed' || state.productionAt !== null) {
      const earlier = state.gates.slice(0, state.gates.indexOf(production));
      const open = earlier.filter((gate) => gate.status !== 'passed');
      if (open.some(({ name }) => !isWaiverOver(state, name)))
        throw new Error('I2: production was claimed before every gate had passed');
      if (open.length > 0 && lane.owner === state.id && lane.weight > before.lane.weight)
        throw new Error('I2: a share grew though a waiver had ended');
      if (!standsOnBuilt(world, state)) throw new Error('I3: production was claimed for what the gates did not see');
      const placed = lane.canary?.promotion === state.id ? lane.canary : null;
      if (placed !== null && placed.artifact !== artifactOf(state)) throw new Error('I3: another artifact was placed');
      if (!quorumByBruteForce(state, world))
        throw new Error('I2: production was claimed without enough eligible people');
    }
    checkPause(state, lane, before);
    if (state.fence < (before.fences.get(state.id) ?? 0)) throw new Error('I4: a fence shrank');
    if (state.outcome !== null && state.weight !== 0 && state.weight !== 100)
      throw new Error('I5: an ended promotion has a weight between');
    if ((state.outcome !== null || state.undo !== null) && state.gates.some((gate) => isUnderWay(gate.status)))
      throw new Error('a gate is under way on a promotion that has ended or goes back');
    if (state.outcome !== null && lane.owner === state.id) throw new Error('I5: an ended promotion owns the lane');
  }
  if (lane.weight > 0 && lane.weight < 100 && lane.owner === null)
    throw new Error('I5: a share between 0 and 100 that nobody answers for');
  if (lane.canary !== null && lane.canary.promotion !== lane.owner && lane.weight > 0)
    throw new Error('I5: users are sent to a canary that nobody owns');
}

/** I4: each attempt of a machine gate is concluded at most once, told from the events. */
function checkAppliedOnce(world: World): void {
  const seen = new Set<string>();
  for (const { draft } of world.drafts) {
    if (draft.stream !== 'promotion' || draft.event.kind !== 'gate_reported') continue;
    const key = `${draft.id} ${draft.event.gate} ${draft.event.attempt}`;
    if (seen.has(key)) throw new Error(`I4: ${key} was reported twice`);
    seen.add(key);
  }
}

function passingMs(world: World, one: Happening): number {
  if (one.do === 'wait') return one.ms;
  const state = one.do === 'age' ? promotionsOf(world).at(-1) : undefined;
  return state !== undefined && currentGate(state)?.name === 'scan' ? 600_000 : 1;
}

function isOvertaken(draft: Draft): boolean {
  return draft.stream === 'promotion' && draft.event.kind === 'gate_reopened' && draft.event.why === 'other_artifact';
}

/** True when a judge condemned what a person had paused. */
function isKept({ drafts }: World): boolean {
  const paused = drafts.findIndex(({ draft }) => draft.event.kind === 'canary_paused');
  const condemned = drafts.findLastIndex(({ draft }) => draft.event.kind === 'canary_condemned');
  return paused !== -1 && condemned > paused;
}

describe('whatever is asked, in whichever order', () => {
  it('never breaks I2, I3, I4 or I5, and folding the events gives the stored states', () => {
    const start = newWorld(exceptionalPolicy);
    ask(start, cast.worker, { kind: 'AddPerson', person: dana, principal: 'human', bindings: [] });
    const reached = {
      ...{ claimed: 0, live: 0, rolledBack: 0, raised: 0, rebuilt: 0 },
      ...{ waived: 0, broken: 0, lent: 0, kept: 0, hastened: 0, commented: 0 },
    };
    fc.assert(
      fc.property(fc.array(happening, { minLength: 4, maxLength: 40 }), (story) => {
        const world = copyOf(start);
        ask(world, cast.builder, {
          kind: 'OpenPromotion',
          promotion: `prm_${'0'.repeat(32)}`,
          prototype: cast.prototype,
          candidate: cast.candidates[0],
          policyId: cast.policy,
        });
        for (const [index, one] of story.entries()) {
          const before = beforeOf(world);
          world.now += passingMs(world, one);
          const asked = commandFor(world, one, index + 1);
          const was = { states: new Map(world.states), told: world.drafts.length };
          if (asked !== null) ask(world, asked.actor, asked.command, { channel: 'page', freshAt: world.now });
          if (asked?.command.kind === 'Comment') checkComment(world, was);
          check(world, before);
        }
        checkAppliedOnce(world);
        reached.rebuilt += world.drafts.some(({ draft }) => isOvertaken(draft)) ? 1 : 0;
        reached.kept += isKept(world) ? 1 : 0;
        reached.hastened += world.drafts.some(({ draft }) => draft.event.kind === 'canary_hastened') ? 1 : 0;
        reached.raised += productionOf(world).fence.incarnation > 1 ? 1 : 0;
        if (JSON.stringify([...foldAgain(world)]) !== JSON.stringify([...world.states]))
          throw new Error('folding the events gives another state');
        // The journal remembers states as they were folded, not as they come back from the database.
        if (!isDeepStrictEqual(JSON.parse(JSON.stringify([...world.states])), [...world.states]))
          throw new Error('storing a state gives another state');
        for (const state of promotionsOf(world)) {
          reached.commented += state.comments === undefined || state.outcome === null ? 0 : 1;
          reached.claimed += state.productionAt === null ? 0 : 1;
          reached.waived += state.waivers?.some(({ approvedBy }) => approvedBy !== null) ? 1 : 0;
          reached.broken += state.glass?.usedAt == null ? 0 : 1;
          reached.lent += gateIn(state, 'approval').decisions.some(({ rightOf }) => rightOf !== undefined) ? 1 : 0;
          reached.live += state.outcome === 'live' ? 1 : 0;
          reached.rolledBack += state.outcome === 'rolled_back' ? 1 : 0;
        }
      }),
      { numRuns: sequences },
    );
    // A property that never reaches these would prove nothing. The least frequent is met about 110 times in a run, so that
    // chance alone never brings it below the floor.
    for (const [what, times] of Object.entries(reached)) expect([what, times > 50]).toEqual([what, true]);
  }, 300_000);
});
