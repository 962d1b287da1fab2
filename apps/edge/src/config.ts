import { isAbsolute, resolve } from 'node:path';
import type { IsolationWay } from '@proviso/isolation';

/** All that an edge is told from outside, parsed once. */
export interface EdgeConfig {
  readonly apiUrl: string;
  readonly apiToken: string;
  readonly host: string;
  readonly port: number;
  readonly controlHost: string;
  readonly controlPort: number;
  readonly controlToken: string;
  readonly dataFolder: string;
  readonly pollMs: number;
  /** Lanes may refer to variables that begin with it, and to no others. */
  readonly secretPrefix: string;
  /** Lanes may refer to files below it; null: to none. */
  readonly secretFolder: string | null;
  /** Shared with the API, which signs links to previews with it; null: no person comes to staging. */
  readonly previewKeyHex: string | null;
  /** Leave the releases running at a clean stop, for an edge that is to be replaced at once. */
  readonly keepReleases: boolean;
  /** One way of isolation and no other; null takes the strongest that works. */
  readonly isolation: IsolationWay | null;
}

/** A wrong or missing variable; the message names it and never repeats a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Environment = Readonly<Record<string, string | undefined>>;

// Slower than this and a rollback would be late; faster only costs.
const POLL_MS_MIN = 250;
const POLL_MS_MAX = 1_000;
const TOKEN_LENGTH_MIN = 8;

/** Reads the variables of an edge, or throws a ConfigError. */
export function parseConfig(environment: Environment): EdgeConfig {
  return Object.freeze({
    apiUrl: urlOf(environment, 'PROVISO_API_URL'),
    apiToken: tokenOf(environment, 'PROVISO_EDGE_TOKEN'),
    host: environment.PROVISO_EDGE_HOST || '127.0.0.1',
    port: numberOf(environment, 'PROVISO_EDGE_PORT', { fallback: 8080, min: 0, max: 65_535 }),
    controlHost: environment.PROVISO_EDGE_CONTROL_HOST || '127.0.0.1',
    controlPort: numberOf(environment, 'PROVISO_EDGE_CONTROL_PORT', { fallback: 8081, min: 0, max: 65_535 }),
    controlToken: tokenOf(environment, 'PROVISO_EDGE_CONTROL_TOKEN'),
    dataFolder: resolve(required(environment, 'PROVISO_EDGE_DATA')),
    pollMs: numberOf(environment, 'PROVISO_EDGE_POLL_MS', { fallback: 500, min: POLL_MS_MIN, max: POLL_MS_MAX }),
    secretPrefix: prefixOf(environment, 'PROVISO_EDGE_SECRET_PREFIX'),
    secretFolder: folderOf(environment, 'PROVISO_EDGE_SECRET_FOLDER'),
    previewKeyHex: keyOf(environment, 'PROVISO_PREVIEW_KEY'),
    keepReleases: flagOf(environment, 'PROVISO_EDGE_KEEP_RELEASES'),
    isolation: isolationOf(environment, 'PROVISO_EDGE_ISOLATION'),
  });
}

function required(environment: Environment, name: string): string {
  const value = environment[name];
  if (value === undefined || value === '') throw new ConfigError(`${name}: expected a value, got nothing`);
  return value;
}

function urlOf(environment: Environment, name: string): string {
  const value = required(environment, name);
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new ConfigError(`${name}: expected an http or https URL`);
  return value.replace(/\/+$/, '');
}

function tokenOf(environment: Environment, name: string): string {
  const value = required(environment, name);
  // A header can carry only these; anything else would fail at the first call instead of here.
  if (!/^[\x21-\x7e]+$/.test(value) || value.length < TOKEN_LENGTH_MIN) {
    throw new ConfigError(`${name}: expected at least ${TOKEN_LENGTH_MIN} visible ASCII characters`);
  }
  return value;
}

function numberOf(
  environment: Environment,
  name: string,
  bounds: { fallback: number; min: number; max: number },
): number {
  const text = environment[name];
  if (text === undefined || text === '') return bounds.fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < bounds.min || value > bounds.max) {
    throw new ConfigError(
      `${name}: expected a whole number from ${bounds.min} to ${bounds.max}, got ${JSON.stringify(text)}`,
    );
  }
  return value;
}

function keyOf(environment: Environment, name: string): string | null {
  const text = environment[name] ?? '';
  if (text === '') return null;
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new ConfigError(`${name}: expected 64 hexadecimal digits`);
  return text;
}

function prefixOf(environment: Environment, name: string): string {
  const prefix = environment[name] || 'SECRET_';
  // One that our own variables begin with would let a lane ask for the edge's tokens.
  if (!/^[A-Z][A-Z0-9_]*_$/.test(prefix) || prefix.startsWith('PROVISO'))
    throw new ConfigError(`${name}: expected capital letters ending in _, not beginning with PROVISO`);
  return prefix;
}

function folderOf(environment: Environment, name: string): string | null {
  const folder = environment[name] ?? '';
  if (folder === '') return null;
  if (!isAbsolute(folder)) throw new ConfigError(`${name}: expected the absolute path of a folder`);
  return folder;
}

function flagOf(environment: Environment, name: string): boolean {
  const text = environment[name] ?? '';
  if (!['', '0', '1'].includes(text)) throw new ConfigError(`${name}: expected 0 or 1, got ${JSON.stringify(text)}`);
  return text === '1';
}

function isolationOf(environment: Environment, name: string): IsolationWay | null {
  const text = environment[name] ?? '';
  if (text === '') return null;
  if (text === 'bubblewrap' || text === 'namespace' || text === 'none') return text;
  throw new ConfigError(`${name}: expected bubblewrap, namespace or none, got ${JSON.stringify(text)}`);
}
