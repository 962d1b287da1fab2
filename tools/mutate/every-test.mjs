import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// All tests of the pure rooms as one file: what they look at is then loaded once for each mutant, in a third of a second,
// and not once for each of forty files, which took ten times as long as the tests. Those that meet a mutant are chosen by
// their names.
const found = globSync('libs/{authority,domain}/src/**/*.test.ts', {
  cwd: fileURLToPath(new URL('../..', import.meta.url)),
});

// A hundred thousand sequences for each of some hundred mutants: those that see a mutant only there are too far from it.
for (const file of found.toSorted()) if (!file.endsWith('/invariants.test.ts')) await import(`../../${file}`);
