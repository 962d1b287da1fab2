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

/** The whole demo as `npm start -- --once --json` runs it, on data and ports of its own. */
async function demo(): Promise<{ readonly code: number | null; readonly promotions: readonly Ended[] }> {
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
  const last = output.trim().split('\n').at(-1) ?? '';
  if (!last.startsWith('{"demo":"done"'))
    throw new Error(`expected the demo to be done, got ${last}${errors.slice(-600)}`);
  return { code, promotions: (JSON.parse(last) as { promotions: readonly Ended[] }).promotions };
}

/** One line a version: what a person would say of it. */
function transcript(promotions: readonly Ended[]): string {
  const nameOf = new Map(promotions.map((one) => [one.artifactDigest, one.version]));
  const lines = promotions.map((one) => {
    const place = one.blockers.find((blocker) => blocker.file !== undefined);
    const where = place === undefined ? '' : ` in ${place.file}:${place.line}`;
    const stopped = one.stoppedAt === null ? '' : `, stopped at ${one.stoppedAt}${where}`;
    return `${one.version}: ${one.outcome}${stopped}; weight ${one.weight}; users are on ${nameOf.get(one.liveDigest) ?? 'nothing'}`;
  });
  return `${lines.join('\n')}\n`;
}

describe('the demo', () => {
  const golden = readFileSync(join(here, 'demo.golden.txt'), 'utf8');

  it('carries four versions to the ends that they earn, and once more on the same data', async () => {
    for (const run of ['first', 'second']) {
      const { code, promotions } = await demo();
      expect({ run, code, told: transcript(promotions) }).toEqual({ run, code: 0, told: golden });
    }
  }, 300_000);

  it('leaves no process behind', async () => {
    const listing = spawn('ps', ['-eo', 'args'], { stdio: ['ignore', 'pipe', 'ignore'] });
    expect((await text(listing.stdout)).split('\n').filter((line) => line.includes(data))).toEqual([]);
  });
});
