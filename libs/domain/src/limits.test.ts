import { bytesWords, defaultLimits, limitsOf, noRoom } from './limits.ts';
import { limitsProblem, noLanes, noPlace, placeOf } from './limits.ts';
import { decide } from './decide.ts';
import type { Scene } from './scene.ts';
import { evolve } from './stream.ts';
import { ask, buildPolicy, cast, copyOf, newWorld, productionOf, promotionsOf } from './world.contract.ts';

const limits = { ...defaultLimits, diskBytesMax: 1_000, uploadBytesMax: 500, prototypesMax: 2, runsAtOnceMax: 2 };

describe('what a workspace may take', () => {
  it.each([
    { has: 500, more: 500, code: undefined },
    { has: 501, more: 500, code: 'quota_reached' },
    { has: 1_000, more: 1, code: 'quota_reached' },
    { has: 1_000, more: 0, code: undefined },
    { has: 0, more: 501, code: 'too_large' },
  ])('is $code for $more bytes beside $has', ({ has, more, code }) => {
    expect(noRoom(limits, { diskBytes: has }, more)?.code).toBe(code);
  });

  it('is said with what to do and who can', () => {
    const gigabyte = 1024 ** 3;
    const refused = noRoom(defaultLimits, { diskBytes: 5 * gigabyte }, 2_048);
    expect(refused?.message).toBe(
      'this workspace keeps 5.0 GB of 5.0 GB, and this version needs 2.0 kB: an operator raises the limit or shortens the retention',
    );
    expect(refused?.whoCan).toEqual(['role/operator']);
  });

  it.each([
    { prototypes: 1, code: undefined },
    { prototypes: 2, code: 'quota_reached' },
  ])('lets $prototypes prototypes be followed by one more: $code', ({ prototypes, code }) => {
    expect(noLanes(limits, { prototypes })?.code).toBe(code);
  });

  it.each([
    { runs: 1, waitingBefore: 0, waits: false },
    { runs: 2, waitingBefore: 0, waits: true },
    { runs: 1, waitingBefore: 1, waits: true },
    { runs: 0, waitingBefore: 1, waits: false },
  ])('with $runs running and $waitingBefore before makes the next wait: $waits', ({ waits, ...usage }) => {
    expect(noPlace(limits, usage)).toBe(waits);
  });

  it.each([
    { set: { retentionDays: 0 }, is: null },
    { set: { retentionDays: -1 }, is: 'expected retentionDays to be a whole number from 0 to 3650, got -1' },
    { set: { runsAtOnceMax: 1.5 }, is: 'expected runsAtOnceMax to be a whole number from 1 to 100, got 1.5' },
    { set: { prototypesMax: 0 }, is: 'expected prototypesMax to be a whole number from 1 to 2000, got 0' },
  ])('is set to $set or not', ({ set, is }) => {
    expect(limitsProblem(set)).toBe(is);
  });

  it('falls back to the defaults for what nobody has set', () => {
    expect(limitsOf(null)).toEqual(defaultLimits);
    expect(limitsOf({ limits: { prototypesMax: 7 } })).toEqual({ ...defaultLimits, prototypesMax: 7 });
  });

  it.each([
    [1_023, '1023 bytes'],
    [1_024, '1.0 kB'],
    [1_536 * 1_024, '1.5 MB'],
    [3 * 1024 ** 5, '3072.0 TB'],
  ])('says %i bytes as %s', (bytes, words) => {
    expect(bytesWords(bytes)).toBe(words);
  });
});

