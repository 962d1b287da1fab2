import { randomUUID } from 'node:crypto';
import {
  builtinPrincipals,
  type Command,
  idFrom,
  type PersonId,
  type PersonState,
  type Policy,
  type PromotionId,
  type WorkspaceId,
} from '@proviso/domain';
import { createDatabase, type TestDatabase } from '@proviso/testkit';
import pg from 'pg';
import { type Journal, openJournal, type Receipt, type Submission } from './index.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}` as const;
const worker = builtinPrincipals.worker.id;
const founder = builtinPrincipals.founder.id;

const policy: Policy = {
  name: 'standard',
  environment: 'production',
  evidenceAgeMaxMs: 30 * 86_400_000,
  gates: [
    { gate: 'readiness', attemptsMax: 3 },
    { gate: 'approval', requirements: [{ from: 'group/security', count: 1 }], expiresMs: 7 * 86_400_000 },
    {
      ...{ gate: 'canary', attemptsMax: 3, weights: [10, 20, 30, 40, 50, 60, 70, 80, 90] },
      ...{ lookMs: 1_000, dwellMs: 0, deadlineMs: 60_000, alpha: 0.01, beta: 0.05, rateRatioMax: 2 },
    },
  ],
};

let database: TestDatabase;
let journal: Journal;
const workspace: WorkspaceId = idFrom('wsp', randomUUID());
const security = [{ role: 'approver', group: 'security' }] as const;

beforeAll(async () => {
  database = await createDatabase();
  journal = await opened(database.vaultKeyHex);
  await accepted(founder, { kind: 'OpenWorkspace', workspace, name: 'test' });
});

afterAll(async () => {
  await journal.close();
});

function opened(vaultKeyHex: string): Promise<Journal> {
  return openJournal({ url: database.appUrl, connectionsMax: 12, origin: 'test', vaultKeyHex, durable: false });
}

type More = Partial<Pick<Submission, 'reason' | 'personal' | 'idempotencyKey' | 'token'>>;

async function ask(actor: PersonId, command: Command, more: More = {}): Promise<Receipt> {
  return await journal.submit({ workspace, actor, command, idempotencyKey: randomUUID(), authn: 'test', ...more });
}

async function accepted(actor: PersonId, command: Command, more: More = {}) {
  const receipt = await ask(actor, command, more);
  if (receipt.kind === 'refused')
    throw new Error(`expected ${command.kind} to be accepted, got ${receipt.refusal.code}`);
  return receipt;
}

async function person(bindings: PersonState['bindings'], more: Partial<PersonState> = {}): Promise<PersonId> {
  const id = idFrom('psn', randomUUID());
  const { kind: principal = 'human', actsFor } = more;
  const added = { kind: 'AddPerson', person: id, principal, bindings } as const;
  await accepted(founder, actsFor === undefined ? added : { ...added, actsFor });
  return id;
}

interface Cast {
  readonly builder: PersonId;
  readonly publisher: PersonId;
}

async function castOf(more: Partial<Cast> = {}): Promise<Cast> {
  const builder = more.builder ?? (await person([{ role: 'builder' }]));
  return { builder, publisher: more.publisher ?? (await person([{ role: 'policy-owner' }])) };
}

/** A prototype with one version, under a policy, ready to be promoted. */
async function prepared({ builder, publisher }: Cast, pinned: Policy = policy) {
  const [prototype, candidate] = [idFrom('pro', randomUUID()), idFrom('cnd', randomUUID())];
  const policyId = idFrom('pol', randomUUID());
  const lanes = { staging: idFrom('lane', randomUUID()), production: idFrom('lane', randomUUID()) };
  const hosts = { staging: 's', production: 'p' };
  await accepted(builder, { kind: 'RegisterPrototype', prototype, name: 'desk', owner: builder, lanes, hosts });
  const content = {
    ...{ id: candidate, version: 'v1', manifestDigest: digest('a') },
    manifest: { v: 1, artifact: digest('b'), parts: {} },
    provenance: { kind: 'upload', uploader: builder, authors: [] },
  } as const;
  await accepted(builder, { kind: 'FreezeCandidate', prototype, candidate: content });
  const source = digest(randomUUID().slice(0, 1));
  await person([{ role: 'approver', group: 'security' }]);
  await accepted(publisher, { kind: 'PublishPolicy', policyId, policy: pinned, digest: source, author: publisher });
  return { prototype, candidate, policyId };
}

