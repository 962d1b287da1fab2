import { freezePrototype } from './prototype-folder.contract.ts';
import { openWorld, turn, type World } from './world.contract.ts';
import { carry } from './errand.ts';
import { acts } from './activities.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
}, 60_000);

afterAll(async () => {
  await world.close();
});

/** Each version has other bytes, hence another digest. */
let versions = 0;
async function artifactOf(files: Readonly<Record<string, string>> = {}) {
  versions += 1;
  return await freezePrototype(world.ports.evidence, { 'version.txt': `${versions}\n`, ...files });
}

async function gateOf(promotion: `prm_${string}`, name: string) {
  const { state } = await world.view(promotion);
  return state.gates.find((gate) => gate.name === name);
}

async function untilApproval(prototype: `pro_${string}`, artifact: `sha256:${string}`, canary = {}) {
  const subject = await world.promote(prototype, artifact, canary);
  expect(await world.run(subject)).toMatchObject({ kind: 'wait', why: 'waiting_for_human' });
  await world.approve(subject.promotion);
  return subject;
}

describe('a first release', () => {
  it('goes from upload to live through every gate, on real files and over HTTP', async () => {
    const prototype = await world.openPrototype();
    const subject = await untilApproval(prototype, await artifactOf());
    expect(await world.carry(subject, 'canary')).toEqual({ kind: 'end', outcome: 'live' });
    const { state, production, lastLook } = await world.view(subject.promotion);
    expect(production?.state).toMatchObject({ weight: 0, canary: null, stable: { promotion: subject.promotion } });
    expect(lastLook?.unitsSeen).toBeGreaterThan(0);
    expect(lastLook?.countedAt).toBeGreaterThan(0);
    for (const gate of state.gates.filter(({ name }) => name !== 'approval')) expect(gate.evidence).not.toEqual([]);
    expect(world.edge.trials()).toEqual([]);
  }, 60_000);

  it('has its time for the canary, however long the gates before it took', async () => {
    const prototype = await world.openPrototype();
    const artifact = await artifactOf();
    // Real time that passes while cases are asked: this world's clock runs a hundred times as fast meanwhile.
    world.edge.behave(artifact, { answerAfterMs: 100 });
    const subject = await untilApproval(prototype, artifact);
    expect(await world.carry(subject, 'canary')).toEqual({ kind: 'end', outcome: 'live' });
  }, 60_000);

  it('is condemned when it breaks its own objective, with what condemned it kept', async () => {
    const prototype = await world.openPrototype();
    const artifact = await artifactOf();
    world.edge.behave(artifact, { badShare: 0.6 });
    const subject = await untilApproval(prototype, artifact);
    expect(await world.carry(subject, 'canary')).toEqual({ kind: 'run', step: 'undo' });
    expect((await world.view(subject.promotion)).production?.state.weight).toBe(0);
    expect(await world.carry(subject, 'undo')).toEqual({ kind: 'end', outcome: 'rolled_back' });
    const { state } = await world.view(subject.promotion);
    const snapshot = JSON.parse(new TextDecoder().decode(await world.ports.evidence.get(state.snapshot ?? '')));
    expect(snapshot).toMatchObject({ kind: 'canary_snapshot', verdict: { reason: 'objective_breached' } });
  }, 60_000);
});

describe('a second release', () => {
  it('is compared with what is live, and rolled back to it when it is worse', async () => {
    const prototype = await world.openPrototype();
    const good = await untilApproval(prototype, await artifactOf());
    expect(await world.carry(good, 'canary')).toEqual({ kind: 'end', outcome: 'live' });
    const flawed = await artifactOf();
    world.edge.behave(flawed, { badShare: 0.3 });
    const worse = await untilApproval(prototype, flawed);
    expect((await gateOf(worse.promotion, 'staging'))?.reasons.map(({ code }) => code)).toContain('release_unchanged');
    expect(await world.carry(worse, 'canary')).toEqual({ kind: 'run', step: 'undo' });
    await world.carry(worse, 'undo');
    const { production } = await world.view(worse.promotion);
    expect(production?.state).toMatchObject({ weight: 0, canary: null, stable: { promotion: good.promotion } });
  }, 60_000);
});

describe('a release of which only a prompt has changed', () => {
  it('meets the gates that its policy names for prompts and no other, on its way to live', async () => {
    const prototype = await world.openPrototype();
    const digest = (letter: string) => `sha256:${letter.repeat(64)}` as const;
    const changes = { prompt: ['readiness', 'evaluation', 'approval', 'canary'] } as const;
    const parts = { code: digest('c'), prompt: digest('1') };
    const first = await untilApproval(prototype, await artifactOf(), { parts, changes });
    expect(await world.carry(first, 'canary')).toEqual({ kind: 'end', outcome: 'live' });
    const other = { parts: { ...parts, prompt: digest('2') }, changes };
    const second = await untilApproval(prototype, await artifactOf(), other);
    const { state } = await world.view(second.promotion);
    expect(state.gates.map(({ name }) => name)).toEqual(changes.prompt);
    expect(await world.carry(second, 'canary')).toEqual({ kind: 'end', outcome: 'live' });
  }, 60_000);
});

