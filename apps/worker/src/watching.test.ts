import { randomUUID } from 'node:crypto';
import { builtinPrincipals, idFrom, type WatchCheck, type WatchRule } from '@proviso/domain';
import type { PromotionSubject } from '@proviso/workflow';
import { looks } from './activities.ts';
import type { WorkerPorts } from './ports.ts';
import { freezePrototype } from './prototype-folder.contract.ts';
import { watchOnce } from './watching.ts';
import { openWorld, type PromoteOver, turn, type World } from './world.contract.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
}, 60_000);

afterAll(async () => {
  await world.close();
});

const hourMs = 3_600_000;
const watch: WatchRule = {
  everyMs: 6 * hourMs,
  owner: { do: 'hold' },
  review: { afterMs: 90 * 24 * hourMs, do: 'hold' },
  cost: { capPerDay: 20, do: 'note' },
  errorBudget: { burnMax: 2, do: 'rollback' },
  scan: { do: 'demote' },
};
const withScores: WatchRule = {
  ...watch,
  evaluation: { below: 0.9, do: 'rollback' },
  drift: { psiMax: 0.2, do: 'note' },
};
const commit = 'c0ffee00'.repeat(5);
/** What a promotion must pass that only its errors or bills are looked at. The worker's clock runs ahead of the journal's. */
const quick: PromoteOver = {
  ...{ watch, commit, deadlineMs: 7 * 24 * hourMs },
  without: ['readiness', 'scan', 'evaluation'],
};

let versions = 0;

/** A version that is live under this policy. */
async function live(over: PromoteOver = quick, files: Readonly<Record<string, string>> = {}) {
  versions += 1;
  const artifact = await freezePrototype(world.ports.evidence, { 'version.txt': `watched ${versions}\n`, ...files });
  const prototype = await world.openPrototype();
  const subject = await world.promote(prototype, artifact, over);
  await world.run(subject);
  await world.approve(subject.promotion);
  expect(await world.run(subject)).toEqual({ kind: 'end', outcome: 'live' });
  return { ...subject, prototype, artifact };
}

async function lookAt(subject: PromotionSubject, check: WatchCheck, ports: Partial<WorkerPorts> = {}) {
  const { workspace, promotion } = subject;
  const asked = { workspace, promotion, check };
  const told = await watchOnce({ ...world.ports, ...ports }, asked, { turn: turn(), look: looks[check] });
  const { state, production } = await world.view(promotion);
  return { told, seen: state.watch?.[check], outcome: state.outcome, lane: production?.state };
}

async function bring({ prototype, promotion }: Awaited<ReturnType<typeof live>>, kind: string, document: unknown) {
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const { digest } = await world.ports.evidence.put(bytes, { mediaType: 'application/json' });
  const { state } = await world.view(promotion);
  const brought = { candidate: state.candidate.id, document: { kind, digest, bytes: bytes.length } };
  await world.submit(world.builder, { kind: 'AddEvidence', prototype, commit, ...brought });
}

const osv = (...ids: readonly string[]) => ({
  results: [{ packages: [{ package: { name: 'left-pad' }, groups: ids.map((id) => ({ ids: [id] })) }] }],
});

describe('the scan of what is live', () => {
  it('finds nothing new in the files that were let through, and demotes for an advisory that was brought', async () => {
    const released = await live({ ...quick, without: ['readiness', 'evaluation'] });
    const first = await lookAt(released, 'scan');
    expect(first).toMatchObject({ told: 'seen', outcome: 'live', seen: { standing: 'well', figure: 0, round: 1 } });
    const again = await lookAt(released, 'scan');
    expect(again.seen?.round).toBe(1);
    const second = await live({ ...quick, without: ['readiness', 'evaluation'] });
    await bring(second, 'osv', osv('GHSA-1', 'GHSA-2'));
    const found = await lookAt(second, 'scan');
    expect(found).toMatchObject({ told: 'over', outcome: 'demoted', seen: { standing: 'breached', figure: 2 } });
    expect(found.seen?.reasons.map(({ code }) => code)).toEqual(['watch_breached', 'advisory_new', 'advisory_new']);
    expect(found.seen?.evidence.map(({ kind }) => kind)).toEqual(['scan_report', 'advisories']);
    expect(found.lane).toMatchObject({ stable: null, hold: { reason: 'demoted' } });
  }, 60_000);

  it('is blind with a report that nobody can read, and does nothing', async () => {
    const released = await live({ ...quick, without: ['readiness', 'evaluation'] });
    await bring(released, 'osv', { message: 'the registry is away' });
    const found = await lookAt(released, 'scan');
    expect(found).toMatchObject({ outcome: 'live', seen: { standing: 'unseen', figure: null } });
    expect(found.seen?.reasons[0]?.code).toBe('advisories_unreadable');
  }, 60_000);
});

