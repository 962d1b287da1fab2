import { type EvaluationControl, judgeEvaluation } from '@proviso/judge';
import { type Contract, runOrderOf } from '@proviso/domain';
import { type Case, findCases } from './cases.ts';
import { type CaseResult, type EvaluationRun, evaluationDocument, evaluationReasons } from './evaluation-report.ts';
import { type Exchanged, type Route, exchange, mismatchOf } from './exchange.ts';
import { type Control, GateBreakage, type GateEvidence, type GateOutcome, type GateReason } from './outcome.ts';
import { type EvidencePort, type HttpFetch, putJson } from './ports.ts';
import { redact } from './redaction.ts';

/** What is asked, of which process, and the bar that was sealed before. */
export interface EvaluateInput {
  /** The candidate, materialised: the case file is read from here. */
  readonly folder: string;
  readonly contract: Contract;
  /** The candidate's own process, started for this evaluation, such as `http://127.0.0.1:4100`. */
  readonly baseUrl: string;
  /** Share of cases whose lower bound must be reached, from the policy. */
  readonly bar: number;
  /** One-sided, from the policy; 0.95 when it does not say. */
  readonly confidence?: number;
  /** How often each case runs, from the policy; a case passes when every run of it does. */
  readonly repeats: number;
  /** Drawn by the caller for this evaluation: the must-fail control expects it, so no answer may know it. */
  readonly nonce: string;
  readonly requestTimeoutMs?: number;
}

/** What the evaluation needs from outside. */
export interface EvaluatePorts {
  readonly evidence: EvidencePort;
  readonly fetch: HttpFetch;
  readonly signal: AbortSignal;
}

/** A model behind a prototype answers slowly; beyond this no user would wait. */
const requestTimeoutMsDefault = 15_000;
/** A small process on two cores is not meant to be under load here. */
const requestsAtOnceMax = 4;
const confidenceDefault = 0.95;

/**
 * Puts every case to the candidate's own process, several times, and lets the judge compare the exact lower bound with
 * the bar. A case without an answer counts as failed when the process is otherwise healthy; a process that is gone is a
 * breakage, since then we know nothing.
 */
export async function evaluateCandidate(input: EvaluateInput, ports: EvaluatePorts): Promise<GateOutcome> {
  const found = await findCases(input.folder, input.contract);
  if (!found.ok) return await withoutCases(found.reasons, ports);
  const timeoutMs = input.requestTimeoutMs ?? requestTimeoutMsDefault;
  const route: Route = { baseUrl: input.baseUrl, fetch: ports.fetch, timeoutMs, signal: ports.signal };
  const controls = await runControls(route, input);
  const results = await runCases(route, {
    cases: found.cases,
    repeats: input.repeats,
    health: input.contract.probes.health,
    withheld: Object.values(runOrderOf(input.contract).environment),
  });
  await requireHealth(route, input.contract.probes.health);
  const judged = judgeEvaluation({
    cases: results.map(({ id, passes, trials, slice }) => ({ id, passes, trials, errors: 0, ...(slice && { slice }) })),
    controls,
    suite: { caseIds: found.cases.map((each) => each.id), trialsPerCase: input.repeats },
    bar: input.bar,
    confidence: input.confidence ?? confidenceDefault,
  });
  const evidence = await storeEvidence(ports.evidence, {
    ...input,
    bytes: found.bytes,
    results,
    controls,
    judged,
  });
  const reasons = evaluationReasons({ bar: input.bar, results, judged, controls });
  const { n, k, lower, upper, method } = judged.stats;
  return { verdict: judged.verdict, reasons, evidence, controls, stats: { n, k, lower, upper, method } };
}

/** No cases is no data, which the builder can mend: inconclusive, with what to write. */
async function withoutCases(reasons: readonly GateReason[], ports: EvaluatePorts): Promise<GateOutcome> {
  const digest = await putJson(ports.evidence, { kind: 'evaluation_report', v: 1, reasons });
  return { verdict: 'inconclusive', reasons, evidence: [{ kind: 'evaluation_report', digest }], controls: [] };
}

/** One that must pass and one that cannot: both go the way of every case, so a runner that always says yes is seen. */
async function runControls(route: Route, input: EvaluateInput): Promise<readonly (EvaluationControl & Control)[]> {
  const answer = await requireHealth(route, input.contract.probes.health);
  const observed = (mismatch: string | null): 'pass' | 'fail' => (mismatch === null ? 'pass' : 'fail');
  return [
    { id: 'must_pass_health', expected: 'pass', observed: observed(mismatchOf({ status: 200 }, answer)) },
    { id: 'must_fail_nonce', expected: 'fail', observed: observed(mismatchOf({ contains: input.nonce }, answer)) },
  ];
}

async function requireHealth(route: Route, path: string): Promise<Exchanged> {
  const answer = await exchange(route, { method: 'GET', path, headers: {} });
  if (answer.kind === 'answered' && answer.status < 500) return answer;
  const got = answer.kind === 'answered' ? `status ${answer.status}` : 'no answer';
  throw new GateBreakage('unreachable', `expected a healthy prototype, got ${got}`, { retryable: true });
}

interface Suite {
  readonly repeats: number;
  readonly health: string;
  /** Values of the environment, which no reason may repeat. */
  readonly withheld: readonly string[];
}

async function runCases(
  route: Route,
  suite: Suite & { readonly cases: readonly Case[] },
): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = [];
  const pending = suite.cases.entries();
  const breakages: unknown[] = [];
  // Each runner takes the next case when it is free; an iterator is shared safely, since taking is synchronous. When
  // one
  // breaks, the others end after the request they are in, so that nothing runs on behind our back.
  const runner = async (): Promise<void> => {
    for (const [index, each] of pending) {
      try {
        results[index] = await runCase(route, { ...suite, each });
      } catch (error) {
        breakages.push(error);
      }
      if (breakages.length > 0) return;
    }
  };
  await Promise.all(Array.from({ length: requestsAtOnceMax }, runner));
  if (breakages.length > 0) throw firstError(breakages);
  return results;
}

function firstError(breakages: readonly unknown[]): Error {
  const first = breakages[0];
  return first instanceof Error ? first : new Error('expected an error', { cause: first });
}

async function runCase(route: Route, run: Suite & { readonly each: Case }): Promise<CaseResult> {
  const { id, request, expect, slice } = run.each;
  const mismatches: string[] = [];
  for (let trial = 0; trial < run.repeats; trial += 1) {
    const answer = await exchange(route, request);
    if (answer.kind === 'no_answer') await requireHealth(route, run.health);
    const mismatch = mismatchOf(expect, answer, run.withheld);
    if (mismatch !== null) mismatches.push(mismatch);
  }
  const passes = run.repeats - mismatches.length;
  const counts = { passes, trials: run.repeats, mismatch: mismatches[0] ?? null };
  return { id, request, ...counts, ...(slice !== undefined && { slice }) };
}

async function storeEvidence(evidence: EvidencePort, run: EvaluationRun): Promise<readonly GateEvidence[]> {
  const digest = await putJson(evidence, evaluationDocument(run));
  const report: GateEvidence = { kind: 'evaluation_report', digest };
  const text = new TextDecoder().decode(run.bytes);
  // A case file with something like a secret in it is named by its digest in the report, and not kept.
  if (redact(text) !== text) return [report];
  const cases = await evidence.put(run.bytes, { mediaType: 'application/yaml' });
  return [report, { kind: 'evaluation_cases', digest: cases.digest }];
}
