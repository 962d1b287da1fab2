import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { egressPort } from '@proviso/isolation';
import type { Stage } from '../stage.ts';
import type { Lures } from './lures.ts';

/** Everything that one script is told to try; each text in it becomes one or more keys of its answer. */
export type Wish = Readonly<Record<'tcp' | 'proxied' | 'unix' | 'abstract' | 'files' | 'names', readonly string[]>> & {
  readonly pids: readonly number[];
  /** The way out that a sandbox is offered, on its own loopback. */
  readonly proxy: string;
};

/** One line of the table: what it stands for, and the keys of the answer that belong to it. */
export interface Aim {
  readonly label: string;
  readonly keys: readonly string[];
  /** Whether the same attack must succeed without isolation: else the machine itself has no such thing. */
  readonly real: boolean;
}

/** All that may not be reached, with the real addresses of this deployment. */
export interface Aims {
  readonly aims: readonly Aim[];
  readonly wish: Wish;
}

/** A lane beside the hostile one: its first process, and where it is reached. */
export interface Neighbour {
  readonly pid: number;
  readonly tcp: readonly string[];
  readonly unix: readonly string[];
}

const metadata = '169.254.169.254:80';
const stranger = 'example.com';

/** Puts a text of its own into each folder, and names every address. */
export function aimsOf(
  stage: Stage,
  { folder, lures, neighbour }: { folder: string; lures: Lures; neighbour: Neighbour },
): Aims {
  const { parts, proxies } = stage;
  const [api, router, control] = [stage.apiUrl, stage.routerUrl, stage.control.url].map((url) => new URL(url).host);
  const postgres = new URL(stage.superuserUrl).host;
  const proxied = [postgres, api, control, metadata, `${stranger}:443`].flatMap((each) => each ?? []);
  const tcp = (label: string, ...places: readonly string[]): Aim => real(label, ...places.map((each) => `tcp ${each}`));
  const files = canariesIn(folder);
  const aims: readonly Aim[] = [
    tcp('PostgreSQL', postgres, ...Object.values(proxies).flatMap(addressesOf)),
    tcp('Temporal', stage.temporal.address),
    tcp('the API', api ?? ''),
    tcp('the edge: router', router ?? ''),
    tcp('the edge: control', control ?? ''),
    real(
      'another lane',
      ...neighbour.tcp.map((each) => `tcp ${each}`),
      ...neighbour.unix.map((each) => `unix ${each}`),
    ),
    tcp('a listener on loopback', ...lures.tcp),
    real('a Unix socket', `unix ${lures.unix}`),
    real('an abstract socket', `abstract ${lures.abstract}`),
    ...Object.entries({ api: parts.api, worker: parts.worker, edge: parts.edge, PostgreSQL: parts.postgres }).map(
      ([name, part]) => real(`the process of ${name}`, ...keysOfProcess(part.pid())),
    ),
    real('the process of another lane', ...keysOfProcess(neighbour.pid)),
    real('/proc/<parent>/environ', 'parent environ'),
    ...Object.entries(files).map(([label, paths]) => real(label, ...paths.flatMap(keysOfFile))),
    real('control groups', 'control group'),
    unreal('cloud metadata', `tcp ${metadata}`),
    unreal('by the way out (proxy)', ...proxied.map((each) => `proxied ${each}`)),
    unreal('DNS', `dns ${stranger}`, `resolver ${stranger}`, 'udp dns'),
  ];
  return { aims, wish: wishOf(aims.flatMap(({ keys }) => keys)) };
}

function real(label: string, ...keys: readonly string[]): Aim {
  return { label, keys, real: true };
}

function unreal(label: string, ...keys: readonly string[]): Aim {
  return { label, keys, real: false };
}

function addressesOf(proxy: { readonly port: number } | readonly { readonly port: number }[]): readonly string[] {
  return [proxy].flat().map(({ port }) => `127.0.0.1:${port}`);
}

/** Where each part keeps its data; the first of each is a file of ours that nobody else knows. */
function canariesIn(folder: string): Readonly<Record<string, readonly string[]>> {
  const canary = (name: string): string => {
    const path = join(folder, name, 'canary');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'the canary sings');
    return path;
  };
  const secrets = join(folder, 'secrets.json');
  writeFileSync(secrets, '{"key":"the canary sings"}', { mode: 0o600 });
  return {
    'the journal’s folder': [canary('postgres'), join(folder, 'postgres', 'data', 'PG_VERSION')],
    'the evidence folder': [canary('evidence')],
    'the edge’s folder': [canary('edge'), join(folder, 'edge', 'state.json')],
    'the worker’s folder': [canary('worker')],
    'logs and secrets': [canary('logs'), secrets],
    '/etc/shadow': ['/etc/shadow'],
  };
}

function keysOfFile(path: string): readonly string[] {
  return [`read ${path}`, `read by link ${path}`];
}

function keysOfProcess(pid: number): readonly string[] {
  return ['signal', 'environ', 'root of', 'descriptors of'].map((verb) => `${verb} ${pid}`);
}

function wishOf(keys: readonly string[]): Wish {
  const after = (verb: string): readonly string[] => [
    ...new Set(keys.flatMap((key) => (key.startsWith(`${verb} `) ? [key.slice(verb.length + 1)] : []))),
  ];
  return {
    ...{ tcp: after('tcp'), proxied: after('proxied'), unix: after('unix'), abstract: after('abstract') },
    ...{ files: after('read').filter((path) => path.startsWith('/')), names: after('dns') },
    ...{ pids: after('signal').map(Number), proxy: `127.0.0.1:${egressPort}` },
  };
}