async function reportOn(promotion: PromotionId, reasons: readonly { code: string; message: string }[]) {
  const claim = await accepted(worker, { kind: 'Claim', promotion, step: 'readiness', claimant: 'one' });
  if (claim.answer.kind !== 'granted') throw new Error(`expected a grant, got ${claim.answer.kind}`);
  const { attempt, fence } = claim.answer;
  const told = { gate: 'readiness', attempt, fence, verdict: 'pass', reasons, measure: null } as const;
  const evidence = [{ kind: 'readiness', digest: digest('d') }];
  return await ask(worker, { kind: 'Report', promotion, ...told, evidence });
}

async function atApproval(cast: Cast, pinned: Policy = policy): Promise<PromotionId> {
  const promotion = idFrom('prm', randomUUID());
  await accepted(cast.builder, { kind: 'OpenPromotion', promotion, ...(await prepared(cast, pinned)) });
  await reportOn(promotion, []);
  return promotion;
}

async function voteOn(promotion: PromotionId): Promise<Command> {
  const view = await journal.reads(workspace).promotion(promotion);
  const gate = view?.state.gates.find((one) => one.name === 'approval');
  if (view === null || gate?.evidenceDigest == null) throw new Error('expected an open approval gate');
  const shown = { artifact: view.state.candidate.manifest.artifact, evidenceDigest: gate.evidenceDigest };
  const decision = idFrom('dec', randomUUID());
  return { kind: 'Decide', promotion, gate: 'approval', attempt: gate.attempt, decision, verdict: 'approve', ...shown };
}

describe('a body that fits no entry', () => {
  it('is refused by a name and never taken for a database that is away', async () => {
    const cast = await castOf();
    const promotion = idFrom('prm', randomUUID());
    await accepted(cast.builder, { kind: 'OpenPromotion', promotion, ...(await prepared(cast)) });
    const reasons = Array.from({ length: 200 }, (_, index) => ({ code: `r${index}`, message: 'x'.repeat(2_000) }));
    expect(await reportOn(promotion, reasons)).toMatchObject({ kind: 'refused', refusal: { code: 'too_large' } });
    const view = await journal.reads(workspace).promotion(promotion);
    expect(view?.state.gates[0]?.status).toBe('claimed');
  });

  it('with letters that no text has is a failure of ours that is not worth a retry', async () => {
    const cast = await castOf();
    const promotion = idFrom('prm', randomUUID());
    await accepted(cast.builder, { kind: 'OpenPromotion', promotion, ...(await prepared(cast)) });
    const reported = reportOn(promotion, [{ code: 'r', message: '\ud800' }]);
    const error: unknown = await reported.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toMatchObject({ retryable: true });
  });

  it('is not reached by granting one person ever more roles', async () => {
    const much = await person([]);
    const answers: string[] = [];
    for (let index = 0; index < 130; index += 1) {
      const binding = { role: 'approver', group: `g${index}-${'x'.repeat(50)}` } as const;
      const receipt = await ask(founder, { kind: 'GrantRole', person: much, binding });
      answers.push(receipt.kind === 'refused' ? receipt.refusal.code : receipt.kind);
    }
    expect(new Set(answers)).toEqual(new Set(['accepted', 'too_many']));
    expect(await ask(much, { kind: 'OpenWorkspace', workspace, name: 'x' })).toMatchObject({ kind: 'refused' });
  });
});

describe('separation of duties', () => {
  it('excludes the human for whom a service published the policy', async () => {
    const human = await person([...security]);
    const publisher = await person([{ role: 'policy-owner' }], { kind: 'service', actsFor: human });
    const promotion = await atApproval(await castOf({ publisher }));
    expect(await ask(human, await voteOn(promotion))).toMatchObject({
      kind: 'refused',
      refusal: { code: 'own_work', rule: 'separation/policy_author' },
    });
  });

  it('lets nothing begin that an agent of nobody took part in', async () => {
    const builder = await person([{ role: 'builder' }], { kind: 'agent' });
    const promotion = idFrom('prm', randomUUID());
    const things = await prepared(await castOf({ builder }));
    expect(await ask(builder, { kind: 'OpenPromotion', promotion, ...things })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'no_owner' },
    });
  });
});

describe('a machine', () => {
  it.each(['service', 'agent'] as const)(
    'of the kind %s does nothing more once its human is shut out',
    async (kind) => {
      const [root, human] = [await person([{ role: 'administrator' }]), await person([])];
      const machine = await person([{ role: 'administrator' }], { kind, actsFor: human });
      expect(await ask(machine, { kind: 'EndSessions', person: root })).toMatchObject({ kind: 'accepted' });
      await accepted(root, { kind: 'DisablePerson', person: human });
      expect(await ask(machine, { kind: 'EndSessions', person: root })).toMatchObject({
        ...{ kind: 'refused', refusal: { code: 'nobody_answers', rule: 'answerer' } },
      });
    },
  );
});

