import { artifactOf } from '@proviso/domain';
import { readFrozen } from '@proviso/intake';
import { freezePrototype } from './prototype-folder.contract.ts';
import { openWorld, type World } from './world.contract.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
}, 60_000);

afterAll(async () => {
  await world.close();
});

/** The usual prototype, with a script that builds it. */
async function promoted(script: string, build: string): Promise<`prm_${string}`> {
  const [prototype, plain] = [await world.openPrototype(), await freezePrototype(world.ports.evidence)];
  const manifest = await readFrozen(world.ports.evidence, plain);
  const { sha256 } = manifest.files.find(({ path }) => path === 'proviso.yaml') ?? { sha256: '' };
  const contract = new TextDecoder().decode(await world.ports.evidence.get(`sha256:${sha256}`));
  const files = { 'proviso.yaml': `${contract}build: ${build}\n`, 'make.mjs': script };
  const artifact = await freezePrototype(world.ports.evidence, files);
  const subject = await world.promote(prototype, artifact, { builds: true });
  await world.run(subject);
  return subject.promotion;
}

const making = '{ command: [node, make.mjs] }';

test('what was built is what is tried out, voted on and given to users', async () => {
  const promotion = await promoted("import fs from 'node:fs'; fs.writeFileSync('made.txt', 'made')", making);
  const { state } = await world.view(promotion);
  const built = artifactOf(state);
  expect(built).not.toBe(state.candidate.manifest.artifact);
  expect((await readFrozen(world.ports.evidence, built)).files.map(({ path }) => path)).toContain('made.txt');
  const kinds = state.gates.find(({ name }) => name === 'build')?.evidence.map(({ kind }) => kind);
  expect(kinds).toEqual(['build_report', 'build_log', 'provenance']);
  await world.approve(promotion);
  expect(await world.carry({ workspace: world.workspace, promotion }, 'canary')).toMatchObject({ outcome: 'live' });
  const { production } = await world.view(promotion);
  expect(production?.state.stable).toMatchObject({ artifact: built, source: state.candidate.manifest.artifact });
  expect(await world.journal.reads(world.workspace).artifacts(100)).toContain(built);
}, 60_000);

test('a key that only a build puts together is found in what it made', async () => {
  const [first, rest] = ['ghp', '_wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'];
  const script = `import fs from 'node:fs'; fs.writeFileSync('page.js', '\\n"' + '${first}' + '${rest}"')`;
  const { state } = await world.view(await promoted(script, making));
  const scan = state.gates.find(({ name }) => name === 'scan');
  expect(scan).toMatchObject({ status: 'failed', reasons: [{ code: 'secret_found', file: 'page.js', line: 2 }] });
}, 60_000);

test('a failing build stops the promotion with what to do about it', async () => {
  const { state } = await world.view(await promoted("throw new Error('no such page')", making));
  const build = state.gates.find(({ name }) => name === 'build');
  expect(build).toMatchObject({ status: 'failed', reasons: [{ code: 'build_failed' }] });
  expect(build?.reasons[0]?.message).toContain('no such page');
  expect(state.built).toBeUndefined();
}, 60_000);
