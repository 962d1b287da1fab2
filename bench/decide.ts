import { createHash, randomUUID } from 'node:crypto';
import {
  builtinPrincipals,
  type Command,
  idFrom,
  type PersonId,
  type Policy,
  type PromotionId,
  type WorkspaceId,
} from '@proviso/domain';
import { type Journal, openJournal } from '@proviso/journal';
import { createDatabase, startPostgres } from '@proviso/testkit';
import pg from 'pg';
import { type BenchLine, median, quantile, rounded } from './line.ts';
import type { BenchOptions } from './main.ts';

/**
 * `submit(Decide)` on different promotions, durable, against a bare single-row insert transaction by the same client
 * library, in the same pipelined mode, on the same server, alternating in one run.
 */
export async function run(options: BenchOptions): Promise<readonly BenchLine[]> {
  const postgres = await startPostgres({ durable: true });
  try {
    const database = await createDatabase(postgres.url);
    const journal = await openJournal({
      url: database.appUrl,
      connectionsMax: 16,
      origin: 'bench',
      vaultKeyHex: database.vaultKeyHex,
    });
    const bare = await openBare(database.superuserUrl);
    const lines: BenchLine[] = [];
    for (const writers of [1, 16]) lines.push(...(await compare({ journal, bare, writers, options })));
    await Promise.all([journal.close(), bare.end()]);
    return lines;
  } finally {
    await postgres.stop();
  }
}

interface Comparison {
  readonly journal: Journal;
  readonly bare: pg.Pool;
  readonly writers: number;
  readonly options: BenchOptions;
}

async function compare({ journal, bare, writers, options }: Comparison): Promise<readonly BenchLine[]> {
  const decisions = (options.quick ? 40 : 200) * Math.min(writers, 8);
  const ours: Round[] = [];
  const theirs: Round[] = [];
  // One more than asked: the first round warms plans and code, and is dropped.
  for (let round = 0; round <= options.rounds; round += 1) {
    const votes = await prepare(journal, decisions);
    ours.push(await timed(votes, writers));
    theirs.push(
      await timed(
        Array.from({ length: decisions }, () => () => insertOne(bare)),
        writers,
      ),
    );
  }
  const [our, their] = [ours.slice(1), theirs.slice(1)];
  const perSecond = [our, their].map((rounds) => median(rounds.map((one) => one.perSecond))) as [number, number];
  const p99 = [our, their].map((rounds) => median(rounds.map((one) => one.p99Ms))) as [number, number];
  const name = `${writers}_writers`;
  const ratio = rounded(perSecond[0] / perSecond[1]);
  const common = { bench: 'decide', peerName: 'bare insert' } as const;
  return [
    {
      ...common,
      metric: `per_second_${name}`,
      ours: rounded(perSecond[0]),
      peer: rounded(perSecond[1]),
      ratio,
      goal: 'ratio >= 0.2',
      met: ratio >= 0.2,
    },
    {
      ...common,
      metric: `p99_ms_${name}`,
      ours: rounded(p99[0]),
      peer: rounded(p99[1]),
      ratio: rounded(p99[0] / p99[1]),
      goal: writers === 16 ? 'p99 <= 25 ms' : 'none',
      met: writers !== 16 || p99[0] <= 25,
    },
  ];
}

interface Round {
  readonly perSecond: number;
  readonly p99Ms: number;
}

async function timed(jobs: readonly (() => Promise<void>)[], writers: number): Promise<Round> {
  const waiting = [...jobs];
  const tookMs: number[] = [];
  const started = performance.now();
  await Promise.all(
    Array.from({ length: writers }, async () => {
      for (let job = waiting.pop(); job !== undefined; job = waiting.pop()) {
        const before = performance.now();
        await job();
        tookMs.push(performance.now() - before);
      }
    }),
  );
  return { perSecond: (jobs.length / (performance.now() - started)) * 1_000, p99Ms: quantile(tookMs, 0.99) };
}

async function openBare(url: string): Promise<pg.Pool> {
  const pool = new pg.Pool({ connectionString: url, max: 16, pipeline: true });
  pool.on('error', () => undefined);
  await pool.query(
    'create table if not exists bare (id bigint generated always as identity primary key, body text not null)',
  );
  return pool;
}

const insert = { name: 'bare.insert', text: 'insert into bare (body) values ($1)' };

async function insertOne(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  await Promise.all([client.query('BEGIN'), client.query({ ...insert, values: ['one row'] }), client.query('COMMIT')]);
  client.release();
}

