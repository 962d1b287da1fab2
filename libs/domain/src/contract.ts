import { type ReadResult, read } from './shape-reading.ts';
import { toJsonSchema } from './shape-schema.ts';
import { type Of, about, choice, duration, group, integer, list, number, preset, record, text } from './shape.ts';

/** A prototype's own folder is its world: no absolute path, no way up, no backslash. */
const pathInside = text({
  min: 1,
  max: 300,
  pattern: '^(?!/)(?!.*(^|/)\\.{1,2}(/|$))[^\\\\]+$',
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

const run = group(
  {
    kind: about(
      choice(['node', 'command']),
      'node: `start` is a script and its arguments; command: a program and its own',
    ),
    start: about(list(text({ min: 1, max: 500 }), { min: 1, max: 30 }), 'how it is started, one word per item'),
  },
  {
    portVariable: about(
      preset(text({ pattern: '^[A-Z][A-Z0-9_]{0,40}$', meaning: 'capital letters, digits, underscores' }), 'PORT'),
      'the variable in which it is told its port',
    ),
    environment: preset(record(text({ max: 4_000 }), { keyPattern: '^[A-Z_][A-Z0-9_]{0,80}$', max: 50 }), {}),
    memoryMbMax: preset(integer({ min: 32, max: 4_096 }), 256),
    readyWithin: preset(duration({ minMs: 1_000, maxMs: 300_000 }), '15s'),
  },
);

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
      { latencyMsP95Max: integer({ min: 1, max: 600_000 }) },
    ),
  },
  { summary: text({ max: 1_000 }) },
);

/** The contract of a prototype, with presets filled in. */
export type Contract = Of<typeof contractShape>;

/** One request to a running release and what must come back. */
export type Probe = Of<typeof probe>;

/** Reads a contract out of a plain value; `gates` adds line and column. */
export function readContract(node: unknown): ReadResult<Contract> {
  return read(contractShape, node);
}

/** The JSON Schema of `proviso.yaml`, generated and committed for editors. */
export function contractSchema(): Record<string, unknown> {
  return toJsonSchema(contractShape, 'proviso.yaml');
}
