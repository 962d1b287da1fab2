import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { group, integer, read, record, text } from '@proviso/domain';
import { readPrivateJson, writePrivateJson } from './private-file.ts';
import { Trouble } from './trouble.ts';

const deploymentShape = group(
  {
    apiUrl: text({ min: 1, max: 300 }),
    routerUrl: text({ min: 1, max: 300 }),
    temporalAddress: text({ min: 1, max: 300 }),
    databasePort: integer({ min: 1, max: 65_535 }),
    workerUrl: text({ min: 1, max: 300 }),
    pid: integer({ min: 1 }),
    startedAt: text({ min: 1, max: 40 }),
    workspace: text({ min: 1, max: 80 }),
    people: record(group({ id: text({ min: 1, max: 80 }), token: text({ min: 1, max: 500 }) }), { max: 50 }),
  },
  {},
);

/** A running local deployment: where it answers, and the tokens of its local people. */
export interface Deployment {
  readonly apiUrl: string;
  readonly routerUrl: string;
  readonly temporalAddress: string;
  readonly databasePort: number;
  /** Where the worker says how it is; nobody else is answered there. */
  readonly workerUrl: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly workspace: string;
  readonly people: Readonly<Record<string, { readonly id: string; readonly token: string }>>;
}

/** Written by `up` when all is ready, so that the other commands need no flags on the same machine. */
export function writeDeployment(dataFolder: string, deployment: Deployment): void {
  writePrivateJson(pathOf(dataFolder), deployment);
}

/** The deployment of this data folder, or undefined when none runs. */
export function readDeployment(dataFolder: string): Deployment | undefined {
  const path = pathOf(dataFolder);
  const known = readPrivateJson(path);
  if (known === undefined) return undefined;
  const found = read(deploymentShape, known);
  if (found.ok) return found.value;
  throw new Trouble(`expected a deployment in ${path}, got ${found.problems.length} wrong fields`, {
    advice: 'Start the deployment again with `proviso up`; it writes the file anew.',
  });
}

/** Taken away at a clean stop: a file that stays behind is told apart by its pid. */
export function removeDeployment(dataFolder: string): void {
  rmSync(pathOf(dataFolder), { force: true });
}

function pathOf(dataFolder: string): string {
  return join(dataFolder, 'deployment.json');
}
