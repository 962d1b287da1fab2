import { packed } from './candidate.ts';

/** Prototypes that will not do what their contract says. */
export const illBehaved = {
  /** Listens, and never says that it is well. */
  never_healthy: `import { createServer } from 'node:http';
createServer((_, answer) => { answer.statusCode = 500; answer.end('not yet'); }).listen(process.env.PORT, '127.0.0.1');
`,
  /** Ends before it ever listened. */
  exits_at_once: `console.error('no database to be found');
process.exit(3);
`,
  /** Healthy, and talks without end. */
  floods: `import { createServer } from 'node:http';
createServer((_, answer) => answer.end('recovery codes')).listen(process.env.PORT, '127.0.0.1');
const line = 'x'.repeat(65536) + '\\n';
const pour = () => { while (process.stdout.write(line)) {} process.stdout.once('drain', pour); };
pour();
`,
} as const;

/** One of them. */
export type IllBehaved = keyof typeof illBehaved;

/** The prototype as an archive, complete but for its manners. */
export function illBehavedArchive(kind: IllBehaved, name: string): Uint8Array<ArrayBuffer> {
  const cases = Array.from(
    { length: 40 },
    (_, index) =>
      `- id: case-${index}\n  request: { method: GET, path: /q${index} }\n  expect: { status: 200, contains: recovery }\n`,
  );
  const files = {
    'server.mjs': illBehaved[kind],
    'package.json': JSON.stringify({ name, type: 'module' }),
    'cases.yaml': cases.join(''),
    'proviso.yaml': contractOf(name),
  };
  return packed(files);
}

function contractOf(name: string): string {
  return `prototype: ${name}
owner: Bea Builder
requirements: { users: 10, dataClass: internal, runbook: none yet }
run: { kind: node, start: [server.mjs], readyWithin: 2s }
probes: { health: /healthz, smoke: [{ path: /, expect: { status: 200 } }] }
evaluation: { cases: cases.yaml }
objective: { errorRateMax: 0.05 }
`;
}
