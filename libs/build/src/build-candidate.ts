import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract } from '@proviso/domain';
import type { Digest, EvidenceStore } from '@proviso/evidence';
import {
  excerpt,
  findContract,
  GateBreakage,
  type GateEvidence,
  type GateOutcome,
  type GateReason,
} from '@proviso/gates';
import { type BuiltContent, describeBuilt, freezeBuilt, readFrozen } from '@proviso/intake';
import type { Isolation } from '@proviso/isolation';
import { type BuildLog, joinedLogs } from './build-log.ts';
import { type BuildPlan, type BuildWork, planBuild } from './build-plan.ts';
import { runBuild } from './build-run.ts';
import { type BuiltDifference, differenceOf, differenceReason } from './built-difference.ts';
import { lockedPackages } from './locked-packages.ts';
import type { CachedPackages, PackageCache } from './package-cache.ts';
import { fetchPackages, lockDigest, type Registries } from './package-fetch.ts';
import type { PackageTools } from './package-tools.ts';
import { provenanceOf } from './provenance.ts';

/** What a worker has to build with; put together once at its start. */
export interface Builder {
  readonly isolation: Isolation;
  readonly tools: PackageTools;
  readonly cache: PackageCache;
  readonly registries: Registries;
  /** The deployment, as it is named in provenance. */
  readonly origin: string;
}

/** One candidate to be built. */
export interface BuildInput {
  /** The candidate, materialised. */
  readonly folder: string;
  readonly source: Digest;
  /** What an earlier build of it has made; then one more is enough to compare. */
  readonly earlier: Digest | null;
  /** A folder of ours, which the caller removes. */
  readonly scratchFolder: string;
  /** Names this very try, in the provenance. */
  readonly invocation: string;
}

