import { JournalFailure } from '../failure.ts';
import { codeOf, type Session } from '../session.ts';
import { statement } from '../statement.ts';
import type { Vault } from './vault.ts';

const readSample = statement('vault.sample', `select proviso.vault_sample() as sealed`);
const plant = statement('vault.mark', `insert into proviso.vault_marker (sealed) values ($1) on conflict do nothing`);

/** A schema or function that is not there yet: the migration has not run, or an older one has. */
const notMigrated = new Set(['3F000', '42883', '42P01', '42501']);

/**
 * Holds the vault key against what the database was sealed with, before anything is read or written. Where nothing was
 * sealed yet a marker is planted; of several processes that start at once one plants it, and all look at that one.
 */
export async function expectVaultKey(session: Session, vault: Vault): Promise<void> {
  const found = (await sampleIn(session)) ?? (await planted(session, vault));
  if (found === null) throw new JournalFailure('unavailable', 'expected the marker of the vault, got none');
  vault.expectOurs(found);
}

async function planted(session: Session, vault: Vault): Promise<Buffer | null> {
  await session.transaction(null, (transaction) =>
    Promise.all([transaction.run(plant, [vault.marker()]), transaction.commit()]),
  );
  return await sampleIn(session);
}

async function sampleIn(session: Session): Promise<Buffer | null> {
  try {
    const [row] = await session.transaction(null, (transaction) => transaction.run(readSample));
    return (row?.sealed as Buffer | null | undefined) ?? null;
  } catch (error) {
    if (!notMigrated.has(codeOf(error) ?? '')) throw error;
    throw new JournalFailure('unavailable', 'expected a database that was migrated to this version', error);
  }
}
