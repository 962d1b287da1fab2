import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pythonPackages } from '@proviso/domain';
import type { Digest } from '@proviso/evidence';
import { excerpt, GateBreakage, type GateReason } from '@proviso/gates';
import { type BuildLog, lastWords } from './build-log.ts';
import type { PackageOrder } from './build-plan.ts';
import type { CachedPackages, PackageCache } from './package-cache.ts';
import type { PackageTools } from './package-tools.ts';
import { workshopEnvironment, npmFolder, toolMounts } from './tool-mounts.ts';
import { runWorkshop, type Workshop, type WorkshopEnd } from './workshop.ts';

/** Where packages come from: the operator's own choice, which may be a mirror in their network. */
export interface Registries {
  readonly npm: string;
  readonly pypi: string;
  /** A file with certificates that the registries are believed by beside the usual ones. */
  readonly certificates: string | null;
}

/** What became of one fetch. */
export type Fetched =
  | {
      readonly kind: 'fetched';
      readonly packages: CachedPackages;
      readonly cached: boolean;
      readonly log: BuildLog | null;
    }
  | { readonly kind: 'refused'; readonly reason: GateReason; readonly log: BuildLog };

/** What a fetch needs beside its order. */
export interface FetchPorts {
  readonly workshop: Workshop;
  readonly cache: PackageCache;
  readonly tools: PackageTools;
  readonly registries: Registries;
}

/** Packages that take longer come from a registry that hangs. */
const fetchMsMax = 300_000;
/** npm holds the whole tree of packages in memory. */
const memoryMb = 1_024;
const certificatesFile = '/etc/proviso/certificates.pem';

/**
 * Installs packages from their lock file in a sandbox that reaches the registries alone, and in which nothing of the
 * packages runs; or takes them from the cache, whose name says all that the installer is shown.
 */
export async function fetchPackages(source: string, order: PackageOrder, ports: FetchPorts): Promise<Fetched> {
  const { cache, tools, registries } = ports;
  const version = order.installer === 'npm' ? tools.npm?.version : tools.pip?.version;
  if (version === undefined) {
    throw new GateBreakage('tool_unknown', `expected ${order.installer} on this worker, got none`, {
      retryable: false,
    });
  }
  const key = await keyOf(source, order, [order.installer, version, tools.platform, registryOf(order, registries)]);
  const kept = await cache.find(key, ports.workshop.folder);
  if (kept !== null) return { kind: 'fetched', packages: kept, cached: true, log: null };
  const end = await runWorkshop(ports.workshop, {
    script: order.installer === 'npm' ? npmScript : pipScript(await hasHashes(source)),
    words: [registryOf(order, registries), ...order.inputs],
    mounts: [
      { access: 'read', source, target: '/source' },
      ...toolMounts(tools),
      ...(registries.certificates === null
        ? []
        : [{ access: 'read', source: registries.certificates, target: certificatesFile } as const]),
    ],
    environment: {
      ...workshopEnvironment(ports.workshop.isolation),
      ...(registries.certificates !== null && { NODE_EXTRA_CA_CERTS: certificatesFile, PIP_CERT: certificatesFile }),
    },
    hosts: hostsOf(order, registries),
    memoryMb,
    withinMs: fetchMsMax,
  });
  const reason = fetchReason(order, end);
  if (reason !== null) return { kind: 'refused', reason, log: end.log };
  return { kind: 'fetched', packages: await cache.keep(key, end.archive), cached: false, log: end.log };
}

/** The proxy would be passed by for a mirror on this very machine, which is another one from inside. */
const beginning = `unset NO_PROXY no_proxy
registry=$1
shift
for file in "$@"; do mkdir -p "$(dirname "$file")" && cp "/source/$file" "$file" || exit 81; done`;

const npmScript = `${beginning}
node ${npmFolder}/bin/npm-cli.js ci --ignore-scripts --no-audit --no-fund --registry="$registry" --replace-registry-host=always >&2 || exit 82
mkdir -p node_modules
find . -name node_modules -prune -print0 | tar -c --null -T - || exit 83`;