const votersPerPromotion = 4;

const policy: Policy = {
  name: 'bench',
  environment: 'production',
  evidenceAgeMaxMs: 30 * 86_400_000,
  gates: [
    { gate: 'approval', requirements: [{ from: 'group/security', count: votersPerPromotion }], expiresMs: 86_400_000 },
    {
      gate: 'canary',
      attemptsMax: 3,
      weights: [50],
      lookMs: 1_000,
      dwellMs: 0,
      deadlineMs: 60_000,
      alpha: 0.01,
      beta: 0.05,
      rateRatioMax: 2,
    },
  ],
};

/** Opens as many promotions as the votes need and hands the votes out, each still to be cast. */
async function prepare(journal: Journal, decisions: number): Promise<readonly (() => Promise<void>)[]> {
  const workspace: WorkspaceId = idFrom('wsp', randomUUID());
  const submit = async (actor: PersonId, command: Command): Promise<void> => {
    const receipt = await journal.submit({ workspace, actor, command, idempotencyKey: randomUUID(), authn: 'bench' });
    if (receipt.kind === 'refused')
      throw new Error(`expected ${command.kind} to be accepted, got ${receipt.refusal.code}`);
  };
  const founder = builtinPrincipals.founder.id;
  const people = Array.from({ length: votersPerPromotion + 1 }, () => idFrom('psn', randomUUID()));
  const [builder, ...voters] = people as [PersonId, ...PersonId[]];
  await submit(founder, { kind: 'OpenWorkspace', workspace, name: 'bench' });
  await submit(founder, {
    kind: 'AddPerson',
    person: builder,
    principal: 'human',
    bindings: [{ role: 'builder' }, { role: 'policy-owner' }],
  });
  for (const person of voters)
    await submit(founder, {
      kind: 'AddPerson',
      person,
      principal: 'human',
      bindings: [{ role: 'approver', group: 'security' }],
    });
  const policyId = idFrom('pol', randomUUID());
  await submit(builder, { kind: 'PublishPolicy', policyId, policy, digest: digestOf(policyId), author: builder });
  const promotions = await Promise.all(
    Array.from({ length: Math.ceil(decisions / votersPerPromotion) }, () => openOne({ submit, builder, policyId })),
  );
  const votes = voters.flatMap((voter) => promotions.map((promotion) => ({ voter, promotion })));
  const commands = await Promise.all(
    votes
      .slice(0, decisions)
      .map(async (vote) => ({ ...vote, command: await voteFor(journal, workspace, vote.promotion) })),
  );
  return commands.map(
    ({ voter, command }) =>
      () =>
        submit(voter, command),
  );
}

async function openOne(ports: {
  submit: (actor: PersonId, command: Command) => Promise<void>;
  builder: PersonId;
  policyId: `pol_${string}`;
}): Promise<PromotionId> {
  const { submit, builder, policyId } = ports;
  const [prototype, promotion, candidate] = [
    idFrom('pro', randomUUID()),
    idFrom('prm', randomUUID()),
    idFrom('cnd', randomUUID()),
  ];
  const lanes = { staging: idFrom('lane', randomUUID()), production: idFrom('lane', randomUUID()) };
  await submit(builder, {
    kind: 'RegisterPrototype',
    prototype,
    name: 'bench',
    owner: builder,
    lanes,
    hosts: { staging: 's', production: 'p' },
  });
  const provenance = { kind: 'upload', uploader: builder, authors: [] } as const;
  const content = {
    id: candidate,
    version: 'v1',
    manifestDigest: digestOf(candidate),
    manifest: { v: 1, artifact: digestOf(prototype), parts: {} },
    provenance,
  } as const;
  await submit(builder, { kind: 'FreezeCandidate', prototype, candidate: content });
  await submit(builder, { kind: 'OpenPromotion', promotion, prototype, candidate, policyId });
  return promotion;
}

async function voteFor(journal: Journal, workspace: WorkspaceId, promotion: PromotionId): Promise<Command> {
  const view = await journal.reads(workspace).promotion(promotion);
  const gate = view?.state.gates[0];
  if (view === null || gate?.evidenceDigest == null) throw new Error('expected an open approval gate');
  const shown = { artifact: view.state.candidate.manifest.artifact, evidenceDigest: gate.evidenceDigest };
  return {
    kind: 'Decide',
    promotion,
    gate: 'approval',
    attempt: gate.attempt,
    decision: idFrom('dec', randomUUID()),
    verdict: 'approve',
    ...shown,
  };
}

function digestOf(text: string): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
