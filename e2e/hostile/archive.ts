import { readdirSync, readFileSync } from 'node:fs';
import { packed } from '../candidate.ts';

/** Plain scripts, the same that the room of isolation is tested with. */
const attacks = new URL('../../libs/isolation/src/attacks/', import.meta.url);
/** Four are asked at a time and each holds its answer for ten seconds, so an evaluation can be kept for minutes. */
const holdingCases = 60;

/** The hostile prototype under this name; one that holds keeps its evaluation waiting until it is let go. */
export function hostileArchive({ name, holds }: { name: string; holds: boolean }): Uint8Array<ArrayBuffer> {
  return packed(filesOf(name, holds));
}

function filesOf(name: string, holds: boolean): Readonly<Record<string, string | Buffer>> {
  const scripts = readdirSync(attacks).map((file) => [file, readFileSync(new URL(file, attacks))] as const);
  return {
    ...Object.fromEntries(scripts),
    'server.mjs': readFileSync(new URL('./prototype/server.mjs', import.meta.url)),
    'orders.json': JSON.stringify({ holds }),
    'cases.yaml': Array.from({ length: holds ? holdingCases : 1 }, caseOf).join(''),
    'proviso.yaml': contractOf(name),
  };
}

/** The same, with a build that makes these attacks: each is a script and its argument. */
export function hostileBuildArchive(
  name: string,
  scriptsToRun: readonly (readonly [string, string])[],
): Uint8Array<ArrayBuffer> {
  return packed({
    ...filesOf(name, false),
    'build.mjs': readFileSync(new URL('./prototype/build.mjs', import.meta.url)),
    'attacks.json': JSON.stringify(scriptsToRun),
    'proviso.yaml': `${contractOf(name)}build: { install: none, command: [node, build.mjs], output: ., within: 2m }\n`,
  });
}

function caseOf(_: unknown, index: number): string {
  return `- id: case-${index}\n  request: { method: GET, path: /hold }\n  expect: { status: 200, contains: well }\n`;
}

function contractOf(name: string): string {
  return `prototype: ${name}
owner: Bea Builder
requirements: { users: 10, dataClass: internal, runbook: none yet }
run: { kind: node, start: [server.mjs], readyWithin: 10s, memoryMbMax: 1024 }
probes: { health: /healthz, smoke: [{ path: /, expect: { status: 200 } }] }
evaluation: { cases: cases.yaml }
objective: { errorRateMax: 0.1 }
`;
}
