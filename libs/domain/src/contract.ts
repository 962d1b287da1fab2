import { portItem } from './run-order.ts';
import { type ProblemPath, type ReadResult, type ShapeProblem, read } from './shape-reading.ts';
import { toJsonSchema } from './shape-schema.ts';
import {
  type Of,
  about,
  choice,
  duration,
  flag,
  group,
  integer,
  list,
  number,
  oneOf,
  preset,
  record,
  text,
} from './shape.ts';

/** A prototype's own folder is its world: no absolute path, no way up, no backslash. */
const pathInsidePattern = '^(?!/)(?!.*(^|/)\\.{1,2}(/|$))[^\\\\]+$';
const pathInside = text({
  min: 1,
  max: 300,
  pattern: pathInsidePattern,
  meaning: 'a file inside the prototype, such as cases.yaml',
});

const requestPath = text({ min: 1, max: 500, pattern: '^/[!-~]*$', meaning: 'a path such as /healthz' });
const headers = record(text({ max: 1_000 }), { keyPattern: '^[A-Za-z][A-Za-z0-9-]{0,63}$', max: 20 });
const method = choice(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD']);

/** What is sent: shared by probes and evaluation cases, so that both mean the same request. */
export const requestFields = {
  method: preset(method, 'GET'),
  headers: preset(headers, {}),
  body: text({ max: 20_000 }),
} as const;

const probe = group(
  {
    path: requestPath,
    expect: group({}, { status: preset(integer({ min: 100, max: 599 }), 200), contains: text({ min: 1, max: 500 }) }),
  },
  { name: text({ min: 1, max: 100 }), ...requestFields },
);

const requirements = group(
  {
    users: about(integer({ min: 1, max: 1_000_000_000 }), 'how many people are expected to use it'),
    dataClass: about(choice(['public', 'internal', 'personal']), 'the most sensitive data it touches'),
  },
  {
    requestsPerDay: integer({ min: 1, max: 10_000_000_000 }),
    integrations: preset(list(text({ min: 1, max: 100 }), { max: 50 }), []),
    runbook: about(text({ min: 1, max: 500 }), 'where the people on call find what to do'),
  },
);

const variableName = '^[A-Z_][A-Z0-9_]{0,80}$';
/** Values that anybody may see: they stand in the file, and so in every copy of the prototype. */
const variables = preset(record(text({ max: 4_000 }), { keyPattern: variableName, max: 50 }), {});
const words = list(text({ min: 1, max: 500 }), { min: 1, max: 30 });

/** The prototype's own folder as a whole is a place too. */
const folderInside = text({
  min: 1,
  max: 300,
  pattern: `^\\.$|${pathInsidePattern}`,
  meaning: 'a folder inside the prototype such as dist, or . for all of it',
});

const build = group(
  {},
  {
    install: preset(
      about(choice(['auto', 'none']), 'auto: the packages of the lock file or of requirements.txt; none: no packages'),
      'auto',
    ),
    command: about(words, 'what is run after that, one word per item'),
    output: preset(about(folderInside, 'the folder in which the build leaves its result'), '.'),
    scripts: preset(about(flag(), 'whether packages may run scripts of their own while they are installed'), false),
    variables: about(variables, 'what the build may know; it ends up where every visitor can read it'),
    within: preset(duration({ minMs: 1_000, maxMs: 1_800_000 }), '5m'),
    // A bundler holds a whole program in memory, which a server never does.
    memoryMbMax: preset(integer({ min: 64, max: 8_192 }), 1_024),
  },
);

const secret = group(
  { name: text({ max: 81, pattern: variableName, meaning: 'capital letters, digits, underscores' }) },
  {
    description: about(text({ min: 1, max: 300 }), 'what it opens and where one gets it'),
    required: preset(about(flag(), 'whether the prototype cannot start without it'), true),
  },
);

/** What a process of its own needs; files that are served as they are need none of it. */
function started(start: string) {
  return group(
    { start: about(words, start) },
    {
      portVariable: about(
        preset(text({ pattern: '^[A-Z][A-Z0-9_]{0,40}$', meaning: 'capital letters, digits, underscores' }), 'PORT'),
        'the variable in which it is told its port; an item of `start` that is $PORT and nothing else becomes the port',
      ),
      environment: about(variables, 'plain variables, never a secret'),
      secrets: preset(about(list(secret, { max: 50 }), 'by name; the values come from the lane'), []),
      memoryMbMax: preset(integer({ min: 32, max: 4_096 }), 256),
      readyWithin: preset(duration({ minMs: 1_000, maxMs: 300_000 }), '15s'),
    },
  );
}

const run = oneOf('kind', {
  static: group(
    {},
    {
      root: about(folderInside, "the folder of the files that are served; without it the build's output"),
      fallback: preset(about(flag(), 'whether unknown pages get index.html, as single-page apps need it'), true),
    },
  ),
  node: started('a script and its arguments, one word per item'),
  python: started('a script, or -m and a module, and its arguments, one word per item'),
  command: started('a program and its arguments, one word per item'),
});

/**
 * A public name and, when it is not 443 or 80, its port. Addresses are refused, since nobody can say whose they are; so
 * are names of one word, which mean another machine in every network. A star stands in front of at least two words: one
 * for all of `.com` would be no list at all.
 */
const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const egressHost = text({
  max: 259,
  pattern: `^(\\*\\.)?(${label}\\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?(:[1-9][0-9]{0,4})?$`,
  meaning: 'a host such as api.example.com, api.example.com:8443 or *.example.com',
});

/** The shape of `proviso.yaml`: what a prototype says about itself. */
export const contractShape = group(
  {
    prototype: about(
      text({
        min: 2,
        max: 63,
        pattern: '^[a-z][a-z0-9]*(-[a-z0-9]+)*$',
        meaning: 'lower-case words joined by hyphens',
      }),
      'its name, the same for every version',
    ),
    owner: about(text({ min: 2, max: 200 }), 'the person who is accountable for it'),
    requirements: about(requirements, 'what it must stand'),
    run: about(run, 'how it is started'),
    probes: group(
      { health: about(requestPath, 'answers 200 when it can serve') },
      { smoke: preset(list(probe, { max: 50 }), []) },
    ),
    evaluation: group(
      { cases: about(pathInside, 'the file with questions and expected answers') },
      { repeats: preset(integer({ min: 1, max: 20 }), 3) },
    ),
    objective: group(
      {
        errorRateMax: about(
          number({ min: 0.0001, max: 0.5 }),
          'the share of failing requests that is still acceptable',
        ),
      },
      {
        latencyMsP95Max: integer({ min: 1, max: 600_000 }),
        peakRequestsPerSecond: about(integer({ min: 1, max: 1_000_000 }), 'the load at the busiest moment'),
      },
    ),
  },
  {
    summary: text({ max: 1_000 }),
    build: about(build, 'how it is made from its sources; without it the files run as they are'),
    egress: preset(about(list(egressHost, { max: 50 }), 'the hosts that it talks to; all others stay shut'), []),
  },
);

/** The contract of a prototype, with presets filled in. */
export type Contract = Of<typeof contractShape>;

/** One request to a running release and what must come back. */
export type Probe = Of<typeof probe>;

/** Reads a contract out of a plain value; `gates` adds line and column. */
export function readContract(node: unknown): ReadResult<Contract> {
  const found = read(contractShape, node);
  if (!found.ok) return found;
  const problems = contractProblems(found.value);
  return problems.length > 0 ? { ok: false, problems } : found;
}

/** What is wrong with a contract as a whole, which no single field can show. Both ways of reading one ask this. */
export function contractProblems(contract: Contract): readonly ShapeProblem[] {
  return [...buildProblems(contract), ...startProblems(contract), ...portProblems(contract)];
}

/** The JSON Schema of `proviso.yaml`, generated and committed for editors. */
export function contractSchema(): Record<string, unknown> {
  return toJsonSchema(contractShape, 'proviso.yaml');
}

function buildProblems({ build: made, run: runs }: Contract): readonly ShapeProblem[] {
  if (made === undefined) return [];
  const problems: ShapeProblem[] = [];
  if (made.install === 'none' && made.command === undefined) {
    const expected = 'a command to build with, as no packages are installed, or no build at all';
    problems.push(problem(['build', 'command'], { expected, got: 'nothing' }));
  }
  if (runs.kind === 'static' && made.output === '.' && runs.root === undefined) {
    // The sources, the packages and whatever lies about would be served to everybody.
    const expected = 'the folder in which the build leaves the files that are served, such as dist';
    problems.push(problem(['build', 'output'], { expected, got: 'all of the prototype' }));
  }
  return problems;
}

function startProblems({ run: runs }: Contract): readonly ShapeProblem[] {
  if (runs.kind === 'static') return [];
  const problems = runs.secrets.flatMap(({ name }, index) => {
    const path = ['run', 'secrets', index, 'name'];
    if (runs.secrets.findIndex((other) => other.name === name) < index) {
      return [problem(path, { expected: 'each secret once', got: `${name} twice` })];
    }
    if (name === runs.portVariable) return [problem(path, { expected: 'a secret', got: 'the name of the port' })];
    const isPlain = Object.hasOwn(runs.environment, name);
    return isPlain ? [problem(path, { expected: 'a secret or a plain variable', got: `${name} as both` })] : [];
  });
  // Only a whole item is replaced and no shell is there for the rest; contracts of the other kinds may start a shell.
  const port = new RegExp(String.raw`\$(${runs.portVariable}\b|\{${runs.portVariable}\})`, 'u');
  const half = runs.start.findIndex((item) => port.test(item.replace(portItem(runs.portVariable), '')));
  if (runs.kind !== 'python' || half < 0) return problems;
  const expected = `$${runs.portVariable} as an item of its own`;
  return [...problems, problem(['run', 'start', half], { expected, got: runs.start[half] ?? 'nothing' })];
}

function portProblems({ egress }: Contract): readonly ShapeProblem[] {
  return egress.flatMap((host, index) => {
    const port = Number(host.split(':')[1] ?? 0);
    return port > 65_535 ? [problem(['egress', index], { expected: 'a port up to 65535', got: `${port}` })] : [];
  });
}

function problem(path: ProblemPath, words: { readonly expected: string; readonly got: string }): ShapeProblem {
  const where = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  const message = `${where.slice(1)}: expected ${words.expected}, got ${words.got}`;
  return { code: 'not_allowed', path, message, ...words };
}