function pipScript(hashes: boolean): string {
  const flags = ['--only-binary :all:', '--no-compile', '--no-input', ...(hashes ? ['--require-hashes'] : [])];
  const proxy = '--proxy "$HTTP_PROXY"';
  return `${beginning}
python3 -m pip install -r requirements.txt --target ${pythonPackages} --index-url "$registry" ${proxy} ${flags.join(' ')} >&2 || exit 82
rm -rf ${pythonPackages}/bin
tar -c ${pythonPackages} || exit 83`;
}

async function hasHashes(source: string): Promise<boolean> {
  return /(^|\s)--hash[=\s]/m.test(await readFile(join(source, 'requirements.txt'), 'utf8'));
}

async function keyOf(source: string, order: PackageOrder, made: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(made));
  for (const file of order.inputs) {
    const bytes = await readFile(join(source, file));
    hash.update(JSON.stringify([file, createHash('sha256').update(bytes).digest('hex')]));
  }
  return hash.digest('hex');
}

/** The digest of a lock file as it is named in evidence. */
export async function lockDigest(source: string, file: string): Promise<Digest> {
  return `sha256:${createHash('sha256')
    .update(await readFile(join(source, file)))
    .digest('hex')}`;
}

function registryOf({ installer }: PackageOrder, registries: Registries): string {
  return installer === 'npm' ? registries.npm : registries.pypi;
}

/** The public index keeps its files elsewhere. */
const filesOfPublicIndex: Readonly<Record<string, string>> = { 'pypi.org': 'files.pythonhosted.org' };

function hostsOf(order: PackageOrder, registries: Registries): readonly string[] {
  const { host } = new URL(registryOf(order, registries));
  const more = filesOfPublicIndex[host];
  return more === undefined ? [host] : [host, more];
}

/** What the installer's no means; a registry that is away is nobody's fault and is tried again. */
function fetchReason(order: PackageOrder, { code, stopped, log, egress }: WorkshopEnd): GateReason | null {
  if (code === 0 && stopped === null) return null;
  if (stopped === 'too_late') {
    throw new GateBreakage('registry_away', `expected packages within ${fetchMsMax / 1_000} s, got none`, {
      retryable: true,
    });
  }
  const file = order.lockFile;
  const foreign = egress.find(({ declared }) => !declared);
  if (foreign !== undefined) {
    const message = `${file} takes packages from ${excerpt(foreign.host)}, and builds reach the registry only; take them from the registry and write the lock file anew`;
    return { code: 'packages_not_installed', message, file };
  }
  if (stopped !== null || code === 83) {
    const message = `${file} names more packages than a build may hold; take out what the prototype does not need`;
    return { code: 'packages_not_installed', message, file };
  }
  if (code !== 82)
    throw new GateBreakage('sandbox_broke', `expected an installer that runs, got ${code}`, { retryable: true });
  if (awayWords.test(log.text)) {
    throw new GateBreakage('registry_away', 'expected a registry that answers, got none', { retryable: true });
  }
  const fix =
    order.installer === 'npm'
      ? 'run `npm install`, try `npm ci`, and add the lock file that it leaves'
      : 'try `pip install --only-binary :all: -r requirements.txt` in a new environment and mend the line it names';
  return {
    code: 'packages_not_installed',
    message: `the packages of ${file} cannot be installed; ${fix}; ${lastWords(log)}`,
    file,
  };
}

/** How npm and pip say that nobody answered, or that who answered is out of order. */
const awayWords =
  /npm error code (E(CONNREFUSED|CONNRESET|NOTFOUND|AI_AGAIN|TIMEDOUT|HOSTUNREACH|NETUNREACH|PIPE|PROTO|5\d\d|429)|ERR_SOCKET_TIMEOUT|UNABLE_TO_|CERT_|SELF_SIGNED)|Retrying \(Retry\(|(ReadTimeout|ConnectTimeout|NewConnection|ProxyError|ProtocolError|SSLError)|5\d\d Server Error/;
