import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { WatchResult } from './watch.ts';

const projectRoot = fileURLToPath(new URL('../..', import.meta.url));
/** Alone it takes half a minute; other tests may keep both cores busy meanwhile. */
const watchMsMax = 240_000;

let played: WatchResult;

beforeAll(async () => {
  // A process of its own, as a person would start it: Temporal's runtime is one per process.
  const child = spawn(process.execPath, ['e2e/main.ts', 'watch', '--quick', '--json'], {
    cwd: projectRoot,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const line = output.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) throw new Error(`expected one line of JSON, got: ${said}`);
  played = JSON.parse(line) as WatchResult;
}, watchMsMax);

describe('ninety days of live releases', () => {
  it('open for each breach exactly the action that its row names, and for no other release any', () => {
    expect(played.releases.filter(({ right }) => !right)).toEqual([]);
    expect(played.releases.map(({ did }) => did.length)).toEqual([0, ...Array.from({ length: 7 }, () => 1)]);
  });

  it('are watched on after Temporal has lost its database', () => {
    expect(played.restored.before).toBeGreaterThan(3);
    expect(played.restored.after).toBe(played.restored.before);
  });

  it('leave each lane as its action says', () => {
    expect(Object.fromEntries(played.releases.map(({ name, outcome, hold }) => [name, `${outcome}, ${hold}`]))).toEqual(
      {
        calm: 'live, null',
        'a new advisory': 'demoted, demoted',
        'an evaluation drop': 'rolled_back, rolled_back',
        drift: 'live, null',
        'cost over its cap': 'demoted, demoted',
        'errors over budget': 'rolled_back, rolled_back',
        'a review that is due': 'live, watch',
        'an owner shut out': 'live, watch',
      },
    );
  });
});
