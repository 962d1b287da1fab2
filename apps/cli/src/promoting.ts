import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type FrozenCandidate,
  openPromotion,
  type Promotion,
  type Prototype,
  registerPrototype,
  uploadCandidate,
} from '@proviso/client';
import { contractFileName, findContract } from '@proviso/gates';
import type { Api } from './api.ts';
import { packFolder } from './archive.ts';
import { expectPolicy, findPrototype } from './reading.ts';
import { Trouble } from './trouble.ts';

/** What to put on its way. */
export interface PromotionOrder {
  readonly folder: string;
  readonly version: string | undefined;
  readonly policy: string;
  /** Instead of the name in the contract. */
  readonly prototype?: string;
}

/** The promotion as opened, and what was uploaded for it. */
export interface Opened {
  readonly promotion: Promotion;
  readonly prototype: Prototype;
  readonly frozen: FrozenCandidate;
}

/** Uploads a folder, registers its prototype when it is unknown, and opens a promotion. `tell` gets each step done. */
export async function promoteFolder(api: Api, order: PromotionOrder, tell: (line: string) => void): Promise<Opened> {
  const name = order.prototype ?? (await nameInContract(order.folder));
  const policy = await expectPolicy(api, order.policy);
  const archive = await packFolder(order.folder);
  const prototype = await ensurePrototype(api, name, tell);
  const version = order.version ?? versionOf(archive);
  const frozen = await upload(api, { prototype: prototype.id, archive, version });
  tell(`${frozen.created ? 'uploaded' : 'known already'}: ${name} ${frozen.candidate.version}, ${frozen.files} files`);
  const body = { prototype: prototype.id, candidate: frozen.candidate.id, policy: policy.id };
  const promotion = await api.write((options) => openPromotion({ ...options, body }));
  return { promotion, prototype, frozen };
}

/** The prototype of that name, registered in the caller's name when there is none. */
export async function ensurePrototype(api: Api, name: string, tell: (line: string) => void): Promise<Prototype> {
  const known = await findPrototype(api, name);
  if (known !== undefined) return known;
  const made = await api.write((options) => registerPrototype({ ...options, body: { name } }));
  tell(`registered the prototype ${name}`);
  return made;
}

async function upload(
  api: Api,
  { prototype, archive, version }: { prototype: string; archive: Uint8Array<ArrayBuffer>; version: string },
): Promise<FrozenCandidate> {
  const packed = new Blob([archive], { type: 'application/gzip' });
  return await api.write(({ client, headers }) =>
    uploadCandidate({
      ...{ client, prototype, version, archive: packed, filename: 'candidate.tar.gz' },
      idempotencyKey: headers['Idempotency-Key'],
    }),
  );
}

/** What the contract in a folder calls its prototype. */
export async function nameInContract(folder: string): Promise<string> {
  if (!existsSync(folder)) throw new Trouble(`expected a folder at ${folder}, got nothing`);
  const found = await findContract(folder);
  if (found.ok) return found.contract.prototype;
  if (!existsSync(join(folder, contractFileName))) {
    throw new Trouble(`expected a ${contractFileName} in ${folder}, got none`, {
      advice: `Run \`proviso init ${folder}\` first: it writes one from the code. Or name the prototype with --prototype.`,
    });
  }
  const [first] = found.reasons;
  throw new Trouble(`expected a valid ${contractFileName} in ${folder}, got: ${first?.message ?? 'something else'}`, {
    advice: 'Mend that line, or write it anew with `proviso init --force`.',
  });
}

/** Without a version of its own a folder is named by what is in it, so that the same content has the same name. */
function versionOf(archive: Uint8Array): string {
  return `c${createHash('sha256').update(archive).digest('hex').slice(0, 10)}`;
}
