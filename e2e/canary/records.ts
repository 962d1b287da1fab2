import pg from 'pg';
import type { Stage } from '../stage.ts';

/** A look as stored, the part that tells whether evidence went on. */
export interface StoredLook {
  readonly number: number;
  readonly move: string;
  readonly looks: number;
  /** Units of the canary that the judge has in its memory, good and bad. */
  readonly canaryUnits: number;
  readonly badUnits: number;
  /** Values of the canary that the judge has of the first metric beside errors; 0 where nothing else is judged. */
  readonly valuesUsed: number;
  readonly logEvidenceMax: number;
}

/** An entry of a lane or about a promotion. */
export interface StoredEntry {
  readonly id: number;
  readonly atMs: number;
  readonly kind: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Reads what the journal holds, as its superuser and with statements of our own. */
export interface Records {
  readonly looks: (promotion: string) => Promise<readonly StoredLook[]>;
  readonly entriesOf: (stream: 'lane' | 'promotion', id: string) => Promise<readonly StoredEntry[]>;
  /** What was refused to whoever wrote about this promotion. */
  readonly refusals: (promotion: string) => Promise<readonly { readonly command: string; readonly code: string }[]>;
  /** The digest of what condemned a promotion; null when nothing did. */
  readonly snapshot: (promotion: string) => Promise<string | null>;
  /** The share as decided, whether or not its lease lives. */
  readonly weight: (lane: string) => Promise<number>;
}

/** Records of a deployment; each question is a connection of its own, since the server is killed now and then. */
export function recordsOf({ superuserUrl }: Pick<Stage, 'superuserUrl'>): Records {
  const rows = async <Row>(sql: string, ...values: readonly string[]): Promise<readonly Row[]> => {
    const client = new pg.Client({ connectionString: superuserUrl, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(sql, [...values])).rows as Row[];
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  return {
    looks: async (promotion) =>
      await rows<StoredLook>(
        `select number, body->>'move' as move, (j->>'looks')::int as looks,
                ((j->'canary'->>'bad')::int + (j->'canary'->>'ok')::int) as "canaryUnits",
                (j->'canary'->>'bad')::int as "badUnits",
                coalesce((j->'metrics'->0->'samples'->>'canary')::int, 0) as "valuesUsed", (j->>'logEvidenceMax')::float8 as "logEvidenceMax"
           from proviso.look, lateral (select body->'course'->'judge' as j) as judge
          where promotion = $1 order by number`,
        promotion,
      ),
    entriesOf: async (stream, id) =>
      await rows<StoredEntry>(
        `select id::int, (extract(epoch from at) * 1000)::float8 as "atMs", kind,
                convert_from(bytes, 'UTF8')::jsonb->'body' as body
           from proviso.entry where stream = $1 and stream_id = $2 order by id`,
        stream,
        id,
      ),
    refusals: async (promotion) =>
      await rows(
        `select b->>'command' as command, b->>'code' as code
           from proviso.entry, lateral (select convert_from(bytes, 'UTF8')::jsonb->'body' as b) as body
          where stream = 'log' and kind = 'refusal_recorded' and b->>'promotion' = $1 order by id`,
        promotion,
      ),
    snapshot: async (promotion) => {
      const sql = `select state->>'snapshot' as digest from proviso.stream where kind = 'promotion' and id = $1`;
      return (await rows<{ digest: string | null }>(sql, promotion))[0]?.digest ?? null;
    },
    weight: async (lane) => {
      const sql = `select (state->>'weight')::int as weight from proviso.stream where kind = 'lane' and id = $1`;
      return (await rows<{ weight: number }>(sql, lane))[0]?.weight ?? Number.NaN;
    },
  };
}
