import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { read, group, text } from '@proviso/domain';
import { readPrivateJson, writePrivateJson } from './private-file.ts';
import { Trouble } from './trouble.ts';

const hexadecimal = (digits: number) =>
  text({ min: digits, max: digits, pattern: '^[0-9a-f]+$', meaning: 'hex digits' });

const secretsShape = group({
  appPassword: hexadecimal(48),
  pumpPassword: hexadecimal(48),
  vaultKey: hexadecimal(64),
  controlToken: hexadecimal(64),
  workspace: text({ pattern: '^wsp_[0-9a-f]{32}$', meaning: 'a workspace id' }),
});

/** What a local deployment must know again at its next start. Losing `vaultKey` loses every name and reason. */
export interface Secrets {
  readonly appPassword: string;
  readonly pumpPassword: string;
  readonly vaultKey: string;
  readonly controlToken: string;
  readonly workspace: string;
}

/** The key of links to previews: made from one that is there, so that folders of earlier versions need nothing new. */
export function previewKeyOf({ vaultKey }: Secrets): string {
  return createHmac('sha256', Buffer.from(vaultKey, 'hex')).update('proviso preview key').digest('hex');
}

/** The secrets of the data folder, drawn at the first start and never again. */
export function ensureSecrets(dataFolder: string): Secrets {
  const path = join(dataFolder, 'secrets.json');
  const known = readPrivateJson(path);
  if (known === undefined) {
    const drawn: Secrets = {
      appPassword: randomBytes(24).toString('hex'),
      pumpPassword: randomBytes(24).toString('hex'),
      vaultKey: randomBytes(32).toString('hex'),
      controlToken: randomBytes(32).toString('hex'),
      workspace: `wsp_${randomUUID().replaceAll('-', '')}`,
    };
    writePrivateJson(path, drawn);
    return drawn;
  }
  const found = read(secretsShape, known);
  if (found.ok) return found.value;
  // The problem's words may repeat the value, and the value is a secret: only the place is told.
  throw new Trouble(`expected the secrets of this deployment in ${path}, got ${found.problems.length} wrong fields`, {
    advice: 'Restore the file from a copy, or move the whole data folder away to start anew.',
  });
}
