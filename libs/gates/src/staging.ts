import { type Contract, runOrderOf } from '@proviso/domain';
import { type Route, exchange, mismatchOf, requestText } from './exchange.ts';
import { type Control, GateBreakage, type GateOutcome, type GateReason, missedControls } from './outcome.ts';
import { type EvidencePort, type HttpFetch, putJson } from './ports.ts';
import { excerpt } from './redaction.ts';

/** The release in the staging lane, and its contract. The deployment itself is the worker's. */
export interface SmokeInput {
  readonly contract: Contract;
  readonly baseUrl: string;
  /** Drawn by the caller: the must-fail control expects it in an answer. */
  readonly nonce: string;
  readonly requestTimeoutMs?: number;
}

/** What the smoke test needs from outside. */
export interface SmokePorts {
  readonly evidence: EvidencePort;
  readonly fetch: HttpFetch;
  readonly signal: AbortSignal;
}

/** A probe is one page or one question; slower than this is broken for a person. */
const requestTimeoutMsDefault = 15_000;

/** Sends the probes that the contract declares. Without any there is nothing to go by: inconclusive. */
export async function smokeRelease(input: SmokeInput, ports: SmokePorts): Promise<GateOutcome> {
  const timeoutMs = input.requestTimeoutMs ?? requestTimeoutMsDefault;
  const route: Route = { baseUrl: input.baseUrl, fetch: ports.fetch, timeoutMs, signal: ports.signal };
  const health = await exchange(route, { method: 'GET', path: input.contract.probes.health, headers: {} });
  if (health.kind === 'no_answer') {
    throw new GateBreakage('unreachable', 'expected an answer from the staging release, got none', { retryable: true });
  }
  const seen = mismatchOf({ contains: input.nonce }, health) === null ? 'pass' : 'fail';
  const controls: readonly Control[] = [{ id: 'must_fail_nonce', expected: 'fail', observed: seen }];
  const withheld = Object.values(runOrderOf(input.contract).environment);
  const probes = [{ name: 'health', ...healthProbe(input.contract) }, ...input.contract.probes.smoke];
  const results: { readonly probe: string; readonly mismatch: string | null }[] = [];
  for (const probe of probes) {
    const name = excerpt(probe.name ?? requestText(probe), 100);
    results.push({ probe: name, mismatch: mismatchOf(probe.expect, await exchange(route, probe), withheld) });
  }
  const document = { kind: 'smoke_report', v: 1, declared: input.contract.probes.smoke.length, results, controls };
  const evidence = [{ kind: 'smoke_report', digest: await putJson(ports.evidence, document) }];
  return { ...concluded({ results, declared: input.contract.probes.smoke.length, controls }), evidence, controls };
}

/** A part of a running release as it was seen from outside: a page, a prompt, the flags as served. */
export interface ServedAnswer {
  readonly probe: string;
  readonly status: number;
  /** Digest of the body, only where the same request gives the same body. */
  readonly digest?: string;
}

/** A running release as observed, not as our rows say it is: the digest is of the files in the folder it runs from. */
export interface ObservedRelease {
  readonly releaseId: string;
  readonly treeDigest: string;
  readonly served: readonly ServedAnswer[];
}

/** A lane without any release: what a first release rolls back to. */
export type ObservedLane = ObservedRelease | 'closed';

/** What a rollback rehearsal showed. */
export interface RehearsalComparison {
  readonly verdict: 'pass' | 'fail' | 'inconclusive';
  readonly reasons: readonly GateReason[];
}

/**
 * Compares what ran before the rehearsed deployment with what runs after its rollback. Pure. Only what was observed
 * counts; `rehearsed` proves that something else did run in between, else nothing was rolled back.
 */
export function compareRehearsal(rehearsal: {
  readonly before: ObservedLane;
  readonly rehearsed: ObservedLane;
  readonly after: ObservedLane;
}): RehearsalComparison {
  const { before, rehearsed, after } = rehearsal;
  if (rehearsed === 'closed' || (before !== 'closed' && rehearsed.releaseId === before.releaseId)) {
    const message = 'the new release was never seen running, so no rollback was rehearsed; run the rehearsal again';
    return { verdict: 'inconclusive', reasons: [{ code: 'rehearsal_incomplete', message }] };
  }
  const differences = differencesBetween(before, after);
  if (differences.length > 0) {
    const message = `after the rehearsed rollback staging is not as before: ${differences.join('; ')}`;
    return { verdict: 'fail', reasons: [{ code: 'release_differs', message }] };
  }
  const what =
    before === 'closed' ? 'closed, as before the first release' : 'running the release from before, unchanged';
  const message = `the rollback was rehearsed: afterwards staging is ${what}`;
  return { verdict: 'pass', reasons: [{ code: 'release_unchanged', message }] };
}

function differencesBetween(before: ObservedLane, after: ObservedLane): readonly string[] {
  if (before === 'closed') return after === 'closed' ? [] : ['expected a closed lane, got a running release'];
  if (after === 'closed') return ['expected the release from before, got a closed lane'];
  const differences: string[] = [];
  if (after.releaseId !== before.releaseId) {
    differences.push(`expected release ${excerpt(before.releaseId)}, got ${excerpt(after.releaseId)}`);
  }
  if (after.treeDigest !== before.treeDigest) differences.push('the files it runs from are not the same');
  for (const served of before.served) {
    const now = after.served.find((each) => each.probe === served.probe);
    const name = excerpt(served.probe, 80);
    if (now === undefined) differences.push(`${name} was not looked at again`);
    else if (now.status !== served.status)
      differences.push(`${name}: expected status ${served.status}, got ${now.status}`);
    else if (now.digest !== served.digest) differences.push(`${name} answers something else`);
  }
  return differences;
}

function healthProbe(contract: Contract): Contract['probes']['smoke'][number] {
  return { method: 'GET', path: contract.probes.health, headers: {}, expect: { status: 200 } };
}

function concluded(smoke: {
  readonly results: readonly { readonly probe: string; readonly mismatch: string | null }[];
  readonly declared: number;
  readonly controls: readonly Control[];
}): Pick<GateOutcome, 'verdict' | 'reasons'> {
  const failed = smoke.results.filter((result) => result.mismatch !== null);
  const missed = missedControls(smoke.controls);
  if (failed.length > 0) {
    const reasons = failed.map(({ probe, mismatch }): GateReason => {
      return { code: 'probe_failed', message: `in staging, ${probe}: ${mismatch ?? ''}` };
    });
    return { verdict: 'fail', reasons: [...reasons, ...missed] };
  }
  if (smoke.declared === 0) {
    const message =
      'proviso.yaml declares no smoke probes, so nothing shows that it works in staging; add some under probes.smoke';
    return { verdict: 'inconclusive', reasons: [...missed, { code: 'no_probes', message }] };
  }
  if (missed.length > 0) return { verdict: 'inconclusive', reasons: missed };
  const message = `all ${smoke.results.length} probes were answered right in staging`;
  return { verdict: 'pass', reasons: [{ code: 'probes_passed', message }] };
}
