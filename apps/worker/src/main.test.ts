import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@proviso/servers';
import { openJournal } from '@proviso/journal';
import { createDatabase, startPostgres, startTemporal } from '@proviso/testkit';
import { startWorker, workerSettings } from './worker-process.contract.ts';

async function healthOf(environment: Readonly<Record<string, string>>): Promise<number> {
  return (await fetch(`http://127.0.0.1:${environment.PROVISO_WORKER_PORT}/healthz`)).status;
}

describe('the worker process', () => {
  it('waits for Temporal and PostgreSQL, survives their loss, says each once, and stops within five seconds', async () => {
    const [postgresPort, temporalPort] = [await freePort(), await freePort()];
    const dataDir = await mkdtemp(join(tmpdir(), 'proviso-postgres-'));
    const open = { port: postgresPort, dataDir: join(dataDir, 'data') };
    await chmod(dataDir, 0o711);
    let postgres = await startPostgres(open);
    const database = await createDatabase(postgres.url);
    await postgres.stop();
    const PROVISO_TEMPORAL_ADDRESS = `127.0.0.1:${temporalPort}`;
    const environment = { ...(await workerSettings(database)), PROVISO_TEMPORAL_ADDRESS };
    const worker = startWorker(environment);
    try {
      await worker.says('journal.away');
      postgres = await startPostgres(open);
      await worker.says('leader.leads');
      await worker.says('workers.temporal_away');
      expect(await healthOf(environment)).toBe(503);
      const temporal = await startTemporal({ port: temporalPort });
      await worker.says('workers.temporal_back');
      expect(await healthOf(environment)).toBe(200);
      await postgres.kill();
      await worker.says('leader.lost');
      postgres = await startPostgres(open);
      await worker.says('leader.journal_back');
      for (const event of ['journal.away', 'workers.temporal_away']) {
        expect(worker.lines.filter((line) => line.includes(`"msg":"${event}"`))).toHaveLength(1);
      }
      const stopping = Date.now();
      worker.child.kill('SIGTERM');
      expect(await worker.ended).toEqual({ code: 0, signal: null });
      expect(Date.now() - stopping).toBeLessThan(5_000);
      await temporal.stop();
    } finally {
      worker.child.kill('SIGKILL');
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
  }, 120_000);

  it('refuses another vault key than the one that the database was sealed with', async () => {
    const postgres = await startPostgres();
    const database = await createDatabase(postgres.url);
    const { appUrl: url, vaultKeyHex } = database;
    await (await openJournal({ url, connectionsMax: 1, origin: 'test', vaultKeyHex, durable: false })).close();
    const settings = { ...(await workerSettings(database)), PROVISO_TEMPORAL_ADDRESS: '127.0.0.1:9' };
    const worker = startWorker({ ...settings, PROVISO_VAULT_KEY: '7'.repeat(64) });
    expect(await worker.ended).toEqual({ code: 1, signal: null });
    const fatal = worker.lines.filter((line) => line.includes('worker.failed'));
    expect(fatal).toHaveLength(1);
    expect(fatal[0]).toContain('PROVISO_VAULT_KEY');
    expect(worker.lines.join('\n')).not.toContain('7777');
    await postgres.stop();
  }, 30_000);

  it('says what is wrong with its settings and ends', async () => {
    const worker = startWorker(await workerSettings());
    expect(await worker.ended).toEqual({ code: 1, signal: null });
    expect(worker.lines.join('\n')).toContain('PROVISO_DATABASE_URL');
  }, 30_000);
});
