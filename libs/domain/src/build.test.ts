import type { Report } from './command.ts';
import type { Digest } from './id.ts';
import { currentGate } from './next.ts';
import { artifactOf, type PromotionState } from './promotion.ts';
import { ask, buildPolicy, cast, newWorld, productionOf, promotionsOf, type World } from './world.contract.ts';

const promotion = `prm_${'0'.repeat(32)}` as const;
const evidence = [{ kind: 'report', digest: `sha256:${'8'.repeat(64)}` }] as const;
const [first, other] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`] as const;

function opened(): World {
  const world = newWorld(buildPolicy);
  const about = { prototype: cast.prototype, candidate: cast.candidates[0], policyId: cast.policy };
  ask(world, cast.builder, { kind: 'OpenPromotion', promotion, ...about });
  return world;
}

function stateOf(world: World): PromotionState {
  const [state] = promotionsOf(world);
  if (state === undefined) throw new Error('expected the promotion');
  return state;
}

function report(world: World, gate: Report['gate'], more: Partial<Report> = {}) {
  const claim = { kind: 'Claim', promotion, step: gate as 'scan', claimant: `${gate} ${world.now}` } as const;
  const { outcome } = ask(world, cast.worker, claim);
  if (outcome.kind !== 'granted') throw new Error(`expected a grant, got ${JSON.stringify(outcome)}`);
  const { attempt, fence } = outcome;
  const told = { promotion, gate, attempt, fence, verdict: 'pass', reasons: [], evidence, measure: null } as const;
  return ask(world, cast.worker, { kind: 'Report', ...told, ...more }).outcome;
}

function vote(world: World, artifact: Digest) {
  for (const person of cast.security) {
    const gate = stateOf(world).gates.find(({ name }) => name === 'approval');
    if (gate?.evidenceDigest == null) throw new Error('expected an open approval gate');
    const { attempt, evidenceDigest } = gate;
    const decision = `dec_${person.slice(-4)}${attempt}` as const;
    const shown = { artifact, evidenceDigest };
    const about = { promotion, gate: 'approval', attempt, decision, verdict: 'approve' } as const;
    ask(world, person, { kind: 'Decide', ...about, ...shown });
  }
}

const claimCanary = (world: World) =>
  ask(world, cast.worker, { kind: 'Claim', promotion, step: 'canary', claimant: `canary ${world.now}` }).outcome;

/** Built, and a while later looked at and approved: the evidence of the build is then older than all other. */
function approved(): World {
  const world = opened();
  report(world, 'build', { artifact: first });
  world.now += buildPolicy.evidenceAgeMaxMs - 10;
  for (const gate of ['scan', 'staging'] as const) report(world, gate);
  vote(world, first);
  return world;
}

test('what was built is what people vote on and what the lane gets; the sources stay known', () => {
  const world = approved();
  const source = stateOf(world).candidate.manifest.artifact;
  expect(artifactOf(stateOf(world))).toBe(first);
  expect(claimCanary(world)).toMatchObject({ kind: 'granted' });
  expect(productionOf(world).canary).toMatchObject({ artifact: first, source });
});

test('a vote on the sources is no vote on what was built', () => {
  const world = opened();
  report(world, 'build', { artifact: first });
  for (const gate of ['scan', 'staging'] as const) report(world, gate);
  vote(world, stateOf(world).candidate.manifest.artifact);
  expect(currentGate(stateOf(world))).toMatchObject({ name: 'approval', decisions: [] });
});

test('a build that makes something else takes away what stood on the old one, votes included', () => {
  const world = approved();
  world.now += 20;
  expect(claimCanary(world)).toMatchObject({ kind: 'onward', onward: { step: 'build' } });
  report(world, 'build', { artifact: other });
  const gates = stateOf(world).gates.map(({ name, status }) => `${name} ${status}`);
  expect(gates).toEqual(['build passed', 'scan pending', 'staging pending', 'approval pending', 'canary pending']);
  const votes = stateOf(world).gates.flatMap(({ decisions }) => decisions.map(({ voided }) => voided));
  expect(votes).toEqual(['reopened', 'reopened']);
});

test('a build that makes the same again takes nothing away but the votes on its older evidence', () => {
  const world = approved();
  world.now += 20;
  claimCanary(world);
  report(world, 'build', { artifact: first });
  const gates = stateOf(world).gates.map(({ name, status }) => `${name} ${status}`);
  expect(gates).toEqual(['build passed', 'scan passed', 'staging passed', 'approval waiting', 'canary pending']);
});

test.each<[string, Report['gate'], Partial<Report>]>([
  ['a passed build that made nothing', 'build', {}],
  ['a failed build that made something', 'build', { verdict: 'fail', artifact: first }],
  ['another gate that made something', 'scan', { artifact: first }],
])('%s is no report', (_what, gate, more) => {
  const world = opened();
  if (gate === 'scan') report(world, 'build', { artifact: first });
  expect(report(world, gate, more)).toMatchObject({ kind: 'refused', refusal: { code: 'report_invalid' } });
  expect(stateOf(world).built).toBe(gate === 'scan' ? first : undefined);
});
