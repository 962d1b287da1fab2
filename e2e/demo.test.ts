import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'proviso-demo-'));

afterAll(() => {
  rmSync(data, { recursive: true, force: true });
});

interface Ended {
  readonly version: string;
  readonly outcome: string;
  readonly stoppedAt: string | null;
  readonly weight: number;
  readonly liveDigest: string;
  readonly artifactDigest: string;
  readonly blockers: readonly { readonly file?: string; readonly line?: number }[];
}

interface Refused {
  readonly demo: 'refused';
  readonly person: string;
  readonly message: string;
}

interface Prompted {
  readonly demo: 'prompt';
  readonly version: string;
  readonly channel: string;
  readonly lines: readonly string[];
}

interface Shown {
  readonly prompts: readonly Prompted[];
  readonly code: number | null;
  readonly promotions: readonly Ended[];
  readonly refused: readonly Refused[];
}

/** The whole demo as `npm start -- --once --json` runs it, on data and ports of its own. */
async function demo(): Promise<Shown> {
  const flags = ['--once', '--json', '--data', data, '--port', '0', '--router-port', '0'];
  const child = spawn(process.execPath, ['apps/cli/src/main.ts', 'demo', 'examples/helpdesk', ...flags], {
    cwd: resolve(here, '..'),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((done) => child.once('close', done)),
  ]);
  const lines = output.trim().split('\n');
  const last = lines.at(-1) ?? '';
  if (!last.startsWith('{"demo":"done"'))
    throw new Error(`expected the demo to be done, got ${last}${errors.slice(-600)}`);
  const told = lines
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Refused | Prompted | { demo: 'done' });
  const prompts = told.filter((one) => one.demo === 'prompt');
  const refused = told.filter((one) => one.demo === 'refused');
  return { code, refused, prompts, promotions: (JSON.parse(last) as Pick<Shown, 'promotions'>).promotions };
}

/** The question and the buttons; between them stand figures that are others at the second run. */
function asked({ channel, version, lines }: Prompted): string {
  const question = lines[0]?.replace(/ since .*/, '');
  return `${channel} would ask about ${version}: ${question} ${lines.at(-1)}`;
}

/** One line a version, after what people were asked and what the builder was told who tried to approve it. */
function transcript({ promotions, refused, prompts }: Shown): string {
  const nameOf = new Map(promotions.map((one) => [one.artifactDigest, one.version]));
  const lines = promotions.map((one) => {
    const place = one.blockers.find((blocker) => blocker.file !== undefined);
    const where = place === undefined ? '' : ` in ${place.file}:${place.line}`;
    const stopped = one.stoppedAt === null ? '' : `, stopped at ${one.stoppedAt}${where}`;
    return `${one.version}: ${one.outcome}${stopped}; weight ${one.weight}; users are on ${nameOf.get(one.liveDigest) ?? 'nothing'}`;
  });
  const tries = refused.map(({ person, message }) => `${person} may not approve it: ${message}`);
  return `${[...prompts.map(asked), ...tries, ...lines].join('\n')}\n`;
}

describe('the demo', () => {
  const golden = readFileSync(join(here, 'demo.golden.txt'), 'utf8');
  let shown: Shown;

  it('carries four versions to the ends that they earn, and once more on the same data', async () => {
    for (const run of ['first', 'second']) {
      shown = await demo();
      const { code } = shown;
      expect({ run, code, told: transcript(shown) }).toEqual({ run, code: 0, told: golden });
    }
  }, 300_000);

  it('prints a link to the page of the gate with every prompt', () => {
    expect(shown.prompts.map(({ channel }) => channel)).toEqual(['slack', 'github', 'slack', 'github']);
    for (const { lines } of shown.prompts)
      expect(lines).toEqual(expect.arrayContaining([expect.stringMatching(/https?:\S+\/decide\/gate_\w+-approval/)]));
  });

  it('leaves no process behind', async () => {
    const listing = spawn('ps', ['-eo', 'args'], { stdio: ['ignore', 'pipe', 'ignore'] });
    expect((await text(listing.stdout)).split('\n').filter((line) => line.includes(data))).toEqual([]);
  });
});