describe('a version whose files are to go', () => {
  const remove = { kind: 'RemoveArtifact', prototype: cast.prototype, artifact: `sha256:${'0'.repeat(64)}` } as const;
  const prototypeIn = ({ states }: ReturnType<typeof newWorld>) =>
    states.get(`prototype/${cast.prototype}`) as NonNullable<Scene['prototype']>;

  it('stays while what was built from it serves a lane', () => {
    const world = newWorld();
    const lane = productionOf(world);
    const built = { id: `rel_${'1'.repeat(32)}`, promotion: `prm_${'1'.repeat(32)}`, version: 'v1' } as const;
    const artifact = `sha256:${'7'.repeat(64)}` as const;
    const [candidate] = prototypeIn(world).candidates;
    const source = candidate?.manifest.artifact ?? artifact;
    world.states.set(`lane/${lane.id}`, { ...lane, stable: { ...built, artifact, source } });
    expect(ask(copyOf(world), cast.worker, remove).outcome).toMatchObject({ refusal: { code: 'artifact_needed' } });
    world.states.set(`lane/${lane.id}`, { ...lane, stable: { ...built, artifact } });
    expect(ask(world, cast.worker, remove).outcome).not.toMatchObject({ refusal: { code: 'artifact_needed' } });
  });

  it('stays while a promotion of it is open, and goes when it has ended', () => {
    const world = newWorld();
    const promotion = `prm_${'9'.repeat(32)}` as const;
    ask(world, cast.builder, {
      ...{ kind: 'OpenPromotion', promotion, prototype: cast.prototype },
      ...{ candidate: cast.candidates[0], policyId: cast.policy },
    });
    const held = ask(copyOf(world), cast.worker, remove).outcome;
    expect(held).toMatchObject({ kind: 'refused', refusal: { code: 'artifact_needed' } });
    ask(world, cast.builder, { kind: 'Cancel', promotion });
    for (const step of promotionsOf(world)[0]?.outcome === null ? ['undo' as const] : []) {
      ask(world, cast.worker, { kind: 'Claim', promotion, step, claimant: 'test' });
    }
    expect(ask(world, cast.worker, remove).drafts.map(({ event }) => event.kind)).toEqual(['artifact_removed']);
  });

  it('goes also when more versions came after it than the state remembers', () => {
    const world = newWorld();
    const state = prototypeIn(world);
    const { candidates } = state;
    world.states.set(`prototype/${cast.prototype}`, { ...state, candidates: candidates.slice(1) });
    const [told] = ask(world, cast.worker, remove).drafts;
    expect(told?.event).toEqual({ kind: 'artifact_removed', v: 1, artifact: remove.artifact, bytes: 0 });
    expect(prototypeIn(world).candidates).toEqual(candidates.slice(1));
  });

  it('cannot be promoted any more, and is another candidate when it is frozen again', () => {
    const world = newWorld();
    ask(world, cast.worker, remove);
    const open = ask(copyOf(world), cast.builder, {
      ...{ kind: 'OpenPromotion', promotion: `prm_${'9'.repeat(32)}`, prototype: cast.prototype },
      ...{ candidate: cast.candidates[0], policyId: cast.policy },
    });
    expect(open.outcome).toMatchObject({ kind: 'refused', refusal: { code: 'artifact_removed' } });
    const [old] = prototypeIn(world).candidates;
    if (old === undefined) throw new Error('expected a candidate');
    const { removed: _removed, ...content } = old;
    const candidate = { ...content, id: `cnd_${'8'.repeat(32)}` } as const;
    const again = ask(world, cast.builder, { kind: 'FreezeCandidate', prototype: cast.prototype, candidate });
    expect(again.drafts.map(({ event }) => event.kind)).toEqual(['candidate_frozen']);
  });
});

