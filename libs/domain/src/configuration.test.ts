import type { Command } from './command.ts';
import { type SecretReference, emptyConfiguration } from './configuration.ts';
import { configurationOf } from './lane.ts';
import { next } from './next.ts';
import { gateIn } from './promotion.ts';
import { ask, cast, foldAgain, newWorld, productionOf, promotionsOf, type World } from './world.contract.ts';

const lane = cast.lanes.production;
const reference = { from: 'file', path: 'mail-key' } as const;
const promotion = `prm_${'0'.repeat(32)}` as const;

function tell(world: World, command: Command): string {
  const { outcome } = ask(world, cast.operator, command);
  return outcome.kind === 'refused' ? outcome.refusal.code : outcome.kind;
}

const bind = (name: string, to: SecretReference = reference): Command => ({
  kind: 'BindSecret',
  lane,
  name,
  reference: to,
});

/** A production lane in the middle of a canary. */
function shared(): World {
  const world = newWorld();
  const release = { id: 'rel_1', promotion, artifact: `sha256:${'0'.repeat(64)}`, version: 'v1' } as const;
  const key = `lane/${lane}`;
  world.states.set(key, { ...productionOf(world), canary: release, weight: 10, fence: { incarnation: 1, counter: 4 } });
  return world;
}

describe('the configuration of a lane', () => {
  it('changes neither the share of a canary nor the fence', () => {
    const world = shared();
    const { configuration: _, ...before } = productionOf(world);
    tell(world, { kind: 'SetVariable', lane, name: 'LOG_LEVEL', value: 'debug' });
    tell(world, bind('MAIL_KEY'));
    tell(world, { kind: 'RotateSecret', lane, name: 'MAIL_KEY' });
    const { configuration, ...after } = productionOf(world);
    expect(after).toEqual(before);
    expect(configuration?.revision).toBe(3);
  });

  it('is the same when its events are folded again', () => {
    const world = newWorld();
    tell(world, { kind: 'SetVariable', lane, name: 'LOG_LEVEL', value: 'debug' });
    tell(world, { kind: 'SetVariable', lane, name: 'LOG_LEVEL', value: 'info' });
    tell(world, bind('MAIL_KEY'));
    tell(world, { kind: 'UnsetVariable', lane, name: 'LOG_LEVEL' });
    tell(world, { kind: 'UnbindSecret', lane, name: 'MAIL_KEY' });
    expect(foldAgain(world).get(`lane/${lane}`)).toEqual(productionOf(world));
    expect(configurationOf(productionOf(world))).toEqual({ ...emptyConfiguration, revision: 5 });
  });

  it('does not grow by what it holds already, so that no release is started anew for it', () => {
    const world = newWorld();
    tell(world, bind('MAIL_KEY'));
    expect(tell(world, bind('MAIL_KEY'))).toBe('done');
    expect(tell(world, { kind: 'UnbindSecret', lane, name: 'OTHER' })).toBe('done');
    expect(configurationOf(productionOf(world)).revision).toBe(1);
  });

  it.each<[string, Command, string]>([
    ['a vault, which is not there yet', bind('MAIL_KEY', { from: 'vault', path: 'a' }), 'not_configured'],
    ['a name that the start of a process sets', bind('PATH'), 'reserved_name'],
    ["a name of Proviso's own", bind('PROVISO_VAULT_KEY'), 'reserved_name'],
    ['a secret under the name of a variable', bind('LOG_LEVEL'), 'exists'],
    ['a variable under the name of a secret', { kind: 'SetVariable', lane, name: 'KEY', value: 'x' }, 'exists'],
    ['a rotation of what is not bound', { kind: 'RotateSecret', lane, name: 'NONE' }, 'not_found'],
    ['one letter too many', { kind: 'SetVariable', lane, name: 'LONG', value: 'x'.repeat(31_996) }, 'too_large'],
    ['as many letters as fit', { kind: 'SetVariable', lane, name: 'LONG', value: 'x'.repeat(31_995) }, 'done'],
  ])('answers %s', (_what, command, code) => {
    const world = newWorld();
    tell(world, { kind: 'SetVariable', lane, name: 'LOG_LEVEL', value: 'debug' });
    tell(world, bind('KEY'));
    expect(tell(world, command)).toBe(code);
  });

  it('holds fifty names and not one more', () => {
    const world = newWorld();
    const codes = Array.from({ length: 51 }, (_, index) => tell(world, bind(`KEY_${index}`)));
    expect(codes).toEqual([...Array.from({ length: 50 }, () => 'done'), 'too_many']);
  });
});

describe('a version that cannot start without a secret', () => {
  const opened = (): World => {
    const world = newWorld();
    const candidate = `cnd_${'7'.repeat(32)}` as const;
    const manifest = { v: 1, artifact: `sha256:${'7'.repeat(64)}`, parts: {} } as const;
    const provenance = { kind: 'upload', uploader: cast.builder, authors: [] } as const;
    const rest = { version: 'v7', manifestDigest: manifest.artifact, manifest, provenance, secrets: ['MAIL_KEY'] };
    ask(world, cast.builder, {
      kind: 'FreezeCandidate',
      prototype: cast.prototype,
      candidate: { id: candidate, ...rest },
    });
    const opening = { prototype: cast.prototype, candidate, policyId: cast.policy } as const;
    ask(world, cast.builder, { kind: 'OpenPromotion', promotion, ...opening });
    const { outcome } = ask(world, cast.worker, { kind: 'Claim', promotion, step: 'scan', claimant: 'one' });
    if (outcome.kind !== 'granted') throw new Error('expected the scan');
    const { attempt, fence } = outcome;
    const evidence = [{ kind: 'report', digest: manifest.artifact }];
    const found = { verdict: 'pass', reasons: [], evidence, measure: null } as const;
    ask(world, cast.worker, { kind: 'Report', promotion, gate: 'scan', attempt, fence, ...found });
    return world;
  };
  const claim = (world: World) =>
    ask(world, cast.worker, { kind: 'Claim', promotion, step: 'staging', claimant: 'one' }).outcome;

  it('is placed in no lane that has none, and people are told what is missing where', () => {
    const world = opened();
    expect(claim(world)).toEqual({ kind: 'onward', onward: expect.objectContaining({ why: 'blocked' }) });
    const [state] = promotionsOf(world);
    const gate = state && gateIn(state, 'staging');
    expect(gate).toMatchObject({ status: 'inconclusive', attempt: 1, evidence: [] });
    expect(gate?.reasons).toEqual([
      { code: 'secret_missing', message: expect.stringContaining('staging has no value for MAIL_KEY') },
    ]);
    expect(world.states.get(`lane/${cast.lanes.staging}`)).toMatchObject({ canary: null, owner: null });
  });

  it('goes on when it is bound and the check is run again', () => {
    const world = opened();
    claim(world);
    tell(world, { kind: 'BindSecret', lane: cast.lanes.staging, name: 'MAIL_KEY', reference });
    ask(world, cast.builder, { kind: 'Rerun', promotion, gate: 'staging' });
    const [state] = promotionsOf(world);
    expect(state && next(state, world.now)).toEqual({ kind: 'run', step: 'staging' });
    expect(claim(world)).toMatchObject({ kind: 'granted', attempt: 2 });
  });
});