describe('what a builder is told', () => {
  it('names file and line of a secret', async () => {
    const secret = ['ghp', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join('_');
    const artifact = await artifactOf({ 'settings.js': `\nconst key = '${secret}';\n` });
    const subject = await world.promote(await world.openPrototype(), artifact);
    expect(await world.run(subject)).toMatchObject({ kind: 'wait', why: 'blocked' });
    const gate = await gateOf(subject.promotion, 'scan');
    expect(gate).toMatchObject({ status: 'failed', reasons: [{ file: 'settings.js', line: 2 }] });
  }, 60_000);

  it('says who can help when the edge cannot isolate a prototype that nobody trusts', async () => {
    const artifact = await artifactOf();
    world.edge.behave(artifact, { report: { state: 'refused', reason: 'not_isolated' } });
    const subject = await world.promote(await world.openPrototype({ trusted: false }), artifact);
    expect(await world.run(subject)).toMatchObject({ kind: 'wait', why: 'blocked' });
    const gate = await gateOf(subject.promotion, 'evaluation');
    expect(gate).toMatchObject({ status: 'inconclusive', reasons: [{ code: 'not_isolated' }] });
  }, 60_000);

  it.each(['evaluation', 'staging'] as const)(
    'calls a host that was asked for and never declared a finding of %s, and says where to declare it',
    async (gate) => {
      const artifact = await artifactOf();
      const egress = [
        { host: 'known.example.org:443', declared: true, requests: 9 },
        { host: 'evil.example.org:443', declared: false, requests: 3 },
      ];
      // What staging sees must not have been seen before, or evaluation would already have said no.
      world.edge.behave(artifact, gate === 'evaluation' ? { report: { egress } } : { laneReport: { egress } });
      const subject = await world.promote(await world.openPrototype(), artifact);
      await world.run(subject);
      const found = await gateOf(subject.promotion, gate);
      expect(found?.status).toBe('failed');
      expect(found?.reasons.filter(({ code }) => code === 'undeclared_egress')).toEqual([
        { code: 'undeclared_egress', message: expect.stringMatching(/evil\.example\.org:443 3 times.*under egress/) },
      ]);
    },
    60_000,
  );

  it.each([
    [
      'exited_early',
      { state: 'exited', reason: 'exited_early', detail: 'ended with code 1\npassword=hunter2hunter2', final: true },
    ],
    ['never_ready', { state: 'unhealthy', reason: 'health_timeout', detail: 'still warming up', final: true }],
    ['output_flood', { state: 'exited', reason: 'output_flood', detail: 'aaaa', final: true }],
    ['never_ready', { state: 'starting' }],
  ] as const)(
    'calls a prototype that is not up by what it did: %s',
    async (code, report) => {
      const artifact = await artifactOf();
      world.edge.behave(artifact, { report });
      const subject = await world.promote(await world.openPrototype(), artifact);
      expect(await world.run(subject)).toMatchObject({ kind: 'wait', why: 'blocked' });
      const gate = await gateOf(subject.promotion, 'evaluation');
      expect(gate).toMatchObject({ status: 'failed', reasons: [{ code }] });
      expect(JSON.stringify(gate)).not.toContain('hunter2');
    },
    60_000,
  );

  it('fails the evaluation by its bound when answers are wrong', async () => {
    const artifact = await artifactOf();
    world.edge.behave(artifact, {
      answer: (path) => ({ status: 200, body: path === '/healthz' ? 'ok' : 'I do not know' }),
    });
    const subject = await world.promote(await world.openPrototype(), artifact);
    await world.run(subject);
    expect(await gateOf(subject.promotion, 'evaluation')).toMatchObject({ status: 'failed' });
  }, 60_000);
});

describe('a step', () => {
  it('is a breakage, not a no, when the edge cannot be reached, and inconclusive after the policy had enough', async () => {
    const subject = await world.promote(await world.openPrototype(), await artifactOf());
    await world.carry(subject, 'readiness');
    await world.carry(subject, 'scan');
    world.edge.away = true;
    expect(await world.carry(subject, 'evaluation')).toMatchObject({ kind: 'wait', why: 'retry' });
    world.edge.away = false;
    expect(await gateOf(subject.promotion, 'evaluation')).toMatchObject({ status: 'errored', breakages: 1 });
    expect(world.lines.filter((line) => line.includes('unreachable'))).not.toEqual([]);
  }, 60_000);

  it('is a breakage, not a no, when the edge died and came back while staging looked', async () => {
    const artifact = await artifactOf();
    const subject = await world.promote(await world.openPrototype(), artifact);
    for (const step of ['readiness', 'scan', 'evaluation'] as const) await world.carry(subject, step);
    // What an edge shows while it comes back: its own page, which is no answer of the candidate.
    world.edge.behave(artifact, {
      answer: () => {
        world.edge.boots += 1;
        return { status: 503, body: 'Not available' };
      },
    });
    expect(await world.carry(subject, 'staging')).toMatchObject({ kind: 'wait', why: 'retry' });
    expect(await gateOf(subject.promotion, 'staging')).toMatchObject({ status: 'errored', breakages: 1 });
  }, 60_000);

  it('reports nothing under a claim that another worker has taken over', async () => {
    const subject = await world.promote(await world.openPrototype(), await artifactOf());
    const act: typeof acts.readiness = async (errand) => {
      // Meanwhile a second worker claims, acts and reports: the first one was only slow.
      expect(await world.carry(subject, 'readiness')).toEqual({ kind: 'run', step: 'scan' });
      return await acts.readiness(errand);
    };
    const onward = await carry(world.ports, { ...subject, step: 'readiness' }, { turn: turn(), act });
    expect(onward).toEqual({ kind: 'run', step: 'scan' });
    expect(await gateOf(subject.promotion, 'readiness')).toMatchObject({ status: 'passed', attempt: 1 });
  }, 60_000);

  it('gives up a candidate that takes its worker down each time', async () => {
    const subject = await world.promote(await world.openPrototype(), await artifactOf());
    const lost = turn({ beginnings: 8 });
    await carry(world.ports, { ...subject, step: 'readiness' }, { turn: lost, act: acts.readiness });
    expect(world.lines.at(-1)).toContain('worker_lost');
  }, 60_000);

  it('goes on where a killed worker stopped looking, with the evidence it had', async () => {
    const prototype = await world.openPrototype();
    const subject = await untilApproval(prototype, await artifactOf());
    const killed = new AbortController();
    let looks = 0;
    const fault = (at: string): void => {
      looks += at === 'inside_look' ? 1 : 0;
      if (looks === 2) killed.abort();
    };
    const dying = turn({ signal: killed.signal });
    const first = carry({ ...world.ports, fault }, { ...subject, step: 'canary' }, { turn: dying, act: acts.canary });
    await expect(first).rejects.toMatchObject({ name: 'CancelledFailure' });
    const stored = async () => await world.journal.reads(world.workspace).looks(subject.promotion, 100);
    const [before] = await stored();
    expect(await gateOf(subject.promotion, 'canary')).toMatchObject({ status: 'claimed', attempt: 1 });
    expect(await world.carry(subject, 'canary')).toEqual({ kind: 'end', outcome: 'live' });
    expect(await gateOf(subject.promotion, 'canary')).toMatchObject({ status: 'passed', attempt: 1 });
    const [after] = await stored();
    expect(after?.number).toBeGreaterThan(before?.number ?? Number.POSITIVE_INFINITY);
  }, 60_000);

  it('stops looking when a person rolls back, and takes no look into account after that', async () => {
    const subject = await untilApproval(await world.openPrototype(), await artifactOf(), { dwellMs: 60_000 });
    const { promotion } = subject;
    let looks = 0;
    const ordered: Promise<void>[] = [];
    const fault = (at: string): void => {
      looks += at === 'inside_look' ? 1 : 0;
      if (at === 'inside_look' && looks === 3)
        ordered.push(world.submit(world.operator, { kind: 'Rollback', promotion }));
    };
    expect(await world.carry(subject, 'canary', { fault })).toEqual({ kind: 'run', step: 'undo' });
    await Promise.all(ordered);
    expect((await world.view(promotion)).production?.state).toMatchObject({
      weight: 0,
      hold: { reason: 'rolled_back' },
    });
    expect(await world.carry(subject, 'undo')).toEqual({ kind: 'end', outcome: 'rolled_back' });
  }, 60_000);

  it('renews no lease and climbs no step while the edge is away', async () => {
    const subject = await untilApproval(await world.openPrototype(), await artifactOf(), { deadlineMs: 30_000 });
    let looks = 0;
    const fault = (at: string): void => {
      looks += at === 'inside_look' ? 1 : 0;
      if (looks === 1) world.edge.away = true;
    };
    expect(await world.carry(subject, 'canary', { fault })).toMatchObject({ kind: 'wait', why: 'blocked' });
    world.edge.away = false;
    const rows = await world.journal.reads(world.workspace).looks(subject.promotion, 1_000);
    expect(rows.map(({ body }) => body.weight)).not.toContain(50);
    expect(await gateOf(subject.promotion, 'canary')).toMatchObject({ status: 'inconclusive' });
    expect((await world.view(subject.promotion)).production?.state).toMatchObject({ weight: 0, canary: null });
  }, 60_000);

  it('asks a person when the time for a decision is over without one', async () => {
    const prototype = await world.openPrototype();
    const subject = await untilApproval(prototype, await artifactOf(), { deadlineMs: 2_000 });
    world.edge.visitorsPerLook = 0;
    const onward = await world.carry(subject, 'canary');
    world.edge.visitorsPerLook = 200;
    expect(onward).toMatchObject({ kind: 'wait', why: 'blocked' });
    const { production } = await world.view(subject.promotion);
    expect(production?.state).toMatchObject({ weight: 0, canary: null });
  }, 60_000);
});
