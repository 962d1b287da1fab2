import type { Policy } from '@proviso/domain';
import { type Journal, openJournal } from '@proviso/journal';
import { createDatabase, startPostgres } from '@proviso/testkit';
import pg from 'pg';
import { approvalOf, foundWorkspace, preparedPromotion, submitted } from './bench-workspace.ts';
import { type BenchLine, median, quantile, rounded } from './line.ts';
import type { BenchOptions } from './main.ts';

/**
 * `submit(Decide)` on different promotions, durable, against a bare single-row insert transaction by the same client
 * library on the same server, sent plainly and sent pipelined, alternating in one run.
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
    const peers = await openPeers(database.superuserUrl);
    const lines: BenchLine[] = [];
    for (const writers of [1, 16]) lines.push(...(await compare({ journal, peers, writers, options })));
    await Promise.all([journal.close(), ...peers.map((peer) => peer.close())]);
    return lines;
  } finally {
    await postgres.stop();
  }
}

interface Peer {
  readonly peerName: string;
  readonly insertOne: () => Promise<void>;
  readonly close: () => Promise<void>;
}

interface Comparison {
  readonly journal: Journal;
  readonly peers: readonly Peer[];
  readonly writers: number;
  readonly options: BenchOptions;
}

async function compare({ journal, peers, writers, options }: Comparison): Promise<readonly BenchLine[]> {
  const decisions = (options.quick ? 40 : 200) * Math.min(writers, 8);
  const ours: Round[] = [];
  const theirs = peers.map((): Round[] => []);
  // One more than asked: the first round warms plans and code, and is dropped.
  for (let round = 0; round <= options.rounds; round += 1) {
    ours.push(await timed(await prepare(journal, decisions), writers));
    for (const [index, { insertOne }] of peers.entries()) {
      theirs[index]?.push(
        await timed(
          Array.from({ length: decisions }, () => insertOne),
          writers,
        ),
      );
    }
  }
  return peers.flatMap(({ peerName }, index) =>
    linesOf({ ours: ours.slice(1), theirs: theirs[index]?.slice(1) ?? [], peerName, writers }),
  );
}

function linesOf(seen: {
  ours: readonly Round[];
  theirs: readonly Round[];
  peerName: string;
  writers: number;
}): readonly BenchLine[] {
  const { ours, theirs, peerName, writers } = seen;
  const middle = (rounds: readonly Round[], of: keyof Round): number => median(rounds.map((one) => one[of]));
  const ratio = rounded(middle(ours, 'perSecond') / middle(theirs, 'perSecond'));
  const p99Ms = middle(ours, 'p99Ms');
  return [
    {
      ...{ bench: 'decide', metric: `per_second_${writers}_writers`, peerName },
      ...{ ours: rounded(middle(ours, 'perSecond')), peer: rounded(middle(theirs, 'perSecond')), ratio },
      ...{ goal: 'ratio >= 0.2', met: ratio >= 0.2 },
    },
    {
      ...{ bench: 'decide', metric: `p99_ms_${writers}_writers`, peerName },
      ...{
        ours: rounded(p99Ms),
        peer: rounded(middle(theirs, 'p99Ms')),
        ratio: rounded(p99Ms / middle(theirs, 'p99Ms')),
      },
      ...{ goal: writers === 16 ? 'p99 <= 25 ms' : 'none', met: writers !== 16 || p99Ms <= 25 },
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

const insert = { name: 'bare.insert', text: 'insert into bare (body) values ($1)', values: ['one row'] };

/** The bare transaction in both ways in which the library can send it: one after the other as by default, and pipelined. */
async function openPeers(url: string): Promise<readonly Peer[]> {
  const [plain, pipelined] = [false, true].map((pipeline) => new pg.Pool({ connectionString: url, max: 16, pipeline }));
  if (plain === undefined || pipelined === undefined) throw new Error('expected two pools');
  for (const pool of [plain, pipelined]) pool.on('error', () => undefined);
  await plain.query(
    'create table if not exists bare (id bigint generated always as identity primary key, body text not null)',
  );
  return [
    {
      peerName: 'bare insert',
      close: () => plain.end(),
      insertOne: async () => {
        const client = await plain.connect();
        await client.query('BEGIN');
        await client.query(insert);
        await client.query('COMMIT');
        client.release();
      },
    },
    {
      peerName: 'bare insert, pipelined',
      close: () => pipelined.end(),
      insertOne: async () => {
        const client = await pipelined.connect();
        await Promise.all([client.query('BEGIN'), client.query(insert), client.query('COMMIT')]);
        client.release();
      },
    },
  ];
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
  const founded = await foundWorkspace(journal, { approvers: votersPerPromotion, policy });
  const promotions = await Promise.all(
    Array.from({ length: Math.ceil(decisions / votersPerPromotion) }, async () => {
      const { id, open } = await preparedPromotion(founded);
      await open();
      return id;
    }),
  );
  const votes = founded.approvers.flatMap((voter) => promotions.map((promotion) => ({ voter, promotion })));
  return await Promise.all(
    votes.slice(0, decisions).map(async ({ voter, promotion }) => {
      const command = await approvalOf(founded, promotion);
      return () => submitted(founded, voter, command);
    }),
  );
}
