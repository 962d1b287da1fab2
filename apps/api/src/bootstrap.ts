import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { folderStore } from '@proviso/evidence';
import { JournalFailure, migrate, openJournal } from '@proviso/journal';
import { ConfigProblem, readFoundingConfig } from './config.ts';
import { found, foundingForm } from './founding.ts';

/**
 * A one-shot process: prepares the database, when it is given the rights to, and founds a workspace from JSON on stdin.
 * Prints JSON, once.
 */
async function main(): Promise<void> {
  const config = readFoundingConfig();
  const { migration, databaseUrl: url, origin, vaultKeyHex } = config;
  if (migration !== null) await migrate(migration);
  const input = await text(process.stdin);
  if (input.trim() === '') {
    process.stdout.write('{}\n');
    return;
  }
  const form = foundingForm.parse(JSON.parse(input));
  const journal = await openJournal({ url, connectionsMax: 2, origin, vaultKeyHex });
  try {
    const store = folderStore(config.evidence);
    const founded = await found({ journal, store, now: Date.now(), randomBytes }, form);
    process.stdout.write(`${JSON.stringify(founded)}\n`);
  } finally {
    await journal.close();
  }
}

main().catch((error: unknown) => {
  if (error instanceof JournalFailure && error.code === 'vault_unreadable') {
    process.stderr.write(
      'bootstrap: expected the key in PROVISO_VAULT_KEY that this database was sealed with, got another\n',
    );
    process.exit(1);
  }
  const isOurs = error instanceof ConfigProblem || (error instanceof Error && error.message.startsWith('expected '));
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  process.stderr.write(
    `bootstrap: ${isOurs ? error.message : `could not prepare the deployment${code}: ${error instanceof Error ? error.name : ''}`}\n`,
  );
  process.exit(1);
});
