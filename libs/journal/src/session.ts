import { invariant, isId, uuidOf, type WorkspaceId } from '@proviso/domain';
import pg from 'pg';
import { JournalFailure } from './failure.ts';
import { type Statement, statement } from './statement.ts';

/**
 * Every session's limits: a frozen process once held a row lock for 20 s; with these it is 5 s at the worst. They are
 * set at connection, so that no transaction can forget them. Plans are made once a statement and connection: planning the
 * one write anew each time took longer than running it.
 */
const limits =
  '-c lock_timeout=2000 -c statement_timeout=5000 -c idle_in_transaction_session_timeout=5000 -c plan_cache_mode=force_generic_plan';

/** How long a caller waits for a connection before it is told to come back. */
const connectTimeoutMs = 5_000;

const whoAmI = statement(
  'session.role',
  `select rolsuper or rolbypassrls as unsafe, rolname as name,
          current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous_commit
     from pg_roles where rolname = current_user`,
);

/** One row as the driver hands it out; the callers know their columns. */
export type Row = Record<string, unknown>;

/** A transaction's connection: statements are pipelined, so several started together cost one round trip. */
export interface Transaction {
  readonly run: (what: Statement, values?: readonly unknown[]) => Promise<readonly Row[]>;
  /** Sends COMMIT behind whatever was started before; nothing is durable before it resolves. */
  readonly commit: () => Promise<void>;
}

/** Connections of one role. */
export interface Session {
  readonly transaction: <T>(
    workspace: WorkspaceId | null,
    work: (transaction: Transaction) => Promise<T>,
  ) => Promise<T>;
  readonly close: () => Promise<void>;
}

/** How to connect. */
export interface SessionOptions {
  readonly url: string;
  readonly connectionsMax: number;
  readonly onError: (error: Error) => void;
  /** Refuse a server that may forget what it acknowledged. Off in tests that trade durability for speed. */
  readonly durable: boolean;
}

/** Opens a pool and refuses to work as a role that could see across workspaces. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    options: limits,
    application_name: 'proviso',
    pipeline: true,
  });
  // Without a listener an idle connection that the server ends (57P01) would end this process too.
  pool.on('error', options.onError);
  try {
    await refuseUnsafe(pool, options.durable);
  } catch (error) {
    await pool.end();
    throw error;
  }
  return {
    transaction: (workspace, work) => withTransaction(pool, workspace, work),
    close: () => pool.end(),
  };
}

async function refuseUnsafe(pool: pg.Pool, durable: boolean): Promise<void> {
  const { rows } = await pool.query<Row>({ ...whoAmI }).catch((error: unknown) => {
    throw new JournalFailure('unavailable', 'expected a database that answers', error);
  });
  const [role] = rows;
  if (role === undefined || role.unsafe === true) {
    throw new JournalFailure(
      'unsafe_role',
      `expected a role without superuser and BYPASSRLS, got ${String(role?.name)}`,
    );
  }
  if (durable && (role.fsync === 'off' || role.synchronous_commit === 'off')) {
    throw new JournalFailure(
      'unsafe_role',
      'expected fsync and synchronous_commit on: an acknowledgement means durable',
    );
  }
}

async function withTransaction<T>(
  pool: pg.Pool,
  workspace: WorkspaceId | null,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw new JournalFailure('unavailable', 'expected a database that answers', error);
  });
  // A connection that breaks between two statements reports here as well as in the statement; the statement is heard.
  const ignore = () => undefined;
  client.on('error', ignore);
  let committed = false;
  let failed: Error | null = null;
  let broken: Error | boolean = false;
  const together = batching(client);
  const opened = together(() => client.query(beginFor(workspace)));
  try {
    const transaction: Transaction = {
      run: async (what, values = []) => {
        try {
          return (await together(() => client.query<Row>({ ...what, values: [...values] }))).rows;
        } catch (error) {
          failed ??= error instanceof Error ? error : null;
          throw error;
        }
      },
      commit: async () => {
        const { command } = await together(() => client.query('COMMIT'));
        // A failed statement before it turns COMMIT into ROLLBACK. Both arrive together, so whoever waits for both might
        // hear of this one first: it tells that statement's own error, which says whether to decide again.
        if (command !== 'COMMIT') throw failed ?? new JournalFailure('unavailable', `expected COMMIT, got ${command}`);
        committed = true;
      },
    };
    const [result] = await Promise.all([work(transaction), opened]);
    return result;
  } catch (error) {
    broken = isBroken(error);
    throw error;
  } finally {
    if (!committed && !broken)
      broken = await client.query('ROLLBACK').then(
        () => false,
        (error: Error) => error,
      );
    client.off('error', ignore);
    client.release(broken);
  }
}

/** One message opens the transaction in its workspace. The id is checked, since this protocol message binds no values. */
function beginFor(workspace: WorkspaceId | null): string {
  if (workspace === null) return 'BEGIN';
  invariant(isId('wsp', workspace), 'expected a well-formed workspace');
  return `BEGIN; SET LOCAL proviso.workspace = '${uuidOf(workspace)}'`;
}

/** Statements that are started in one turn of the event loop leave in one packet: most of a short statement is its sending. */
function batching(client: pg.PoolClient): <Sent>(send: () => Sent) => Sent {
  const { stream } = (client as unknown as { readonly connection: pg.Connection }).connection;
  let corked = false;
  return (send) => {
    if (!corked) {
      corked = true;
      stream.cork();
      process.nextTick(() => {
        corked = false;
        stream.uncork();
      });
    }
    return send();
  };
}

/**
 * True for what ends a session: an error of the system or of those SQLSTATE classes. The driver's own errors have no code
 * and say what broke; any other error without a code is our bug, and must not pass for a database that is away.
 */
export function isBroken(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof JournalFailure) return false;
  const code = codeOf(error);
  if (code === null) return /connection|not queryable/i.test(error.message);
  return (
    !/^[0-9A-Z]{5}$/.test(code) ||
    code.startsWith('57P') ||
    code.startsWith('08') ||
    code === '25P03' ||
    code === '25P04'
  );
}

/** The SQLSTATE or the system's error code, when there is one. */
export function codeOf(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}