/** What the gate needs from outside. */
export interface BuildPorts {
  readonly evidence: EvidenceStore;
  readonly builder: Builder;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** The outcome of the gate, and on a pass what was built. */
export interface BuildOutcome extends GateOutcome {
  readonly built: Built | null;
}

/** What a build leaves; the size is that of all its files. */
export interface Built {
  readonly artifact: Digest;
  readonly sizeBytes: number;
}

/** A second build that would take longer than this is not worth what it tells. */
const repeatMsMax = 300_000;

/**
 * Builds a candidate in isolation and freezes what comes out: from here on that is what is looked at, approved and run.
 * A candidate that needs no build passes as it is.
 */
export async function buildCandidate(input: BuildInput, ports: BuildPorts): Promise<BuildOutcome> {
  const found = await findContract(input.folder);
  if (!found.ok) return { ...failed(found.reasons), evidence: [] };
  const plan: BuildPlan = await planBuild(input.folder, found.contract);
  if (plan.kind === 'nothing') return await nothingToBuild(input, ports);
  if (plan.kind === 'blocked') {
    return { ...failed(plan.reasons), evidence: [await reported(ports, { ...input, reasons: plan.reasons })] };
  }
  if (ports.builder.isolation.way === 'none') return notIsolated(ports.builder.isolation.why);
  const site: Site = { input, ports, contract: found.contract, work: plan.work, startedAt: ports.now(), logs: [] };
  return await build(site);
}

/** One build with what it has said so far. */
interface Site {
  readonly input: BuildInput;
  readonly ports: BuildPorts;
  readonly contract: Contract;
  readonly work: BuildWork;
  readonly startedAt: number;
  readonly logs: { readonly title: string; readonly log: BuildLog }[];
}

async function build(site: Site): Promise<BuildOutcome> {
  const { input, ports, work } = site;
  const packages: CachedPackages[] = [];
  const origins: string[] = [];
  for (const order of work.packages) {
    const fetched = await fetchPackages(input.folder, order, { ...ports.builder, workshop: await workshopOf(site) });
    if (fetched.log !== null)
      site.logs.push({ title: `${order.installer} installs ${order.lockFile}`, log: fetched.log });
    if (fetched.kind === 'refused') return await refused(site, fetched.reason);
    packages.push(fetched.packages);
    origins.push(fetched.cached ? 'cache' : 'registry');
  }
  const first = await make(site, { title: 'build', packages, keeps: true });
  if ('reason' in first) return await refused(site, first.reason);
  const difference = await compared(site, { first, packages });
  if (difference !== null && 'code' in difference) return await refused(site, difference);
  const repeats: GateReason =
    difference === null
      ? {
          code: 'build_not_compared',
          message: 'it takes too long to be built twice, so nobody knows whether it repeats',
        }
      : differenceReason(difference);
  const { artifactDigest: artifact, sizeBytes, manifest } = first.content;
  const files = manifest.files.length;
  const reasons = [{ code: 'built', message: `built: ${files} files, ${sizeBytes} bytes` } as const, repeats];
  const made = { artifact, files, sizeBytes, packages: origins, difference };
  const report = await reported(ports, { ...input, reasons, made });
  const evidence = [report, await logged(site), await proven(site, { artifact, packages })];
  return { verdict: 'pass', reasons, evidence, controls: [], built: { artifact, sizeBytes } };
}

type Made = { readonly content: BuiltContent; readonly tookMs: number } | { readonly reason: GateReason };

async function make(
  site: Site,
  { title, packages, keeps }: { title: string; packages: readonly CachedPackages[]; keeps: boolean },
): Promise<Made> {
  const { input, ports, work } = site;
  const workshop = await workshopOf(site);
  const run = await runBuild(workshop, { source: input.folder, work, packages, tools: ports.builder.tools });
  site.logs.push({ title, log: run.log });
  if (run.kind === 'failed') return { reason: run.reason };
  const content = keeps
    ? await freezeBuilt(run.archive, { store: ports.evidence, tempFolder: workshop.folder })
    : await describeBuilt(run.archive, workshop.folder);
  if (content.kind === 'built') return { content, tookMs: run.tookMs };
  const at = content.pointer === undefined ? '' : ` at ${excerpt(content.pointer.slice('/files/'.length), 100)}`;
  const message = `what was built cannot be kept: ${content.message}${at}`;
  return { reason: { code: 'output_refused', message } };
}

/** With what was built before, or with a second build; null when that would take too long. */
async function compared(
  site: Site,
  { first, packages }: { first: Exclude<Made, { reason: GateReason }>; packages: readonly CachedPackages[] },
): Promise<BuiltDifference | GateReason | null> {
  const { earlier } = site.input;
  if (earlier !== null) return differenceOf(await readFrozen(site.ports.evidence, earlier), first.content.manifest);
  if (first.tookMs > repeatMsMax) return null;
  const second = await make(site, { title: 'second build, to compare', packages, keeps: false });
  if ('reason' in second) {
    const message = `it was built once and not a second time from the same files: ${second.reason.message}`;
    return { ...second.reason, message };
  }
  return differenceOf(first.content.manifest, second.content.manifest);
}

async function workshopOf({ input, ports, logs }: Site) {
  const folder = join(input.scratchFolder, `step-${logs.length}`);
  await mkdir(folder, { recursive: true });
  return { isolation: ports.builder.isolation, folder, signal: ports.signal };
}

async function nothingToBuild(input: BuildInput, ports: BuildPorts): Promise<BuildOutcome> {
  const reasons = [{ code: 'nothing_to_build', message: 'nothing to build: the files run as they are' }] as const;
  const made = { artifact: input.source };
  const evidence = [await reported(ports, { ...input, reasons, made })];
  const { files } = await readFrozen(ports.evidence, input.source);
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  return { verdict: 'pass', reasons, evidence, controls: [], built: { artifact: input.source, sizeBytes } };
}

function notIsolated(why: string): BuildOutcome {
  const message = `it cannot be built here: ${why}; ask an operator for a worker that can isolate`;
  return { ...failed([{ code: 'build_not_isolated', message }]), verdict: 'inconclusive', evidence: [] };
}

async function refused(site: Site, reason: GateReason): Promise<BuildOutcome> {
  const evidence = [await reported(site.ports, { ...site.input, reasons: [reason] }), await logged(site)];
  return { ...failed([reason]), evidence };
}

function failed(reasons: readonly GateReason[]): Omit<BuildOutcome, 'evidence'> {
  return { verdict: 'fail', reasons, controls: [], built: null };
}

async function reported(
  { evidence, builder, now }: BuildPorts,
  told: { readonly source: Digest; readonly reasons: readonly GateReason[]; readonly made?: object },
): Promise<GateEvidence> {
  const { tools, isolation } = builder;
  const by = { npm: tools.npm?.version ?? null, pip: tools.pip?.version ?? null, platform: tools.platform };
  const { source, reasons, made } = told;
  const document = {
    kind: 'build_report',
    v: 1,
    at: now(),
    source,
    ...made,
    reasons,
    tools: by,
    isolation: isolation.way,
  };
  return { kind: 'build_report', digest: await stored(evidence, document) };
}

async function logged({ ports, logs }: Site): Promise<GateEvidence> {
  const bytes = new TextEncoder().encode(joinedLogs(logs));
  const { digest } = await ports.evidence.put(bytes, { mediaType: 'text/plain' });
  return { kind: 'build_log', digest };
}

async function proven(
  { input, ports, contract, work, startedAt }: Site,
  { artifact, packages }: { readonly artifact: Digest; readonly packages: readonly CachedPackages[] },
): Promise<GateEvidence> {
  const { tools, isolation, origin } = ports.builder;
  if (contract.build === undefined) throw new GateBreakage('output_invalid', 'expected a build', { retryable: false });
  const locks = work.packages.map(async ({ lockFile: file }) => ({
    file,
    digest: await lockDigest(input.folder, file),
  }));
  const locked = await Promise.all(work.packages.map(async (order) => await lockedPackages(input.folder, order)));
  const versions = {
    platform: tools.platform,
    isolation: isolation.way,
    ...(tools.npm !== null && { npm: tools.npm.version }),
    ...(tools.pip !== null && { pip: tools.pip.version }),
  };
  const statement = provenanceOf({
    prototype: contract.prototype,
    ...{ artifact, source: input.source, build: contract.build, locks: await Promise.all(locks) },
    ...{
      packages: locked.flat(),
      archives: packages.map(({ digest }) => digest),
      builder: { origin, isolation: isolation.way, versions },
    },
    ...{ invocation: input.invocation, startedAt, finishedAt: ports.now() },
  });
  return { kind: 'provenance', digest: await stored(ports.evidence, statement) };
}

async function stored(evidence: EvidenceStore, document: object): Promise<Digest> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(document, null, 2)}\n`);
  return (await evidence.put(bytes, { mediaType: 'application/json' })).digest;
}
