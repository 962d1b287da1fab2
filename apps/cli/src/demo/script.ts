import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  choice,
  group,
  integer,
  list,
  oneOf,
  policyShape,
  read,
  record,
  type Of,
  type Shape,
  text,
} from '@proviso/domain';
import { readYaml } from '@proviso/gates';
import { Trouble } from '../trouble.ts';

/** The file in the demo's folder that says what is shown, in which order and with which end. */
export const scriptFileName = 'demo.json';

const folderName = text({ min: 1, max: 100, pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$', meaning: 'a folder beside it' });
const gate = choice(['readiness', 'build', 'scan', 'evaluation', 'staging', 'approval', 'canary']);

const versionShape = oneOf('outcome', {
  live: group({ folder: folderName }),
  blocked: group({ folder: folderName, stoppedAt: gate }),
  rolled_back: group({ folder: folderName, liveAfter: folderName }),
});

const scriptShape = group({
  policy: text({ min: 1, max: 300 }),
  cast: group({
    builder: text({ min: 1, max: 40 }),
    approvers: list(text({ min: 1, max: 40 }), { min: 1, max: 10 }),
    operator: text({ min: 1, max: 40 }),
  }),
  versions: list(versionShape, { min: 1, max: 20 }),
  traffic: group({
    requests: text({ min: 1, max: 300 }),
    // The router and the prototypes share two cores with everything else.
    perSecond: integer({ min: 1, max: 500 }),
    requestsMax: integer({ min: 1, max: 1_000_000 }),
  }),
});

const requestsShape = list(
  group(
    { method: choice(['GET', 'POST']), path: text({ min: 1, max: 500, pattern: '^/[!-~]*$', meaning: 'a path' }) },
    { body: record(text({ max: 2_000 }), { max: 20 }) },
  ),
  { min: 1, max: 1_000 },
);

/** One version with the end it is expected to have. */
export type DemoVersion = Of<typeof versionShape>;

/** One request of a user. */
export type DemoRequest = Of<typeof requestsShape>[number];

/** A demo as read: paths are absolute, files are in. */
export interface DemoScript {
  readonly folder: string;
  readonly policySource: string;
  readonly policyName: string;
  readonly cast: { readonly builder: string; readonly approvers: readonly string[]; readonly operator: string };
  readonly versions: readonly DemoVersion[];
  readonly traffic: {
    readonly requests: readonly DemoRequest[];
    readonly perSecond: number;
    readonly requestsMax: number;
  };
}

/** Reads a demo's folder; every mistake is told with its place before anything is started. */
export function readScript(folder: string): DemoScript {
  const path = resolve(folder, scriptFileName);
  const script = readShaped(path, scriptShape);
  const policyPath = resolve(dirname(path), script.policy);
  const policySource = readText(policyPath);
  const policy = readYaml(policySource, policyShape);
  if (!policy.ok) {
    const [problem] = policy.problems;
    throw new Trouble(`expected a policy in ${policyPath}, got line ${problem?.line}: ${problem?.message}`);
  }
  const requests = readShaped(resolve(dirname(path), script.traffic.requests), requestsShape);
  return {
    folder: dirname(path),
    policySource,
    policyName: policy.value.policy,
    cast: script.cast,
    versions: script.versions,
    traffic: { ...script.traffic, requests },
  };
}

/** Where a version lies. */
export function folderOf(script: DemoScript, version: DemoVersion): string {
  return join(script.folder, version.folder);
}

function readShaped<S extends Shape<unknown>>(path: string, shape: S): Of<S> {
  let value: unknown;
  try {
    value = JSON.parse(readText(path));
  } catch (cause) {
    if (cause instanceof Trouble) throw cause;
    throw new Trouble(`expected JSON in ${path}, got something else`, { cause });
  }
  const found = read(shape, value);
  if (found.ok) return found.value;
  const [problem] = found.problems;
  throw new Trouble(`${path}, ${problem?.path.join('.') ?? ''}: ${problem?.message ?? 'expected another value'}`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Trouble(`expected a file at ${path}, got ${(cause as NodeJS.ErrnoException).code ?? 'nothing'}`, {
      cause,
    });
  }
}
