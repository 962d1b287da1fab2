import { type Digest, type EvidenceRef, findGate, group, integer, list, read } from '@proviso/domain';
import { populationStability, scoreClasses } from '@proviso/judge';
import { type Measured, type WatchErrand, unseen } from '../watching.ts';

/** Five classes of scores: an answer that is right three times of five is another one than four of five. */
const classes = 5;
/** With fewer cases, chance alone moves the index by more than any bound that makes sense. */
const casesMin = 20;

/** How far the scores of the cases have moved from those at the promotion. */
export async function drift(errand: WatchErrand): Promise<Measured> {
  const { state } = errand;
  const then = reportIn(findGate(state, 'evaluation')?.evidence);
  const now = reportIn(state.watch?.evaluation?.evidence);
  if (then === null || now === null)
    return unseen('not_evaluated', 'there are no two evaluations of this version to compare');
  const [before, after] = await Promise.all([scoresIn(errand, then), scoresIn(errand, now)]);
  const evidence = [then, now].map((digest) => ({ kind: 'evaluation_report', digest }));
  if (before === null || after === null)
    return { ...unseen('report_unreadable', 'an evaluation of this version cannot be read any more'), evidence };
  if (Math.min(before.length, after.length) < casesMin) {
    const message = `expected at least ${casesMin} cases, got ${Math.min(before.length, after.length)}: with fewer, chance looks like drift`;
    return { ...unseen('cases_too_few', message), evidence };
  }
  const psi = populationStability(scoreClasses(before, classes), scoreClasses(after, classes));
  return { figure: Number.isFinite(psi) ? psi : null, reasons: [], evidence };
}

function reportIn(evidence: readonly EvidenceRef[] = []): Digest | null {
  return evidence.find(({ kind }) => kind === 'evaluation_report')?.digest ?? null;
}

const runsMax = 1_000;
const scored = group({ passes: integer({ min: 0, max: runsMax }), trials: integer({ min: 1, max: runsMax }) });
const scoredCases = list(scored, { max: 10_000 });

/** Our own document, read like any other; null when it is of another form. */
async function scoresIn({ ports }: WatchErrand, digest: Digest): Promise<readonly number[] | null> {
  const report: unknown = JSON.parse(new TextDecoder().decode(await ports.evidence.get(digest)));
  const cases: unknown = typeof report === 'object' && report !== null ? Reflect.get(report, 'cases') : undefined;
  if (!Array.isArray(cases)) return null;
  const counts = cases.map((each: unknown) => picked(each));
  const found = read(scoredCases, counts);
  return found.ok ? found.value.map(({ passes, trials }) => passes / trials) : null;
}

function picked(each: unknown): unknown {
  if (typeof each !== 'object' || each === null) return null;
  const [passes, trials]: readonly unknown[] = [Reflect.get(each, 'passes'), Reflect.get(each, 'trials')];
  return { passes, trials };
}
