import pg from 'pg';

/** An entry with its canonical bytes parsed; `position` is its place in the one public order. */
export interface Entry {
  readonly id: number;
  readonly stream: string;
  readonly streamId: string;
  readonly sseq: number;
  readonly kind: string;
  readonly atMs: number;
  readonly bytes: Buffer;
  readonly hash: string;
  readonly position: number | null;
  readonly pending: boolean;
  readonly said: Said;
}

/** What the canonical bytes say. */
export interface Said {
  readonly stream: string;
  readonly sseq: number;
  readonly sprev: string;
  readonly idem: string;
  readonly actor: { readonly pid: string; readonly kind: string; readonly rolesAt: readonly string[] };
  readonly body: Readonly<Record<string, unknown>>;
}

/** A stream's row as stored. */
export interface StreamRow {
  readonly kind: string;
  readonly id: string;
  readonly revision: number;
  readonly head: string;
  readonly state: Readonly<Record<string, unknown>> | null;
}

/** The database at one instant. */
export interface Snapshot {
  readonly nowMs: number;
  readonly entries: readonly Entry[];
  readonly streams: readonly StreamRow[];
  readonly leaves: readonly number[];
  /** By lane: until when its share is leased. */
  readonly leases: ReadonlyMap<string, number>;
  /** By lane: when it was last written. */
  readonly writtenAt: ReadonlyMap<string, number>;
}

/** A restart of PostgreSQL is waited out: it is part of what is tested. */
const connectTriesMax = 60;
const connectAgainMs = 500;

/** Reads all in one snapshot, as the superuser, so that no policy hides a row. */
export async function readSnapshot(databaseUrl: string): Promise<Snapshot> {
  for (let tries = 1; ; tries += 1) {
    const client = new pg.Client({ connectionString: databaseUrl });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await read(client);
    } catch (error) {
      if (tries === connectTriesMax) throw error;
      await new Promise((resolve) => setTimeout(resolve, connectAgainMs));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

async function read(client: pg.Client): Promise<Snapshot> {
  await client.query('begin isolation level repeatable read read only');
  const now = await client.query(`select (extract(epoch from clock_timestamp()) * 1000)::float8 as now`);
  const entries = await client.query(
    `select e.id, e.stream, e.stream_id, e.sseq, e.kind, (extract(epoch from e.at) * 1000)::float8 as at_ms, e.bytes,
            encode(e.hash, 'hex') as hash, l.index as position, p.entry is not null as pending
       from proviso.entry e
       left join proviso.leaf l on l.entry = e.id
       left join proviso.pending p on p.entry = e.id
      order by e.id`,
  );
  const streams = await client.query(
    `select kind, id, revision, encode(head, 'hex') as head, state, (extract(epoch from updated_at) * 1000)::float8 as at_ms
       from proviso.stream`,
  );
  const leaves = await client.query('select index from proviso.leaf order by index');
  const leases = await client.query(
    `select lane, (extract(epoch from until) * 1000)::float8 as until_ms from proviso.lease`,
  );
  await client.query('commit');
  return {
    nowMs: Number(now.rows[0]?.now),
    entries: entries.rows.map(entryOf),
    streams: streams.rows as StreamRow[],
    leaves: leaves.rows.map((row: { index: string }) => Number(row.index)),
    leases: new Map(leases.rows.map((row: { lane: string; until_ms: number }) => [row.lane, row.until_ms])),
    writtenAt: new Map(streams.rows.map((row: { id: string; at_ms: number }) => [row.id, row.at_ms])),
  };
}

function entryOf(row: Record<string, unknown>): Entry {
  const bytes = row.bytes as Buffer;
  return {
    id: Number(row.id),
    stream: String(row.stream),
    streamId: String(row.stream_id),
    sseq: Number(row.sseq),
    kind: String(row.kind),
    atMs: Number(row.at_ms),
    bytes,
    hash: String(row.hash),
    position: row.position === null ? null : Number(row.position),
    pending: row.pending === true,
    said: JSON.parse(bytes.toString('utf8')) as Said,
  };
}

/** The entries of each stream in the order of their numbers. */
export function byStream(entries: readonly Entry[]): ReadonlyMap<string, readonly Entry[]> {
  const streams = new Map<string, Entry[]>();
  for (const entry of entries) {
    const name = `${entry.stream}/${entry.streamId}`;
    const known = streams.get(name);
    if (known === undefined) streams.set(name, [entry]);
    else known.push(entry);
  }
  for (const known of streams.values()) known.sort((a, b) => a.sseq - b.sseq || a.id - b.id);
  return streams;
}
