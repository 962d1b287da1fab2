import type { SecretReference } from '@proviso/domain';
import { TargetFailure } from './failure.ts';
import type {
  ArtifactDigest,
  EdgeOrders,
  Fence,
  HealthContract,
  LaneConfiguration,
  LaneOrder,
  ReleaseOrder,
  RunContract,
  TrialOrder,
} from './protocol.ts';

// An answer beyond these is not ours: the edge would rather keep what it runs than follow it.
const LANES_MAX = 1_000;
const SHUT_OUT_MAX = 1_000;
const HOSTS_MAX = 20;
const EGRESS_MAX = 50;
const ARGUMENTS_MAX = 100;
const ENVIRONMENT_MAX = 200;
const SECRETS_MAX = 50;
const TEXT_MAX = 32_768;
const ID_MAX = 200;

/** How long a trial may live without being renewed: a worker that died must not leave processes behind. */
export const TRIAL_LEASE_MS_MAX = 60_000;

/** Parses the answer of a poll; anything unexpected is a failure and the edge keeps the orders it has. */
export function parseOrders(value: unknown): EdgeOrders {
  const fields = objectAt(value, 'orders');
  const lanes = listAt(fields.lanes, 'lanes', LANES_MAX).map((lane, index) => laneAt(lane, `lanes[${index}]`));
  const names = new Set(lanes.map((lane) => lane.lane));
  if (names.size !== lanes.length) throw bad('lanes', 'each lane once', 'a lane twice');
  const shutOut = fields.shutOut === undefined ? [] : listAt(fields.shutOut, 'shutOut', SHUT_OUT_MAX);
  const people = shutOut.map((person, index) => textAt(person, `shutOut[${index}]`, ID_MAX));
  const told = people.length === 0 ? {} : { shutOut: people };
  return { incarnation: textAt(fields.incarnation, 'incarnation', ID_MAX), lanes, ...told };
}

/** Parses what a worker asks for when it starts or renews a trial. */
export function parseTrialOrder(value: unknown): TrialOrder {
  const fields = objectAt(value, 'trial');
  const leaseMs =
    fields.leaseMs === undefined ? TRIAL_LEASE_MS_MAX : numberAt(fields.leaseMs, 'leaseMs', [1, TRIAL_LEASE_MS_MAX]);
  const lane = fields.lane === undefined ? {} : { lane: textAt(fields.lane, 'lane', ID_MAX) };
  return { ...releaseAt(value, 'trial'), leaseMs, ...lane };
}

function laneAt(value: unknown, at: string): LaneOrder {
  const fields = objectAt(value, at);
  const environment = fields.environment;
  if (environment !== 'staging' && environment !== 'production') {
    throw bad(`${at}.environment`, 'staging or production', String(environment));
  }
  return {
    lane: textAt(fields.lane, `${at}.lane`, ID_MAX),
    environment,
    hosts: listAt(fields.hosts, `${at}.hosts`, HOSTS_MAX).map((host, index) =>
      textAt(host, `${at}.hosts[${index}]`, 253).toLowerCase(),
    ),
    fence: fenceAt(fields.fence, `${at}.fence`),
    stable: fields.stable === null ? null : releaseAt(fields.stable, `${at}.stable`),
    canary: fields.canary === null ? null : releaseAt(fields.canary, `${at}.canary`),
    weightPercent: numberAt(fields.weightPercent, `${at}.weightPercent`, [0, 100]),
    leaseRemainingMs:
      fields.leaseRemainingMs === null
        ? null
        : numberAt(fields.leaseRemainingMs, `${at}.leaseRemainingMs`, [
            Number.MIN_SAFE_INTEGER,
            Number.MAX_SAFE_INTEGER,
          ]),
    closed: flagAt(fields.closed, `${at}.closed`),
    ...(fields.configuration !== undefined && {
      configuration: configurationAt(fields.configuration, `${at}.configuration`),
    }),
  };
}

function fenceAt(value: unknown, at: string): Fence {
  const fields = objectAt(value, at);
  const range: [number, number] = [0, Number.MAX_SAFE_INTEGER];
  return {
    incarnation: numberAt(fields.incarnation, `${at}.incarnation`, range),
    counter: numberAt(fields.counter, `${at}.counter`, range),
  };
}

