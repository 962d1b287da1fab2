import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { packed, uploadedCandidate } from './candidate.ts';
import { type Door, openDoor } from './door.ts';
import { openOwnStage, type OwnStage } from './own-stage.ts';
import { projectRoot } from './project-root.ts';

const program = join(projectRoot, 'apps/cli/src/main.ts');
/** Alone it takes half a minute; on a machine that is busy with other tests some more. */
const testMsMax = 180_000;

const policy = `policy: short
gates:
  - gate: approval
    requirements: [{ from: group/security, count: 1 }]
    expires: 1h
  - gate: canary
    weights: [50]
`;

let stage: OwnStage;
let bea: Door;
let token: string;

beforeAll(async () => {
  stage = await openOwnStage('agents', { policy, without: ['temporal', 'worker', 'edge'] });
  bea = openDoor(stage.apiUrl, stage.cast.people.bea, []);
  const words = ['agent', 'add', 'Helper', '--for', stage.cast.people.olga.id];
  const added = await ran(words, stage.cast.people.pia.token);
  expect(added.code).toBe(0);
  token = added.stdout.trim();
}, testMsMax);

afterAll(async () => {
  await stage.close();
}, testMsMax);

function environmentOf(secret: string): Record<string, string> {
  const data = join(stage.folder, 'nowhere');
  return { PATH: process.env['PATH'] ?? '', PROVISO_URL: stage.apiUrl, PROVISO_TOKEN: secret, PROVISO_DATA: data };
}

/** Runs the command line to its end, with an input that ends at once. */
async function ran(words: readonly string[], secret: string) {
  const child = spawn(process.execPath, [program, ...words], { env: environmentOf(secret) });
  child.stdin.end();
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

async function connected(mode: 'legacy' | 'auto'): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  const order = { command: process.execPath, args: [program, 'mcp'], env: environmentOf(token) };
  await client.connect(new StdioClientTransport(order));
  return client;
}

describe('an agent whose tools are a process beside it', () => {
  it.each(['legacy', 'auto'] as const)(
    'starts a promotion, sees where it stands and is told no, in the era %s',
    async (mode) => {
      const { id: prototype } = await bea.post<{ id: string }>('/v1/prototypes', { name: `by-${mode}` });
      const archive = packed({ 'a.mjs': `// ${mode}\n` });
      const candidate = await uploadedCandidate(bea, { prototype, version: 'v1', archive });
      const client = await connected(mode);
      expect(client.getProtocolEra()).toBe(mode === 'legacy' ? 'legacy' : 'modern');
      expect((await client.listTools()).tools).toHaveLength(15);
      const args = { prototype, candidate, policy: stage.cast.policies['short']?.id };
      const opened = await client.callTool({ name: 'start_promotion', arguments: args });
      const { id: promotion } = opened.structuredContent as { id: string };
      const seen = await client.callTool({ name: 'promotion_status', arguments: { promotion } });
      expect(seen.structuredContent).toMatchObject({ id: promotion, version: { untrusted: 'v1' } });
      const missing = { promotion: `prm_${'0'.repeat(32)}`, reason: 'test' };
      const refused = await client.callTool({ name: 'roll_back', arguments: missing });
      expect([refused.isError, JSON.stringify(refused.content)]).toEqual([true, expect.stringContaining('not_found')]);
      await client.close();
      const told = await ran(['history', promotion], token);
      expect(told.stdout).toMatch(/promotion_opened.*Helper by start_promotion for olga/);
    },
    testMsMax,
  );

  it(
    'says one JSON object a line and nothing else, and ends well with its input',
    async () => {
      const child = spawn(process.execPath, [program, 'mcp'], { env: environmentOf(token) });
      child.stdin.end(
        '{"jsonrpc":"2.0","id":7,"method":"tools/list"}\nno json\n\n[]\n{"jsonrpc":"2.0","method":"x"}\n',
      );
      const [stdout, [code]] = await Promise.all([
        text(child.stdout),
        once(child, 'close') as Promise<[number | null]>,
      ]);
      const lines = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { id: unknown; error?: { code: number } });
      expect(code).toBe(0);
      expect(lines.map(({ id, error }) => [id, error?.code]).toSorted()).toEqual([
        [null, -32_700],
        [null, -32_700],
        [7, undefined],
      ]);
    },
    testMsMax,
  );

  it(
    'is not served with a token of a human or of nobody',
    async () => {
      const human = await ran(['mcp'], stage.cast.people.bea.token);
      expect([human.code, human.stdout]).toEqual([5, '']);
      expect(human.stderr).toContain('expected the token of an agent, got that of a human');
      expect((await ran(['mcp'], `prv_${'x'.repeat(43)}`)).code).toBe(4);
    },
    testMsMax,
  );
});