describe('a lent token', () => {
  it('does nothing more once its lender is shut out', async () => {
    const [lender, holder] = [await person([{ role: 'administrator' }]), await person([{ role: 'administrator' }])];
    const id = idFrom('tok', randomUUID());
    const token = {
      id,
      hash: `sha256:${randomUUID().replaceAll('-', '').repeat(2)}`,
      expiresAt: Date.now() + 60_000,
    } as const;
    await accepted(lender, { kind: 'IssueToken', person: holder, token });
    const end = { kind: 'EndSessions', person: holder } as const;
    expect(await ask(holder, end, { token: id })).toMatchObject({ kind: 'accepted' });
    await accepted(holder, { kind: 'DisablePerson', person: lender });
    const late = await ask(holder, end, { token: id });
    expect(late).toMatchObject({ kind: 'refused', refusal: { code: 'nobody_answers', rule: 'lender' } });
    expect(await ask(holder, end)).toMatchObject({ kind: 'accepted' });
  });
});

describe('a key', () => {
  it('is one entry and one answer for fifty who use it at once', async () => {
    const cast = await castOf();
    const sam = await person([...security]);
    const promotion = await atApproval(cast);
    const vote = await voteOn(promotion);
    const idempotencyKey = randomUUID();
    const receipts = await Promise.all(Array.from({ length: 50 }, () => ask(sam, vote, { idempotencyKey })));
    expect(receipts.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(receipts.map((receipt) => JSON.stringify({ ...receipt, replayed: null }))).size).toBe(1);
    const refusedKey = randomUUID();
    const noes = await Promise.all(
      Array.from({ length: 50 }, () => ask(cast.builder, vote, { idempotencyKey: refusedKey })),
    );
    expect(noes.every((no) => no.kind === 'refused')).toBe(true);
    const log = await journal.reads(workspace).history({ stream: 'log', id: 'refusals', limit: 1_000 });
    expect(log.filter((entry) => entry.bytes.includes(promotion))).toHaveLength(1);
  });

  it('is a conflict for another name of a person', async () => {
    const add = { kind: 'AddPerson', person: idFrom('psn', randomUUID()), principal: 'human', bindings: [] } as const;
    const idempotencyKey = randomUUID();
    await accepted(founder, add, { idempotencyKey, personal: { name: 'Ana' } });
    const other = await ask(founder, add, { idempotencyKey, personal: { name: 'Bob' } });
    expect(other).toMatchObject({ kind: 'refused', refusal: { code: 'key_conflict' } });
  });

  it('never answers for what the expiry wrote beside a refusal', async () => {
    const brief: Policy = {
      ...policy,
      gates: policy.gates.map((gate) => (gate.gate === 'approval' ? { ...gate, expiresMs: 1 } : gate)),
    };
    const cast = await castOf();
    const promotion = await atApproval(cast, brief);
    const idempotencyKey = randomUUID();
    const cancel = { kind: 'Cancel', promotion } as const;
    expect(await ask(cast.builder, cancel, { idempotencyKey })).toMatchObject({ kind: 'refused' });
    const beside = await ask(cast.builder, cancel, { idempotencyKey: `${idempotencyKey}#lapse` });
    expect(beside).toMatchObject({ kind: 'refused', refusal: { code: 'promotion_ended' } });
  });
});

describe('rolling back', () => {
  it('wins against looks that advance, whichever comes first', async () => {
    const cast = await castOf();
    const [sam, olga] = [await person([...security]), await person([{ role: 'operator' }])];
    for (let round = 0; round < 25; round += 1) {
      const promotion = await atApproval(cast);
      await accepted(sam, await voteOn(promotion));
      const claim = await accepted(worker, { kind: 'Claim', promotion, step: 'canary', claimant: 'judge' });
      if (claim.answer.kind !== 'granted') throw new Error('expected a grant');
      const { fence, laneFence } = claim.answer;
      const look = (percent: number, lane: number) =>
        ask(worker, {
          ...{ kind: 'Look', promotion, fence, laneFence: lane, fresh: true },
          verdict: { kind: 'advance', percent },
        });
      const looks = [10, 20, 30, 40].map((percent, index) => look(percent, (laneFence ?? 0) + index));
      const [back] = await Promise.all([ask(olga, { kind: 'Rollback', promotion }), ...looks]);
      expect(back.kind).toBe('accepted');
      const after = await look(90, (laneFence ?? 0) + 9);
      expect(after).toMatchObject({ kind: 'refused', refusal: { code: 'stale_fence' } });
      const view = await journal.reads(workspace).promotion(promotion);
      expect([view?.state.weight, view?.production?.state.weight]).toEqual([0, 0]);
      const told = await journal.reads(workspace).history({ stream: 'promotion', id: promotion, limit: 100 });
      const kinds = told.map(({ kind }) => kind);
      expect(kinds.slice(kinds.indexOf('undo_ordered'))).not.toContain('canary_weighed');
    }
  }, 60_000);
});

