import { join } from 'node:path';
import { group, integer, read, record, text } from '@proviso/domain';
import type { Founded } from './founding.ts';
import { readPrivateJson, writePrivateJson } from './private-file.ts';
import { Trouble } from './trouble.ts';

/** The tokens of the local people: the server tells each once and keeps only its hash. */
export interface TokenStore {
  /** What to ask the founding for: a new token only where none is known, or where it ends soon. */
  readonly wanted: (key: string) => false | 'renew';
  /** Keeps what was issued just now, and gives everyone with their token. */
  readonly keep: (
    founded: Pick<Founded, 'workspace' | 'people'>,
  ) => Readonly<Record<string, { readonly id: string; readonly token: string }>>;
}

const tokensShape = record(group({ token: text({ min: 8, max: 500 }), issuedAtMs: integer({ min: 0 }) }), { max: 50 });

/** Tokens are good for a year; a deployment that is started within its last two months gets new ones. */
const RENEW_AFTER_MS = 300 * 86_400_000;

/** Opens the tokens of a data folder. If we die between the issuing and the keeping, the next start issues anew. */
export function openTokens(dataFolder: string, nowMs: number): TokenStore {
  const path = join(dataFolder, 'tokens.json');
  const known = read(tokensShape, readPrivateJson(path) ?? {});
  const tokens = new Map(Object.entries(known.ok ? known.value : {}));
  return {
    wanted: (key) => {
      const held = tokens.get(key);
      return held !== undefined && nowMs - held.issuedAtMs < RENEW_AFTER_MS ? false : 'renew';
    },
    keep: ({ people }) => {
      for (const [key, { token }] of Object.entries(people)) {
        if (token !== undefined) tokens.set(key, { token, issuedAtMs: nowMs });
      }
      writePrivateJson(path, Object.fromEntries(tokens));
      return Object.fromEntries(
        Object.entries(people).map(([key, { id }]) => [key, { id, token: expectToken(tokens.get(key)?.token, key) }]),
      );
    },
  };
}

function expectToken(token: string | undefined, key: string): string {
  if (token !== undefined) return token;
  throw new Trouble(`expected a token for ${key}, got none`, { advice: 'Start again: a new one is then issued.' });
}