describe('what was built', () => {
  const promotion = `prm_${'9'.repeat(32)}` as const;
  const [built, rebuilt] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`] as const;
  const evidence = [{ kind: 'report', digest: `sha256:${'c'.repeat(64)}` as const }];
  const remove = (artifact: typeof built) => ({ kind: 'RemoveArtifact', prototype: cast.prototype, artifact }) as const;

  function builtWorld() {
    const world = newWorld(buildPolicy);
    const about = { prototype: cast.prototype, candidate: cast.candidates[0], policyId: cast.policy };
    ask(world, cast.builder, { kind: 'OpenPromotion', promotion, ...about });
    build(world, built);
    return world;
  }

  function build(world: ReturnType<typeof newWorld>, artifact: typeof built) {
    const claimed = ask(world, cast.worker, { kind: 'Claim', promotion, step: 'build', claimant: artifact }).outcome;
    if (claimed.kind !== 'granted') throw new Error(`expected a grant, got ${JSON.stringify(claimed)}`);
    const { attempt, fence } = claimed;
    const told = { gate: 'build', verdict: 'pass', reasons: [], evidence, measure: null, artifactBytes: 7 } as const;
    ask(world, cast.worker, { kind: 'Report', promotion, attempt, fence, artifact, ...told });
  }

  it('stays while its promotion is open, and goes with its size when it has ended', () => {
    const world = builtWorld();
    const held = ask(copyOf(world), cast.worker, remove(built)).outcome;
    expect(held).toMatchObject({ refusal: { code: 'artifact_needed' } });
    ask(world, cast.builder, { kind: 'Cancel', promotion });
    ask(world, cast.worker, { kind: 'Claim', promotion, step: 'undo', claimant: 'test' });
    const gone = ask(world, cast.worker, remove(built)).drafts.map(({ event }) => event);
    expect(gone).toEqual([{ kind: 'artifact_removed', v: 1, artifact: built, bytes: 7 }]);
    expect(ask(world, cast.worker, remove(built)).drafts).toEqual([]);
  });

  it('goes when its promotion has been built to something else, and nothing goes that was never kept', () => {
    const world = builtWorld();
    const [state] = promotionsOf(world);
    if (state === undefined) throw new Error('expected the promotion');
    world.states.set(`promotion/${promotion}`, { ...state, built: rebuilt });
    expect(ask(copyOf(world), cast.worker, remove(built)).drafts).toHaveLength(1);
    const never = ask(world, cast.worker, remove(`sha256:${'d'.repeat(64)}`)).outcome;
    expect(never).toMatchObject({ refusal: { code: 'not_found' } });
  });
});

describe('a build beyond the limits', () => {
  const promotion = `prm_${'9'.repeat(32)}` as const;
  const midnight = Date.UTC(2026, 0, 2);
  const claim = { kind: 'Claim', promotion, step: 'build', claimant: 'test' } as const;

  function asked(usage: Partial<NonNullable<Scene['usage']>>, state?: Scene['promotion']) {
    const world = newWorld(buildPolicy);
    const about = { prototype: cast.prototype, candidate: cast.candidates[0], policyId: cast.policy };
    ask(world, cast.builder, { kind: 'OpenPromotion', promotion, ...about });
    const promotionState = state ?? promotionsOf(world)[0] ?? null;
    const workspace = { id: `wsp_${'1'.repeat(32)}`, name: 'desk', limits: { buildsPerDayMax: 2 } };
    const scene = {
      ...{ now: world.now, promotion: promotionState, rivals: [], people: {}, workspace },
      ...{ lanes: { staging: null, production: null }, artifact: null },
      usage: { diskBytes: 0, prototypes: 1, runs: 0, builds: 0, dayEndsAt: midnight, waitingBefore: 0, ...usage },
    } as unknown as Scene;
    const decided = decide(scene, claim);
    const after = decided.drafts.reduce<Scene['promotion']>(
      (now, draft) => evolve(now, draft, world.now) as Scene['promotion'],
      promotionState,
    );
    return { ...decided, kinds: decided.drafts.map(({ event }) => event.kind), after };
  }

  it('waits until midnight, says until when once, is in nobody’s way meanwhile, and goes on the next day', () => {
    const waits = asked({ builds: 2 });
    const wait = { kind: 'wait', until: midnight, why: 'limit_reached' };
    expect(waits).toMatchObject({ outcome: { kind: 'onward', onward: wait }, kinds: ['build_postponed'] });
    const [gate] = waits.after?.gates ?? [];
    expect(gate?.reasons[0]?.message).toBe(
      'this workspace has begun 2 of 2 builds today: this one goes on at 2026-01-02 00:00 UTC, or when an operator raises the limit',
    );
    expect(waits.after === null ? null : placeOf(waits.after)).toBe('postponed');
    expect(asked({ builds: 2 }, waits.after).kinds).toEqual([]);
    const tomorrow = asked({ builds: 2, dayEndsAt: midnight + 86_400_000 }, waits.after);
    expect(tomorrow.kinds).toEqual(['build_postponed']);
    expect(asked({ builds: 0, runs: 3 }, waits.after).kinds).toEqual(['place_awaited']);
    const goesOn = asked({ builds: 1 }, waits.after);
    expect(goesOn).toMatchObject({ outcome: { kind: 'granted' }, kinds: ['place_found', 'step_claimed'] });
    expect(goesOn.after?.gates[0]?.reasons).toEqual([]);
  });

  it('is not begun in a workspace that is full, and says who makes room', () => {
    const full = asked({ diskBytes: defaultLimits.diskBytesMax });
    expect(full.kinds).toEqual(['gate_blocked']);
    expect(full.after?.gates[0]).toMatchObject({ status: 'inconclusive', reasons: [{ code: 'quota_reached' }] });
    expect(asked({ diskBytes: defaultLimits.diskBytesMax - 1 }).outcome).toMatchObject({ kind: 'granted' });
  });
});

describe('a promotion that finds no place to run', () => {
  it('waits, says so once, and goes on when there is one', () => {
    const world = newWorld();
    const promotion = `prm_${'9'.repeat(32)}` as const;
    ask(world, cast.builder, {
      ...{ kind: 'OpenPromotion', promotion, prototype: cast.prototype },
      ...{ candidate: cast.candidates[0], policyId: cast.policy },
    });
    ask(world, cast.worker, { kind: 'Claim', promotion, step: 'scan', claimant: 'test' });
    const [opened] = promotionsOf(world);
    const evidence = [{ kind: 'report', digest: `sha256:${'c'.repeat(64)}` as const }];
    ask(world, cast.worker, {
      ...{ kind: 'Report', promotion, gate: 'scan', attempt: 1, fence: opened?.fence ?? 0, verdict: 'pass' },
      ...{ reasons: [], evidence, measure: null },
    });
    const claim = { kind: 'Claim', promotion, step: 'staging', claimant: 'test' } as const;
    const asked = (runs: number) => {
      const [state = null] = promotionsOf(world);
      const lanes = [...world.states.values()].filter((one) => 'environment' in one && 'queue' in one);
      const lane = (name: string) => lanes.find((one) => one.environment === name) ?? null;
      const scene = {
        ...{ now: world.now, promotion: state, rivals: [], people: {}, workspace: null },
        ...{ lanes: { staging: lane('staging'), production: lane('production') } },
        usage: { diskBytes: 0, prototypes: 1, runs, builds: 0, dayEndsAt: 0, waitingBefore: 0 },
      } as unknown as Scene;
      return decide(scene, claim);
    };
    const waits = asked(3);
    expect(waits.outcome).toMatchObject({ kind: 'onward', onward: { kind: 'wait', why: 'limit_reached' } });
    expect(waits.drafts.map(({ event }) => event.kind)).toEqual(['place_awaited']);
    expect(asked(2).outcome).toMatchObject({ kind: 'granted', step: 'staging' });
    for (const draft of waits.drafts) {
      const key = `${draft.stream}/${draft.id}`;
      world.states.set(key, evolve(world.states.get(key) ?? null, draft, world.now));
    }
    expect(asked(3).drafts).toEqual([]);
    expect(asked(2).drafts.map(({ event }) => event.kind)).toContain('place_found');
  });
});