describe('a session that holds the row and freezes', () => {
  it('delays a vote within bounds, and whoever got no answer lost nothing', async () => {
    const promotion = await atApproval(await castOf());
    const sam = await person([...security]);
    const vote = await voteOn(promotion);
    const frozen = new pg.Client({
      connectionString: database.appUrl,
      options: '-c idle_in_transaction_session_timeout=5000',
    });
    frozen.on('error', () => undefined);
    await frozen.connect();
    await frozen.query('begin');
    await frozen.query(`select set_config('proviso.workspace', $1, true)`, [workspace.slice('wsp_'.length)]);
    const { rowCount } = await frozen.query('select 1 from proviso.stream where id = $1 for update', [promotion]);
    expect(rowCount).toBe(1);
    const begun = performance.now();
    const idempotencyKey = randomUUID();
    const first = await ask(sam, vote, { idempotencyKey }).catch((error: unknown) => error);
    expect(performance.now() - begun).toBeLessThan(12_000);
    if (first instanceof Error) expect(first).toMatchObject({ code: 'contention', retryable: true });
    expect(await accepted(sam, vote, { idempotencyKey })).toMatchObject({ answer: { kind: 'decided', passed: true } });
    await frozen.end().catch(() => undefined);
  }, 30_000);
});

describe('the vault', () => {
  it('opens to no other key, by name, from the very first start on', async () => {
    await expect(opened('f'.repeat(64))).rejects.toMatchObject({ code: 'vault_unreadable', retryable: false });
    const empty = await createDatabase();
    const options = { url: empty.appUrl, connectionsMax: 2, origin: 'test', durable: false };
    const starts = Array.from({ length: 8 }, () => openJournal({ ...options, vaultKeyHex: empty.vaultKeyHex }));
    for (const first of await Promise.all(starts)) await first.close();
    await expect(openJournal({ ...options, vaultKeyHex: 'f'.repeat(64) })).rejects.toMatchObject({
      code: 'vault_unreadable',
    });
  });

  it('is held against what was sealed before there was a marker', async () => {
    await person([...security]);
    const superuser = new pg.Client({ connectionString: database.superuserUrl });
    await superuser.connect();
    try {
      const { rows } = await superuser.query<{ sealed: Buffer }>('delete from proviso.vault_marker returning sealed');
      await superuser.query(
        `insert into proviso.vault_key (workspace, person, wrapped) values (gen_random_uuid(), 'psn_1', $1)`,
        [rows[0]?.sealed],
      );
      await expect(opened('f'.repeat(64))).rejects.toMatchObject({ code: 'vault_unreadable' });
      await (await opened(database.vaultKeyHex)).close();
    } finally {
      await superuser.end();
    }
  });

  it('of a database that was not migrated is waited for, not given up', async () => {
    const superuser = new pg.Client({ connectionString: database.superuserUrl });
    await superuser.connect();
    const name = `bare_${randomUUID().replaceAll('-', '')}`;
    try {
      await superuser.query(`create database ${name}`);
      const url = new URL(database.appUrl);
      url.pathname = `/${name}`;
      const options = { url: url.href, connectionsMax: 1, origin: 'test', durable: false };
      await expect(openJournal({ ...options, vaultKeyHex: database.vaultKeyHex })).rejects.toMatchObject({
        code: 'unavailable',
        retryable: true,
      });
    } finally {
      await superuser.end();
    }
  });
});

describe('a clock that goes back', () => {
  it('never gives an entry an earlier time than the one before it', async () => {
    const promotion = await atApproval(await castOf());
    const superuser = new pg.Client({ connectionString: database.superuserUrl });
    await superuser.connect();
    await superuser.query(`update proviso.stream set updated_at = now() + interval '1 hour' where id = $1`, [
      promotion,
    ]);
    await superuser.end();
    await accepted(await person([...security]), await voteOn(promotion));
    const told = await journal.reads(workspace).history({ stream: 'promotion', id: promotion, limit: 100 });
    const times = told.map(({ at }) => Date.parse(at));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(Math.max(...times)).toBeGreaterThan(Date.now() + 3_000_000);
  });
});
