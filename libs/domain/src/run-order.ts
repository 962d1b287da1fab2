import type { Contract } from './contract.ts';

/** What a supervisor needs to start a release: the contract's part that is about running, with nothing left to guess. */
export interface RunOrder {
  readonly kind: Contract['run']['kind'];
  /** The program and its arguments; `node` means the supervisor's own Node. Empty for files that are served as they are. */
  readonly start: readonly string[];
  /** The folder of the files that are served, in the prototype; only when they are. */
  readonly root?: string;
  /** Whether unknown pages get index.html; only when files are served. */
  readonly fallback?: boolean;
  readonly portEnvironment: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What it wants from its lane, by name; absent when it names none. */
  readonly secrets?: readonly { readonly name: string; readonly required: boolean }[];
  readonly health: { readonly path: string };
  readonly memoryMbMax?: number;
  readonly readyWithinMs: number;
  /** The hosts it may talk to. */
  readonly egress: readonly string[];
}

/** Where a build leaves the packages of a Python prototype, from the top of it. */
export const pythonPackages = 'python_packages';

/** Served files are ready once they are fetched; the time is only for a disk that is busy. */
const filesReadyWithinMs = 15_000;

/** The run order of a contract. */
export function runOrderOf(contract: Contract): RunOrder {
  const { run, egress, build } = contract;
  const health = { path: contract.probes.health };
  if (run.kind === 'static') {
    const { kind, fallback } = run;
    const root = run.root ?? build?.output ?? '.';
    const none = { start: [], portEnvironment: 'PORT', environment: {} };
    return { kind, root, fallback, ...none, health, readyWithinMs: filesReadyWithinMs, egress };
  }
  const { kind, start, portVariable, environment, memoryMbMax, readyWithin } = run;
  const secrets = run.secrets.map(({ name, required }) => ({ name, required }));
  const programs = { node: ['node'], python: ['python3'], command: [] };
  return {
    kind,
    start: [...programs[kind], ...start],
    portEnvironment: portVariable,
    environment: run.kind === 'python' && installs(build) ? withPackages(environment) : environment,
    ...(secrets.length > 0 && { secrets }),
    health,
    memoryMbMax,
    readyWithinMs: readyWithin,
    egress,
  };
}

/** The names of the secrets that a contract cannot start without. */
export function requiredSecretsOf({ run }: Contract): readonly string[] {
  return run.kind === 'static' ? [] : run.secrets.filter(({ required }) => required).map(({ name }) => name);
}

function installs(build: Contract['build']): boolean {
  return build !== undefined && build.install !== 'none';
}

/** Relative, so that it holds wherever the release lies: it is started at the top of it. */
function withPackages(environment: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { PYTHONPATH: own } = environment;
  return { ...environment, PYTHONPATH: own === undefined ? pythonPackages : `${own}:${pythonPackages}` };
}

/** An item of a start that is the port's variable and nothing else, the one thing that is replaced in a start. */
export function portItem(portVariable: string): RegExp {
  return new RegExp(String.raw`^\$(${portVariable}|\{${portVariable}\})$`, 'u');
}

/** The program and its arguments with the port in its place. No shell reads them: every other item stays as it is. */
export function startWithPort(order: Pick<RunOrder, 'start' | 'portEnvironment'>, port: number): readonly string[] {
  const item = portItem(order.portEnvironment);
  return order.start.map((word) => (item.test(word) ? String(port) : word));
}
