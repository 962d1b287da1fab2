/**
 * The programs that write committed files, in the order they run, since a later one may read what an earlier one wrote:
 * `{ program: 'libs/x/src/y.generate.ts' }`, with `flags` for Node where it needs some (the API's decorators do:
 * `flags: ['--import', './tools/decorators.mjs']`). Each prints one JSON object { "path from the root": "text" }.
 */
export const GENERATORS = [
  { program: 'libs/gates/src/schemas.generate.ts' },
  { program: 'libs/authority/src/matrix.generate.ts' },
  { program: 'libs/journal/src/queries.generate.ts' },
  { program: 'apps/api/src/openapi.generate.ts', flags: ['--import', './tools/decorators.mjs'] },
  { program: 'tools/client.generate.mjs' },
];

/** Recordings of a real run: started by hand when the story changes on purpose, and never the same twice. */
export const RECORDERS = ['libs/workflow/src/histories.generate.ts'];
