import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { byKey, flag, group, type Of, preset, read, record, text } from '@proviso/domain';
import { isRefusedHost } from '@proviso/isolation';
import type { PrometheusPlace } from '@proviso/prometheus';

/** Where the Prometheus servers of this deployment are, by the names that policies know them under. */
export type PrometheusPlaces = ReadonlyMap<string, PrometheusPlace>;

type Environment = Readonly<Record<string, string | undefined>>;

/** A deployment has one or a few; whoever has more has written the wrong file. */
const placesMax = 20;

const placeShape = group(
  { url: text({ min: 1, max: 2_000 }) },
  {
    /** Without it a name may lead to public addresses only. */
    private: preset(flag(), false),
    token: byKey({
      file: group({ file: text({ min: 1, max: 2_000 }) }),
      environment: group({ environment: text({ min: 1, max: 200 }) }),
    }),
  },
);

const placesShape = record(placeShape, { keyPattern: '^[a-z][a-z0-9-]{0,62}$', max: placesMax });

/**
 * Reads the operator's file, JSON of name to place. Nothing of its values is told in a problem: an address inside of a
 * network is nobody's business, and a token may have been written in the wrong field.
 */
export function prometheusPlaces(environment: Environment, problems: string[]): PrometheusPlaces {
  const { PROVISO_PROMETHEUS: path } = environment;
  if (path === undefined || path === '') return new Map();
  const document = documentIn(path);
  const found = document === undefined ? null : read(placesShape, document);
  if (found?.ok !== true) {
    const where = (found?.problems ?? []).map((problem) => problem.path.join('.') || 'the whole').join(', ');
    const got = found === null ? 'none that can be read' : `mistakes at ${where}`;
    problems.push(`expected PROVISO_PROMETHEUS to be a JSON file of sources and where they are, got ${got}`);
    return new Map();
  }
  return new Map(
    Object.entries(found.value).flatMap(([name, given]) => {
      const place = placeOf(given, environment);
      if (typeof place !== 'string') return [[name, place] as const];
      problems.push(`expected ${name} in PROVISO_PROMETHEUS to have ${place}`);
      return [];
    }),
  );
}

/** The place, or what it lacks. */
function placeOf(given: Of<typeof placeShape>, environment: Environment): PrometheusPlace | string {
  const url = URL.canParse(given.url) ? new URL(given.url) : null;
  const isPlain = url !== null && `${url.username}${url.password}${url.search}${url.hash}` === '';
  if (!isPlain || !/^https?:$/.test(url.protocol))
    return 'an http or https address without a name, a password or a query, got another';
  const reach = given.private ? 'private' : 'public';
  if (isRefusedHost(url, reach))
    return 'a public address, or "private": true and an address of this machine or its network; link-local never';
  const readToken = given.token === undefined ? null : tokenReader(given.token, environment);
  if (readToken === undefined) return 'a token in the environment, got none that can be sent';
  // Whoever is on the way could read it; inside of a network of their own that is the operator's word.
  if (readToken !== null && url.protocol === 'http:' && reach === 'public')
    return 'https, since it has a token and is not private, got http';
  return { url, reach, readToken };
}

function tokenReader(
  token: NonNullable<Of<typeof placeShape>['token']>,
  environment: Environment,
): (() => Promise<string>) | undefined {
  if ('file' in token) return async () => sendable(await readFile(token.file, 'utf8'));
  const value = environment[token.environment]?.trim() ?? '';
  return isSendable(value) ? () => Promise.resolve(value) : undefined;
}

function sendable(content: string): string {
  const value = content.trim();
  if (!isSendable(value)) throw new Error('expected a token in one line of printable letters');
  return value;
}

function isSendable(value: string): boolean {
  return /^[!-~]{1,10000}$/.test(value);
}

function documentIn(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // Missing, unreadable or torn: for whoever reads the message it is the same file to look at.
    return undefined;
  }
}