function releaseAt(value: unknown, at: string): ReleaseOrder {
  const fields = objectAt(value, at);
  return {
    release: textAt(fields.release, `${at}.release`, ID_MAX),
    artifactDigest: digestAt(fields.artifactDigest, `${at}.artifactDigest`),
    trusted: flagAt(fields.trusted, `${at}.trusted`),
    contract: contractAt(fields.contract, `${at}.contract`),
  };
}

function contractAt(value: unknown, at: string): RunContract {
  const fields = objectAt(value, at);
  const served = servedAt(fields, at);
  const start = listAt(fields.start ?? (served.kind === 'static' ? [] : undefined), `${at}.start`, ARGUMENTS_MAX).map(
    (word, index) => textAt(word, `${at}.start[${index}]`, TEXT_MAX),
  );
  if (start.length === 0 && served.kind !== 'static') throw bad(`${at}.start`, 'a command', 'nothing');
  return {
    ...served,
    start,
    portEnvironment:
      fields.portEnvironment === undefined ? 'PORT' : variableAt(fields.portEnvironment, `${at}.portEnvironment`),
    environment: environmentAt(fields.environment ?? {}, `${at}.environment`),
    health: healthAt(fields.health, `${at}.health`),
    ...boundAt(fields, 'memoryMbMax', at, [16, 65_536]),
    ...boundAt(fields, 'readyWithinMs', at, [100, 600_000]),
    ...(fields.secrets !== undefined && { secrets: secretsAt(fields.secrets, `${at}.secrets`) }),
    ...boundAt(fields, 'errorStatusMin', at, [400, 600]),
  };
}

function secretsAt(value: unknown, at: string): NonNullable<RunContract['secrets']> {
  return listAt(value, at, SECRETS_MAX).map((secret, index) => {
    const fields = objectAt(secret, `${at}[${index}]`);
    const name = variableAt(fields.name, `${at}[${index}].name`);
    return { name, required: flagAt(fields.required, `${at}[${index}].required`) };
  });
}

function configurationAt(value: unknown, at: string): LaneConfiguration {
  const fields = objectAt(value, at);
  const range: [number, number] = [0, Number.MAX_SAFE_INTEGER];
  const bound = Object.entries(objectAt(fields.secrets, `${at}.secrets`));
  if (bound.length > SECRETS_MAX) throw bad(`${at}.secrets`, `at most ${SECRETS_MAX} secrets`, String(bound.length));
  const secrets = bound.map(([name, secret]) => {
    const inner = objectAt(secret, `${at}.secrets.${name}`);
    const reference = referenceAt(inner.reference, `${at}.secrets.${name}`);
    return [variableAt(name, at), { reference, at: numberAt(inner.at, `${at}.secrets.${name}.at`, range) }] as const;
  });
  return {
    revision: numberAt(fields.revision, `${at}.revision`, range),
    variables: environmentAt(fields.variables, `${at}.variables`),
    secrets: Object.fromEntries(secrets),
  };
}

function referenceAt(value: unknown, at: string): SecretReference {
  const fields = objectAt(value, at);
  switch (fields.from) {
    case 'environment':
      return { from: 'environment', name: variableAt(fields.name, at) };
    case 'file':
    case 'vault':
      return { from: fields.from, path: textAt(fields.path, at, 1_024) };
    default:
      throw bad(at, 'a reference to the environment, to a file or to a vault', 'something else');
  }
}

const KINDS = ['static', 'node', 'python', 'command'] as const;

