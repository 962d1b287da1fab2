import type { Contract } from './contract.ts';

/** What a supervisor needs to start a release: the contract's part that is about running, with nothing left to guess. */
export interface RunOrder {
  /** The program and its arguments; `node` means the supervisor's own Node. */
  readonly start: readonly string[];
  readonly portEnvironment: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly health: { readonly path: string };
  readonly memoryMbMax: number;
  readonly readyWithinMs: number;
}

/** The run order of a contract. */
export function runOrderOf(contract: Contract): RunOrder {
  const { kind, start, portVariable, environment, memoryMbMax, readyWithin } = contract.run;
  return {
    start: kind === 'node' ? ['node', ...start] : start,
    portEnvironment: portVariable,
    environment,
    health: { path: contract.probes.health },
    memoryMbMax,
    readyWithinMs: readyWithin,
  };
}
