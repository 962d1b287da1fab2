import { matchesGlob, relative } from 'node:path';
import { Stryker } from '@stryker-mutator/core';

// `npm run mutate -- <scope>`: changes the code of a scope in every small way there is and runs its tests on each change.
// A change that no test notices is a line that may be broken without anybody knowing. Files after the scope narrow it.

interface Scope {
  readonly about: string;
  readonly parts: readonly Part[];
  /** Share of mutants that must be noticed, in percent. */
  readonly scoreMin: number;
  /** Where not one may go unnoticed. */
  readonly spotless: readonly string[];
}

/** Files and the tests beside them: what only a test far away would notice, no test names. */
interface Part {
  readonly mutate: readonly string[];
  readonly tests: string;
}

const deciding = ['deciding', 'separation', 'demand', 'quorum', 'decision', 'eligible-vote', 'readmission'];

const scopes: Readonly<Record<string, Scope>> = {
  authority: {
    about: 'who may decide: libs/authority and the decisions of libs/domain',
    parts: [
      {
        mutate: ['libs/authority/src/*.ts', '!libs/authority/src/*.{test,contract,generate}.ts'],
        tests: 'libs/authority/src/*.test.ts',
      },
      {
        mutate: deciding.map((name) => `libs/domain/src/${name}.ts`),
        tests: 'libs/domain/src/{deciding,delegation,door,quorum,reminder,separation}.test.ts',
      },
    ],
    scoreMin: 85,
    spotless: ['libs/domain/src/separation.ts'],
  },
};

/** As many as the machine of the continuous integration has processors. */
const CONCURRENCY = 2;

type Mutant = Awaited<ReturnType<Stryker['runMutationTest']>>[number];

const [name = '', ...only] = process.argv.slice(2);
const scope = Object.hasOwn(scopes, name) ? scopes[name] : undefined;
if (scope === undefined) {
  const list = Object.entries(scopes).map(([one, { about }]) => `  ${one.padEnd(12)}${about}`);
  process.stderr.write(`usage: npm run mutate -- <scope> [file ...]\n\n${list.join('\n')}\n`);
  process.exit(2);
}
const startedAt = performance.now();
const mutants: Mutant[] = [];
for (const part of scope.parts) mutants.push(...(await mutantsOf(part)));
process.exitCode = told(mutants, scope) ? 0 : 1;

/** Runs the tests of a part on each of its mutants, or on those of the files that were asked for. */
async function mutantsOf({ mutate, tests }: Part): Promise<readonly Mutant[]> {
  const chosen = only.filter((file) => mutate.some((pattern) => matchesGlob(file.replace(/:.*/, ''), pattern)));
  if (only.length > 0 && chosen.length === 0) return [];
  process.env['MUTATE_TESTS'] = tests;
  return await new Stryker({
    mutate: chosen.length > 0 ? chosen : [...mutate],
    testRunner: 'jest',
    plugins: ['@stryker-mutator/jest-runner'],
    jest: { configFile: 'tools/mutate/jest.config.mjs', enableFindRelatedTests: false },
    // Our libraries are ES modules, run from source by jest's own loader.
    testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
    coverageAnalysis: 'perTest',
    // Tables are read when a file is loaded, so every test would have to be run for each cell. Golden files hold them.
    ignoreStatic: true,
    // A busy machine must not pass for a mutant that never ends; one that turns in a circle is found by counting its turns.
    timeoutMS: 120_000,
    concurrency: CONCURRENCY,
    // The rest is not looked at, hence not copied; a room may come to import any other.
    ignorePatterns: ['**', ...['libs', 'tools/mutate'].map((kept) => `!${kept}/**/*`), '!*.{json,mjs}'],
    tempDirName: '.cache/mutate',
    reporters: ['progress-append-only'],
    allowConsoleColors: false,
  }).runMutationTest();
}

/** Prints what went unnoticed and the score of each file; true when it is good enough. */
function told(seen: readonly Mutant[], { scoreMin, spotless }: Scope): boolean {
  const judged = seen.filter(({ status }) => status !== 'Ignored' && status !== 'CompileError');
  const unnoticed = judged.filter((mutant) => !isNoticed(mutant));
  const lines = unnoticed.map(({ fileName, location, replacement, mutatorName, status }) => {
    const what = (replacement ?? '').replaceAll(/\s+/g, ' ').slice(0, 100);
    return `  ${relative('', fileName)}:${location.start.line}  ${status} ${mutatorName}: ${what}`;
  });
  const files = [...new Set(judged.map(({ fileName }) => fileName))].toSorted();
  const scores = files.map((file) => {
    const own = judged.filter(({ fileName }) => fileName === file);
    return `  ${relative('', file).padEnd(40)}${scoreOf(own).toFixed(1).padStart(6)} % of ${own.length}`;
  });
  const spots = unnoticed.filter(({ fileName }) => spotless.includes(relative('', fileName)));
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  const met = scoreOf(judged) >= scoreMin && spots.length === 0;
  process.stdout.write(
    `unnoticed:\n${lines.join('\n')}\n\nscores:\n${scores.join('\n')}\n\n${met ? 'met' : 'MISSED'}: ` +
      `${scoreOf(judged).toFixed(1)} % of ${judged.length} mutants noticed (goal ${scoreMin} %), ` +
      `${spots.length} unnoticed in ${spotless.join(', ')} (goal 0), in ${seconds} s\n`,
  );
  return met;
}

function isNoticed({ status }: Mutant): boolean {
  return status === 'Killed' || status === 'Timeout' || status === 'RuntimeError';
}

function scoreOf(some: readonly Mutant[]): number {
  return (some.filter(isNoticed).length / Math.max(1, some.length)) * 100;
}
