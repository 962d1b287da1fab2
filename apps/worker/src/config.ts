import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Registries } from '@proviso/build';
import type { AllowedReach, IsolationWay } from '@proviso/isolation';
import { type FaultPoint, faultPoints } from './fault.ts';
import { type PrometheusPlaces, prometheusPlaces } from './prometheus-places.ts';

/** All that the worker is told from outside, read once. */
export interface WorkerConfig {
  readonly databaseUrl: string;
  readonly pumpUrl: string;
  readonly temporalAddress: string;
  readonly temporalNamespace: string;
  readonly evidenceFolder: string;
  readonly edgeControlUrl: string;
  readonly edgeControlToken: string;
  readonly routerUrl: string;
  readonly vaultKeyHex: string;
  readonly origin: string;
  /** Where candidates are unpacked while a gate looks at them. */
  readonly workFolder: string;
  readonly registries: Registries;
  /** One way of isolation for builds and report readers, and no other; null takes the strongest that works. */
  readonly isolation: IsolationWay | null;
  /** How many builds run at once: each takes a core, and the memory that its contract asks for. */
  readonly buildsMax: number;
  /** What the archives of installed packages may take of the disk; the least recently used go first. */
  readonly packageCacheMb: number;
  /** Which addresses webhooks may have: of the internet, or also of this machine and its network. */
  readonly webhookReach: AllowedReach;
  /** Where metrics of canaries may come from beside the edge. */
  readonly prometheus: PrometheusPlaces;
  /** The port of /healthz and /metrics on 127.0.0.1; nothing listens without it. */
  readonly port: number | null;
  /** Tests kill the worker at a named point; null in any real deployment. */
  readonly fault: { readonly point: FaultPoint; readonly onceFile: string | null } | null;
}

/** Parses the environment; throws one message that lists everything that is missing or wrong. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): WorkerConfig {
  const problems: string[] = [];
  const need = (name: string, form: RegExp, meaning: string): string => {
    const value = environment[name] ?? '';
    // The value itself may be a secret, so a problem names the variable only.
    if (!form.test(value))
      problems.push(`expected ${name} to be ${meaning}, got ${value === '' ? 'nothing' : 'another'}`);
    return value;
  };
  const config: WorkerConfig = {
    databaseUrl: need('PROVISO_DATABASE_URL', /^postgres(ql)?:\/\//, 'a postgres:// address'),
    pumpUrl: need('PROVISO_PUMP_URL', /^postgres(ql)?:\/\//, 'a postgres:// address'),
    temporalAddress: need('PROVISO_TEMPORAL_ADDRESS', /^[^\s/]+:\d+$/, 'host:port'),
    temporalNamespace: environment.PROVISO_TEMPORAL_NAMESPACE || 'default',
    evidenceFolder: need('PROVISO_EVIDENCE', /./, 'a folder'),
    edgeControlUrl: need('PROVISO_EDGE_CONTROL_URL', /^https?:\/\//, 'an http address'),
    edgeControlToken: need('PROVISO_EDGE_CONTROL_TOKEN', /./, 'a token'),
    routerUrl: need('PROVISO_EDGE_URL', /^https?:\/\//, 'an http address'),
    vaultKeyHex: need('PROVISO_VAULT_KEY', /^[0-9a-f]{64}$/i, '64 hexadecimal digits'),
    origin: need('PROVISO_ORIGIN', /./, 'the name of this deployment'),
    workFolder: environment.PROVISO_WORK_FOLDER || join(tmpdir(), 'proviso-worker'),
    registries: registriesOf(environment, problems),
    isolation: isolationOf(environment, problems),
    buildsMax: countOf(environment, { name: 'PROVISO_BUILDS_MAX', preset: 1, most: 100 }, problems),
    packageCacheMb: countOf(
      environment,
      { name: 'PROVISO_PACKAGE_CACHE_MB', preset: 2_048, most: 1_000_000 },
      problems,
    ),
    webhookReach: webhookReachOf(environment, problems),
    prometheus: prometheusPlaces(environment, problems),
    port: portOf(environment.PROVISO_WORKER_PORT, problems),
    fault: faultOf(environment, problems),
  };
  if (problems.length > 0) throw new Error(problems.join('; '));
  return Object.freeze(config);
}

/** The public registries, unless an operator has a mirror. */
const publicRegistries = { npm: 'https://registry.npmjs.org/', pypi: 'https://pypi.org/simple/' } as const;

function registriesOf(environment: Readonly<Record<string, string | undefined>>, problems: string[]): Registries {
  const address = (name: string, preset: string): string => {
    const value = environment[name] || preset;
    const url = URL.canParse(value) ? new URL(value) : null;
    // A name or a password in it would be shown to the sandbox and stand in its log.
    const fits = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
    if (!fits) problems.push(`expected ${name} to be an http address without a name or password, got another`);
    return value;
  };
  return {
    npm: address('PROVISO_NPM_REGISTRY', publicRegistries.npm),
    pypi: address('PROVISO_PYPI_INDEX', publicRegistries.pypi),
    certificates: environment.PROVISO_REGISTRY_CERTIFICATES || null,
  };
}

function isolationOf(
  { PROVISO_WORKER_ISOLATION: way }: Readonly<Record<string, string | undefined>>,
  problems: string[],
): IsolationWay | null {
  if (way === undefined || way === '') return null;
  if (way === 'bubblewrap' || way === 'namespace' || way === 'none') return way;
  problems.push('expected PROVISO_WORKER_ISOLATION to be bubblewrap, namespace or none, got another');
  return null;
}

function webhookReachOf(
  { PROVISO_WEBHOOK_REACH: reach }: Readonly<Record<string, string | undefined>>,
  problems: string[],
): AllowedReach {
  if (reach === undefined || reach === '') return 'public';
  if (reach === 'public' || reach === 'private') return reach;
  problems.push('expected PROVISO_WEBHOOK_REACH to be public or private, got another');
  return 'public';
}

function countOf(
  environment: Readonly<Record<string, string | undefined>>,
  { name, preset, most }: { readonly name: string; readonly preset: number; readonly most: number },
  problems: string[],
): number {
  const count = Number(environment[name] || preset);
  if (!Number.isInteger(count) || count < 1 || count > most) problems.push(`expected ${name} to be from 1 to ${most}`);
  return count;
}

function portOf(text: string | undefined, problems: string[]): number | null {
  if (text === undefined || text === '') return null;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) problems.push('expected PROVISO_WORKER_PORT to be a port');
  return port;
}

function faultOf(environment: Readonly<Record<string, string | undefined>>, problems: string[]): WorkerConfig['fault'] {
  const { PROVISO_FAULT: named, PROVISO_FAULT_ONCE: onceFile } = environment;
  if (named === undefined || named === '') return null;
  const point = faultPoints.find((each) => each === named);
  if (point !== undefined) return { point, onceFile: onceFile || null };
  problems.push(`expected PROVISO_FAULT to be one of ${faultPoints.join(', ')}, got another`);
  return null;
}
