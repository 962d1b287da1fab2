import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Digest } from '@proviso/domain';
import type { EvidenceStore } from '@proviso/evidence';
import { freezeFolder } from '@proviso/intake';

const contract = `prototype: desk
owner: Olga Operator
requirements:
  users: 20
  dataClass: internal
run:
  kind: node
  start: [server.js]
  readyWithin: 1s
probes:
  health: /healthz
  smoke:
    - path: /hello
      expect: { contains: answer }
evaluation:
  cases: cases.yaml
  repeats: 1
objective:
  errorRateMax: 0.05
`;

const cases = Array.from(
  { length: 40 },
  (_, index) => `- id: case-${index}\n  request: { path: /ask/${index} }\n  expect: { contains: answer }\n`,
).join('');

/** Writes a small prototype, freezes it, and answers its digest. `files` replaces or adds; what is asked is up to a test. */
export async function freezePrototype(
  store: EvidenceStore,
  files: Readonly<Record<string, string>> = {},
): Promise<Digest> {
  const root = await mkdtemp(join(tmpdir(), 'proviso-prototype-'));
  const folder = join(root, 'desk');
  await mkdir(folder);
  const all = { 'proviso.yaml': contract, 'cases.yaml': cases, 'server.js': '// serves\n', ...files };
  for (const [name, text] of Object.entries(all)) await writeFile(join(folder, name), text);
  const frozen = await freezeFolder(folder, { store, tempFolder: root });
  await rm(root, { recursive: true, force: true });
  if (frozen.kind !== 'frozen') throw new Error(`expected a frozen prototype, got ${frozen.kind}`);
  return frozen.artifactDigest;
}
