import { randomUUID } from 'node:crypto';
import { builtinPrincipals, type Command, idFrom, type PersonId, type Policy, type WorkspaceId } from '@proviso/domain';
import { createDatabase } from '@proviso/testkit';
import { type Journal, openJournal, openPump, type Receipt } from './index.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}` as const;

const policy: Policy = {
  name: 'standard',
  environment: 'production',
  evidenceAgeMaxMs: 30 * 86_400_000,
  gates: [
    { gate: 'readiness', attemptsMax: 3 },
    { gate: 'approval', requirements: [{ from: 'group/security', count: 1 }], expiresMs: 7 * 86_400_000 },
    {
      gate: 'canary',
      attemptsMax: 3,
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

let journal: Journal;
let pumpUrl: string;
const workspace: WorkspaceId = idFrom('wsp', randomUUID());
const people = Object.fromEntries(
  ['bea', 'sam', 'olga', 'petra'].map((name) => [name, idFrom('psn', randomUUID())]),
) as Record<'bea' | 'sam' | 'olga' | 'petra', PersonId>;

beforeAll(async () => {
  const database = await createDatabase();
  pumpUrl = database.pumpUrl;
  journal = await openJournal({
    url: database.appUrl,
    connectionsMax: 8,
    origin: 'test',
    vaultKeyHex: database.vaultKeyHex,
    durable: false,
  });
  const founder = builtinPrincipals.founder.id;
  await accepted(founder, { kind: 'OpenWorkspace', workspace, name: 'test' });
  const bindings = {
    bea: [{ role: 'builder' }, { role: 'approver', group: 'security' }],
    sam: [{ role: 'approver', group: 'security' }],
    olga: [{ role: 'operator' }],
    petra: [{ role: 'policy-owner' }],
  } as const;
  for (const [name, person] of Object.entries(people)) {
    await accepted(founder, {
      kind: 'AddPerson',
      person,
      principal: 'human',
      bindings: bindings[name as keyof typeof bindings],
    });
  }
});

afterAll(async () => {
  await journal.close();
});

async function ask(actor: PersonId, command: Command, more: { key?: string; reason?: string } = {}): Promise<Receipt> {
  const { key = randomUUID(), ...rest } = more;
  return await journal.submit({ workspace, actor, command, idempotencyKey: key, authn: 'test', ...rest });
}

async function accepted(actor: PersonId, command: Command) {
  const receipt = await ask(actor, command);
  if (receipt.kind === 'refused')
    throw new Error(`expected ${command.kind} to be accepted, got ${receipt.refusal.code}: ${receipt.refusal.message}`);
  return receipt;
}

/** A promotion that stands at its approval gate. */
async function atApproval() {
  const prototype = idFrom('pro', randomUUID());
  const promotion = idFrom('prm', randomUUID());
  const policyId = idFrom('pol', randomUUID());
  const candidate = idFrom('cnd', randomUUID());
  const lanes = { staging: idFrom('lane', randomUUID()), production: idFrom('lane', randomUUID()) };
  const worker = builtinPrincipals.worker.id;
  await accepted(people.bea, {
    kind: 'RegisterPrototype',
    prototype,
    name: 'desk',
    owner: people.olga,
    lanes,
    hosts: { staging: 's', production: 'p' },
  });
  const provenance = { kind: 'upload', uploader: people.bea, authors: [] } as const;
  const content = {
    id: candidate,
    version: 'v1',
    manifestDigest: digest('a'),
    manifest: { v: 1, artifact: digest('b'), parts: {} },
    provenance,
  } as const;
  await accepted(people.bea, { kind: 'FreezeCandidate', prototype, candidate: content });
  await accepted(people.petra, { kind: 'PublishPolicy', policyId, policy, digest: digest('c'), author: people.petra });
  await accepted(people.bea, { kind: 'OpenPromotion', promotion, prototype, candidate, policyId });
  const claim = await accepted(worker, { kind: 'Claim', promotion, step: 'readiness', claimant: 'one' });
  if (claim.answer.kind !== 'granted') throw new Error(`expected a grant, got ${claim.answer.kind}`);
  const { attempt, fence } = claim.answer;
  const evidence = [{ kind: 'readiness', digest: digest('d') }];
  await accepted(worker, {
    kind: 'Report',
    promotion,
    gate: 'readiness',
    attempt,
    fence,
    verdict: 'pass',
    reasons: [],
    evidence,
    measure: null,
  });
  return { prototype, promotion, lanes, fence, attempt };
}

async function voteOn(promotion: `prm_${string}`, verdict: 'approve' | 'reject' = 'approve'): Promise<Command> {
  const view = await journal.reads(workspace).promotion(promotion);
  const gate = view?.state.gates.find((one) => one.name === 'approval');
  if (view === null || gate?.evidenceDigest == null) throw new Error('expected an open approval gate');
  const shown = { artifact: view.state.candidate.manifest.artifact, evidenceDigest: gate.evidenceDigest };
  return {
    kind: 'Decide',
    promotion,
    gate: 'approval',
    attempt: gate.attempt,
    decision: idFrom('dec', randomUUID()),
    verdict,
    ...shown,
  };
}

describe('submit', () => {
  it("refuses the requester's own approval and records the refusal outside the promotion", async () => {
    const { promotion } = await atApproval();
    const before = await journal.reads(workspace).promotion(promotion);
    const receipt = await ask(people.bea, await voteOn(promotion));
    expect(receipt).toMatchObject({ kind: 'refused', refusal: { code: 'own_work' } });
    const after = await journal.reads(workspace).promotion(promotion);
    expect(after?.revision).toBe(before?.revision);
    const refusals = await journal.reads(workspace).history({ stream: 'log', id: 'refusals', limit: 1_000 });
    expect(
      refusals.filter((entry) => entry.bytes.includes(promotion) && entry.bytes.includes('own_work')),
    ).toHaveLength(1);
  });

  it('replays the answer of a key, and refuses the key for another command', async () => {
    const { promotion } = await atApproval();
    const vote = await voteOn(promotion);
    const key = randomUUID();
    const first = await ask(people.sam, vote, { key });
    const second = await ask(people.sam, vote, { key });
    expect(first).toMatchObject({ kind: 'accepted', replayed: false, answer: { kind: 'decided', passed: true } });
    expect(second).toEqual({ ...first, replayed: true });
    const conflict = await ask(people.sam, { kind: 'Cancel', promotion }, { key });
    expect(conflict).toMatchObject({ kind: 'refused', refusal: { code: 'key_conflict' }, replayed: false });
    expect(await ask(people.sam, vote, { key })).toEqual({ ...first, replayed: true });
    const log = await journal.reads(workspace).history({ stream: 'log', id: 'refusals', limit: 1_000 });
    const told = log.filter(({ bytes }) => bytes.includes(promotion)).map(({ bytes }) => JSON.parse(bytes) as object);
    expect(told).toMatchObject([{ actor: { pid: people.sam }, body: { command: 'Cancel', code: 'key_conflict' } }]);
  });

  it('counts exactly one vote of each person, however many arrive at once', async () => {
    const { promotion } = await atApproval();
    const votes = await Promise.all(Array.from({ length: 20 }, () => voteOn(promotion)));
    const receipts = await Promise.all(
      votes.flatMap((vote) => [ask(people.sam, vote), ask(people.bea, vote), ask(people.olga, vote)]),
    );
    expect(receipts.filter((receipt) => receipt.kind === 'accepted')).toHaveLength(1);
    const view = await journal.reads(workspace).promotion(promotion);
    const gate = view?.state.gates.find((one) => one.name === 'approval');
    expect(gate?.decisions).toHaveLength(1);
    expect(gate?.status).toBe('passed');
  });

  it('opens many promotions of one prototype at once and leaves one of them open', async () => {
    const { prototype, promotion } = await atApproval();
    const view = await journal.reads(workspace).promotion(promotion);
    if (view === null) throw new Error('expected the promotion');
    const { candidate, policyId } = view.state;
    const opened = await Promise.allSettled(
      Array.from({ length: 3 }, () =>
        ask(people.bea, {
          kind: 'OpenPromotion',
          promotion: idFrom('prm', randomUUID()),
          prototype,
          candidate: candidate.id,
          policyId,
        }),
      ),
    );
    expect(opened.some((one) => one.status === 'fulfilled' && one.value.kind === 'accepted')).toBe(true);
    const { items } = await journal.reads(workspace).promotions({ prototype, open: true, limit: 10 });
    expect(items).toHaveLength(1);
  });

  it('shuts out an older claimant by its fence', async () => {
    const { promotion } = await atApproval();
    await accepted(people.sam, await voteOn(promotion));
    const worker = builtinPrincipals.worker.id;
    const first = await accepted(worker, { kind: 'Claim', promotion, step: 'canary', claimant: 'first' });
    const second = await accepted(worker, { kind: 'Claim', promotion, step: 'canary', claimant: 'second' });
    if (first.answer.kind !== 'granted' || second.answer.kind !== 'granted') throw new Error('expected two grants');
    expect(second.answer.fence).toBeGreaterThan(first.answer.fence);
    const look = { kind: 'Look', promotion, fresh: true, verdict: { kind: 'advance', percent: 10 } } as const;
    const late = await ask(worker, { ...look, fence: first.answer.fence, laneFence: first.answer.laneFence ?? 0 });
    expect(late).toMatchObject({ kind: 'refused', refusal: { code: 'stale_fence' } });
    const good = await accepted(worker, {
      ...look,
      fence: second.answer.fence,
      laneFence: second.answer.laneFence ?? 0,
    });
    expect(good.answer).toMatchObject({ kind: 'steered', weight: 10 });
    await accepted(people.olga, { kind: 'Rollback', promotion });
    const view = await journal.reads(workspace).promotion(promotion);
    expect(view?.production?.state).toMatchObject({ weight: 0, hold: { reason: 'rolled_back' } });
  });

  it('lets a lease end with what was seen, however late a look comes', async () => {
    const { promotion } = await atApproval();
    await accepted(people.sam, await voteOn(promotion));
    const worker = builtinPrincipals.worker.id;
    const { answer } = await accepted(worker, { kind: 'Claim', promotion, step: 'canary', claimant: 'first' });
    if (answer.kind !== 'granted') throw new Error('expected a grant');
    const { fence, laneFence, at } = answer;
    const look = { kind: 'Look', promotion, fence, fresh: true } as const;
    const advance = { kind: 'advance', percent: 10 } as const;
    await accepted(worker, { ...look, laneFence: laneFence ?? 0, seenAt: at, verdict: advance });
    const leaseMs = async () => (await journal.reads(workspace).promotion(promotion))?.production?.leaseRemainingMs;
    expect(await leaseMs()).toBeGreaterThan(15_000);
    const hold = { ...look, laneFence: (laneFence ?? 0) + 1, verdict: { kind: 'hold' } } as const;
    await accepted(worker, { ...hold, seenAt: at - 20_000 });
    expect(await leaseMs()).toBeLessThanOrEqual(10_000);
    const before = await leaseMs();
    await accepted(worker, { ...hold, seenAt: at - 3_600_000 });
    expect(await leaseMs()).toBeLessThanOrEqual(before ?? 0);
  });

  it('keeps free text in the vault and a commitment in the entry', async () => {
    const { promotion } = await atApproval();
    await ask(people.sam, await voteOn(promotion, 'reject'), { reason: 'the retention period is missing' });
    const entries = await journal.reads(workspace).history({ stream: 'promotion', id: promotion, limit: 100 });
    const entry = entries.find((one) => one.kind === 'decision_recorded');
    expect(entry?.bytes).not.toContain('retention');
    const reasons = await journal.reads(workspace).reasons(entries.map((one) => one.id));
    expect(reasons[entry?.id ?? -1]).toBe('the retention period is missing');
  });
});

describe('tenancy', () => {
  it('shows nothing of one workspace to another', async () => {
    const { promotion } = await atApproval();
    const other = idFrom('wsp', randomUUID());
    expect(await journal.reads(other).promotion(promotion)).toBeNull();
    expect(await journal.reads(other).history({ stream: 'promotion', id: promotion, limit: 10 })).toEqual([]);
  });
});

describe('the pump', () => {
  it('gives every entry one position and marks who must look again', async () => {
    const { promotion } = await atApproval();
    const pump = await openPump({ url: pumpUrl, durable: false });
    const sequencer = await pump.lead('sequencer');
    expect(await pump.lead('sequencer')).toBeNull();
    while ((await sequencer?.sequence(50)) !== 0);
    const events = await journal.reads(workspace).events({ after: -1, limit: 10_000 });
    expect(events.map((event) => event.position)).toEqual(events.map((_, index) => index));
    const waker = await pump.lead('waker');
    const marks = (await waker?.dirty(100)) ?? [];
    expect(marks.map((mark) => mark.promotion)).toContain(promotion);
    await waker?.settle(marks);
    expect(await waker?.dirty(100)).toEqual([]);
    await Promise.all([sequencer?.resign(), waker?.resign(), pump.close()]);
  });
});