/** What an order of an older API leaves out, left out here too. */
function servedAt(
  fields: Record<string, unknown>,
  at: string,
): Pick<RunContract, 'kind' | 'root' | 'fallback' | 'egress'> {
  const kind = KINDS.find((word) => word === fields.kind);
  if (fields.kind !== undefined && kind === undefined) throw bad(`${at}.kind`, KINDS.join(', '), 'something else');
  return {
    ...(kind !== undefined && { kind }),
    ...(fields.root !== undefined && { root: folderAt(fields.root, `${at}.root`) }),
    ...(fields.fallback !== undefined && { fallback: flagAt(fields.fallback, `${at}.fallback`) }),
    ...(fields.egress !== undefined && {
      egress: listAt(fields.egress, `${at}.egress`, EGRESS_MAX).map((host, index) =>
        textAt(host, `${at}.egress[${index}]`, 259),
      ),
    }),
  };
}

/** A folder inside the artifact, without the dots and slashes that people write around it. */
function folderAt(value: unknown, at: string): string {
  const words = textAt(value, at, 1_024).replace(/\/+$/, '').split('/');
  const inner = words[0] === '.' ? words.slice(1) : words;
  const isInside = inner.every((word) => word !== '' && word !== '.' && word !== '..' && !word.includes('\\'));
  if (!isInside) throw bad(at, 'a folder inside the artifact', 'something else');
  return inner.join('/') || '.';
}

function healthAt(value: unknown, at: string): HealthContract {
  const fields = objectAt(value, at);
  const path = textAt(fields.path, `${at}.path`, 2_048);
  // A path that does not begin with a slash could name another host.
  if (!/^\/[\x21-\x7e]*$/.test(path)) throw bad(`${at}.path`, 'a path that begins with /', 'something else');
  return { path, ...boundAt(fields, 'timeoutMs', at, [50, 30_000]) };
}

function environmentAt(value: unknown, at: string): Record<string, string> {
  const entries = Object.entries(objectAt(value, at));
  if (entries.length > ENVIRONMENT_MAX) throw bad(at, `at most ${ENVIRONMENT_MAX} variables`, String(entries.length));
  // Sorted, so that the same contract is the same text whoever stored it.
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    entries.map(([name, text]) => {
      if (typeof text !== 'string' || text.length > TEXT_MAX || text.includes('\0'))
        throw bad(`${at}.${name}`, 'a text', typeof text);
      return [variableAt(name, at), text];
    }),
  );
}

function variableAt(value: unknown, at: string): string {
  if (typeof value !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(value))
    throw bad(at, 'a variable name', 'something else');
  return value;
}

function digestAt(value: unknown, at: string): ArtifactDigest {
  if (!isArtifactDigest(value)) throw bad(at, 'sha256: and 64 hexadecimal digits', typeof value);
  return value;
}

/** True for a well-formed digest. */
export function isArtifactDigest(value: unknown): value is ArtifactDigest {
  return typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value);
}

function boundAt<Name extends string>(
  fields: Record<string, unknown>,
  name: Name,
  at: string,
  range: [number, number],
): Partial<Record<Name, number>> {
  const value = fields[name];
  if (value === undefined || value === null) return {};
  return { [name]: numberAt(value, `${at}.${name}`, range) } as Partial<Record<Name, number>>;
}

function objectAt(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(at, 'an object', typeof value);
  return value as Record<string, unknown>;
}

function listAt(value: unknown, at: string, countMax: number): readonly unknown[] {
  if (!Array.isArray(value)) throw bad(at, 'a list', typeof value);
  if (value.length > countMax) throw bad(at, `at most ${countMax} entries`, String(value.length));
  return value;
}

function textAt(value: unknown, at: string, lengthMax: number): string {
  if (typeof value !== 'string' || value === '') throw bad(at, 'a text', typeof value);
  if (value.length > lengthMax || value.includes('\0'))
    throw bad(at, `at most ${lengthMax} characters`, String(value.length));
  return value;
}

function numberAt(value: unknown, at: string, [min, max]: [number, number]): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw bad(at, 'a number', typeof value);
  if (value < min || value > max) throw bad(at, `${min} to ${max}`, String(value));
  return value;
}

function flagAt(value: unknown, at: string): boolean {
  if (typeof value !== 'boolean') throw bad(at, 'true or false', typeof value);
  return value;
}

function bad(at: string, expected: string, got: string): TargetFailure {
  return new TargetFailure('bad_answer', `${at}: expected ${expected}, got ${got}`, { retryable: false });
}
