import { type Of, about, group, integer, list, preset, requestFields, text } from '@proviso/domain';
import type { Contract } from '@proviso/domain';
import { readCandidateFile } from './candidate-files.ts';
import type { GateReason } from './outcome.ts';
import { excerpt } from './redaction.ts';
import { readYaml, yamlBytesMax } from './yaml.ts';

/** Enough for a tight bound (300 cases prove 99 %), few enough to run at every change. */
const casesMax = 500;

const expectation = group(
  {},
  {
    status: preset(integer({ min: 100, max: 599 }), 200),
    contains: about(text({ min: 1, max: 1_000 }), 'the answer holds these very words'),
    notContains: about(text({ min: 1, max: 1_000 }), 'the answer holds them nowhere'),
  },
);

/** The shape of a case file: questions to the prototype with what a right answer is like. */
export const casesShape = list(
  group(
    {
      id: text({ min: 1, max: 80, pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$', meaning: 'letters, digits, hyphens' }),
      request: group(
        { path: text({ min: 1, max: 500, pattern: '^/[!-~]*$', meaning: 'a path such as /answer' }) },
        requestFields,
      ),
      expect: expectation,
    },
    { slice: about(text({ min: 1, max: 80 }), 'the kind of question, for the worst-slice table') },
  ),
  { min: 1, max: casesMax },
);

/** One case. */
export type Case = Of<typeof casesShape>[number];

/** The cases with the very bytes they were read from, or why there are none. */
export type CasesFound =
  | { readonly ok: true; readonly cases: readonly Case[]; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reasons: readonly GateReason[] };

/** Reads the case file that the contract names. Every mistake is told with its line. */
export async function findCases(folder: string, contract: Contract): Promise<CasesFound> {
  const path = contract.evaluation.cases;
  const file = excerpt(path, 300);
  const content = await readCandidateFile(folder, { path, sizeBytesMax: yamlBytesMax });
  if ('problem' in content) {
    const why = content.problem === 'missing' ? 'is not in the prototype' : `is larger than ${yamlBytesMax} bytes`;
    const message = `the file with the test questions, ${file}, ${why}; add it, or name the right file under evaluation.cases`;
    return { ok: false, reasons: [{ code: 'cases_missing', message, file }] };
  }
  const result = readYaml(content.bytes, casesShape);
  if (!result.ok) return { ok: false, reasons: result.problems.map((problem) => invalid(file, problem)) };
  const twice = firstTwice(result.value.map((each) => each.id));
  if (twice !== undefined) {
    const message = `expected each case id once, got ${excerpt(twice)} twice`;
    return { ok: false, reasons: [invalid(file, { message, line: 1 })] };
  }
  const idle = result.value.find((each) => each.expect.contains === undefined && each.expect.notContains === undefined);
  if (idle !== undefined) {
    // Without a look at the answer a case passes whatever the prototype says.
    const message = `expected case ${idle.id} to say what the answer contains (expect.contains or expect.notContains)`;
    return { ok: false, reasons: [invalid(file, { message, line: 1 })] };
  }
  return { ok: true, cases: result.value, bytes: content.bytes };
}

function invalid(file: string, problem: { readonly message: string; readonly line: number }): GateReason {
  const { line } = problem;
  return { code: 'cases_invalid', message: `${file}, line ${line}: ${excerpt(problem.message, 300)}`, file, line };
}

function firstTwice(ids: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return ids.find((id) => seen.size === seen.add(id).size);
}