describe('the evaluation of what is live', () => {
  const evaluated: PromoteOver = { ...quick, watch: withScores, without: ['readiness', 'scan'] };

  it('is repeated in a trial that ends, and rolls back when the answers are surely worse', async () => {
    const released = await live(evaluated);
    expect((await lookAt(released, 'evaluation')).seen).toMatchObject({ standing: 'well' });
    expect((await lookAt(released, 'drift')).seen).toMatchObject({ standing: 'well', figure: 0 });
    const worse = await live(evaluated);
    world.edge.behave(worse.artifact, {
      answer: (path) => ({ status: 200, body: /^\/ask\/[12]?\d$/.test(path) ? 'sorry' : `answer of ${path}` }),
    });
    const found = await lookAt(worse, 'evaluation');
    expect(found).toMatchObject({ told: 'over', outcome: 'rolled_back', seen: { standing: 'breached' } });
    expect(world.edge.trials()).toEqual([]);
  }, 60_000);

  it('cannot tell while the edge is away, and leaves the version where it is', async () => {
    const released = await live(evaluated);
    world.edge.away = true;
    try {
      const found = await lookAt(released, 'evaluation');
      expect(found).toMatchObject({ told: 'seen', outcome: 'live', seen: { standing: 'unseen', figure: null } });
      expect((await lookAt(released, 'drift')).seen?.reasons[0]?.code).toBe('not_evaluated');
    } finally {
      world.edge.away = false;
    }
  }, 60_000);
});

describe('the error budget', () => {
  it('counts what came since the last look, and forgives a handful', async () => {
    const released = await live();
    const calm = await lookAt(released, 'errorBudget');
    expect(calm.seen).toMatchObject({ standing: 'well' });
    expect(calm.seen?.counts?.requests).toBeGreaterThan(0);
    const failing = await live();
    world.edge.behave(failing.artifact, { badShare: 0.4 });
    const found = await lookAt(failing, 'errorBudget');
    expect(found).toMatchObject({ told: 'over', outcome: 'rolled_back' });
    expect(found.seen?.reasons[0]?.message).toMatch(/^errors come at least [0-9.]+ times as fast/);
    expect(found.lane?.hold?.reason).toBe('rolled_back');
  }, 60_000);

  it('is unseen when nobody came', async () => {
    const released = await live();
    world.edge.visitorsPerLook = 0;
    try {
      const { seen } = await lookAt(released, 'errorBudget');
      // The canary's visitors were counted under another fence.
      expect(seen).toMatchObject({ standing: 'unseen', reasons: [{ code: 'nobody_came' }] });
    } finally {
      world.edge.visitorsPerLook = 200;
    }
  }, 60_000);
});

describe('the cost', () => {
  const today = new Date().toISOString().slice(0, 10);
  it.each([
    ['no bill', null, 'unseen', 'cost_unknown'],
    ['a bill from long ago', { currency: 'EUR', days: [{ day: '2020-01-01', amount: 99 }] }, 'unseen', 'cost_stale'],
    ['a bill in words', { total: 'much' }, 'unseen', 'cost_unreadable'],
    ['a bill within the cap', { currency: 'EUR', days: [{ day: today, amount: 20 }] }, 'well', 'watch_well'],
    ['a bill above the cap', { currency: 'EUR', days: [{ day: today, amount: 20.01 }] }, 'breached', 'watch_breached'],
  ] as const)(
    'with %s is told as it is',
    async (_what, bill, standing, code) => {
      const released = await live();
      if (bill !== null) await bring(released, 'cost', bill);
      const { seen, lane } = await lookAt(released, 'cost');
      expect(seen).toMatchObject({ standing, action: standing === 'breached' ? 'note' : null });
      expect(seen?.reasons[0]?.code).toBe(code);
      expect(lane).toMatchObject({ hold: null, stable: { promotion: released.promotion } });
    },
    60_000,
  );
});

describe('whoever answers for it', () => {
  it('holds the lane when they were shut out, and says so on their row’s word alone', async () => {
    const released = await live();
    const owner = idFrom('psn', randomUUID());
    const administrator = idFrom('psn', randomUUID());
    const founder = builtinPrincipals.founder.id;
    await world.submit(founder, { kind: 'AddPerson', person: owner, principal: 'human', bindings: [] });
    const bindings = [{ role: 'administrator' }] as const;
    await world.submit(founder, { kind: 'AddPerson', person: administrator, principal: 'human', bindings });
    await world.submit(world.operator, { kind: 'AssignOwner', prototype: released.prototype, owner });
    await world.submit(administrator, { kind: 'DisablePerson', person: owner });
    const found = await lookAt(released, 'owner');
    expect(found).toMatchObject({ outcome: 'live', seen: { standing: 'breached', action: 'hold' } });
    expect(found.lane).toMatchObject({ hold: { reason: 'watch' }, stable: { promotion: released.promotion } });
    expect((await lookAt(released, 'review')).seen).toMatchObject({ standing: 'well' });
  }, 60_000);
});

it('is over for a version that a person took back, without an entry', async () => {
  const released = await live();
  await world.submit(world.operator, { kind: 'Rollback', promotion: released.promotion });
  expect(await lookAt(released, 'cost')).toMatchObject({ told: 'over', seen: undefined });
});
