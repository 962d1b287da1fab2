import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LOOPBACK } from '@proviso/servers';
import type { CommandConfig } from './config.ts';
import type { Secrets } from './secrets.ts';

/** Login names that the founding makes in the database. */
const APP_LOGIN = 'proviso_app';
/** The one of the background leaders. */
export const PUMP_LOGIN = 'proviso_pump';

/** What every process that opens the journal of a local deployment needs to know. */
export function journalEnvironment(
  config: CommandConfig,
  secrets: Secrets,
  databasePort: number,
): Readonly<Record<string, string>> {
  const evidence = join(config.dataFolder, 'evidence');
  mkdirSync(evidence, { recursive: true });
  return {
    PROVISO_DATABASE_URL: loginUrl(databasePort, { login: APP_LOGIN, password: secrets.appPassword }),
    PROVISO_EVIDENCE: evidence,
    PROVISO_VAULT_KEY: secrets.vaultKey,
    PROVISO_ORIGIN: `local/${secrets.workspace}`,
  };
}

/** The address of the local database for one login. */
export function loginUrl(port: number, by: { readonly login: string; readonly password: string }): string {
  return `postgres://${by.login}:${by.password}@${LOOPBACK}:${port}/postgres`;
}
