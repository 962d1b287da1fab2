import { type PersonId, type WorkspaceId, uuidOf } from '@proviso/domain';
import { browserSessions } from './browser-sessions.ts';
import { JournalFailure } from './failure.ts';
import type { Journal, JournalOptions } from './port.ts';
import { promptRegister } from './prompts.ts';
import { questionRegister } from './questions.ts';
import { readsOf } from './reads/reads.ts';
import { isBroken, openSession, type Session } from './session.ts';
import { type Statement, statement } from './statement.ts';
import { recordAtDoor } from './submit/refusals.ts';
import { rememberStreams } from './submit/remembered.ts';
import { patiently, submit } from './submit/submit.ts';
import { expectVaultKey } from './vault/marker.ts';
import { vaultOf } from './vault/vault.ts';
import { webhooksOf } from './webhooks.ts';

/** Commits within this time share one NOTIFY: a burst of votes is one wake of each leader. */
const notifyWithinMs = 10;

const sayChanged = statement('journal.notify', `select pg_notify('proviso', '')`);
const byToken = statement('journal.principal', `select workspace, person from proviso.principal_of_token($1)`);
const noteUse = statement(
  'token.used',
  `update proviso.token set used_on = (clock_timestamp() at time zone 'UTC')::date
    where workspace = $1 and hash = $2 and used_on is distinct from (clock_timestamp() at time zone 'UTC')::date`,
);
const byIdentity = statement(
  'journal.principal_of_identity',
  `select workspace, person from proviso.principal_of_identity($1, $2)`,
);
const ping = statement('journal.ping', `select 1`);
const putReport = statement(
  'edge.report',
  `insert into proviso.edge_report (workspace, edge, report, at) values ($1, $2, $3::jsonb, clock_timestamp())
   on conflict (workspace, edge) do update set report = excluded.report, at = excluded.at`,
);
const getReports = statement(
  'edge.reports',
  `select edge, report, (extract(epoch from clock_timestamp() - at) * 1000)::bigint as age_ms from proviso.edge_report where workspace = $1 order by edge`,
);

/** Opens the journal for doors and activities. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const onError = options.onError ?? (() => undefined);
  // A malformed key is told before a connection is made that would have to be closed again.
  const vault = vaultOf(options.vaultKeyHex);
  const session = await openSession({
    url: options.url,
    connectionsMax: options.connectionsMax,
    onError,
    durable: options.durable ?? true,
  });
  const reading = retryable(session);
  try {
    await expectVaultKey(reading, vault);
  } catch (error) {
    await session.close();
    throw error;
  }
  const notifier = coalesced(session, onError);
  const ports = { session, vault, remembered: rememberStreams(), origin: options.origin, notify: notifier.notify };
  return {
    submit: (submission) => submit(ports, submission),
    recordAtDoor: (said) => patiently(() => recordAtDoor({ session: reading, origin: options.origin }, said)),
    reads: (workspace) => readsOf(reading, vault, workspace),
    principalOfToken: (tokenHash) => principalOf(reading, byToken, [tokenHash]),
    principalOfIdentity: ({ issuer, subject }) => principalOf(reading, byIdentity, [issuer, subject]),
    sessions: browserSessions(reading),
    webhooks: webhooksOf(reading, vault),
    questions: (workspace) => questionRegister(reading, workspace),
    prompts: (workspace, channel) => promptRegister(reading, workspace, channel),
    authorMark: vault.markOf,
    noteTokenUse: async (workspace, tokenHash) => {
      await reading.transaction(workspace, (transaction) =>
        Promise.all([transaction.run(noteUse, [uuidOf(workspace), tokenHash]), transaction.commit()]),
      );
    },
    recordEdgeReport: async (workspace, edge, report) => {
      await reading.transaction(workspace, (transaction) =>
        Promise.all([
          transaction.run(putReport, [uuidOf(workspace), edge, JSON.stringify(report)]),
          transaction.commit(),
        ]),
      );
    },
    edgeReports: (workspace) => edgeReports(reading, workspace),
    ping: async () => {
      await reading.transaction(null, (transaction) => transaction.run(ping));
    },
    close: async () => {
      await notifier.idle();
      await session.close();
    },
  };
}

/** What `submit` finds out for itself is told to readers at once: a connection that broke under a read may be tried again. */
function retryable({ transaction, close }: Session): Session {
  return {
    transaction: async (workspace, work) => {
      try {
        return await transaction(workspace, work);
      } catch (error) {
        if (!isBroken(error)) throw error;
        throw new JournalFailure('unavailable', 'the connection was lost while reading: try again', error);
      }
    },
    close,
  };
}

async function principalOf(session: Session, how: Statement, values: readonly string[]) {
  const [row] = await session.transaction(null, (transaction) => transaction.run(how, values));
  if (row === undefined) return null;
  const workspace: WorkspaceId = `wsp_${String(row.workspace).replaceAll('-', '')}`;
  return { workspace, person: row.person as PersonId };
}

async function edgeReports(session: Session, workspace: WorkspaceId) {
  const rows = await session.transaction(workspace, (transaction) => transaction.run(getReports, [uuidOf(workspace)]));
  return rows.map((row) => ({ edge: String(row.edge), report: row.report, ageMs: Number(row.age_ms) }));
}

/** A lost NOTIFY only delays: every leader also looks by itself from time to time. */
function coalesced(session: Session, onError: (error: Error) => void) {
  let sending: Promise<void> | null = null;
  let again = false;
  const send = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, notifyWithinMs));
    again = false;
    await session
      .transaction(null, (transaction) => Promise.all([transaction.run(sayChanged), transaction.commit()]))
      .catch(onError);
    sending = null;
    if (again) notify();
  };
  const notify = (): void => {
    again = true;
    sending ??= send();
  };
  return {
    notify,
    idle: async () => {
      await sending;
    },
  };
}
