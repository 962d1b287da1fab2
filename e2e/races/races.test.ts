import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { RacesResult } from './races.ts';

const projectRoot = fileURLToPath(new URL('../..', import.meta.url));
/** Alone it takes a minute; other tests may keep both cores busy meanwhile. */
const racesMsMax = 480_000;
const rounds = 8;

let played: RacesResult;
let ended: { readonly code: number; readonly said: string };

beforeAll(async () => {
  // A process of its own, as a person would start it: jest's sandbox has no part in it.
  const child = spawn(process.execPath, ['e2e/main.ts', 'races', '--rounds', String(rounds), '--json'], {
    cwd: projectRoot,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)));
  const [output, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
  ended = { code: await closed, said };
  const line = output.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) throw new Error(`expected one line of JSON, got: ${said}`);
  played = JSON.parse(line) as RacesResult;
}, racesMsMax);

describe('two hundred votes at once, by two who may and five who may not', () => {
  it('are two decisions and one pass, over every channel, round after round', () => {
    expect(played.rounds).toHaveLength(rounds);
    for (const { votes, recorded, passes, fiveHundreds, findings } of played.rounds)
      expect({ votes, recorded, passes, fiveHundreds, findings }).toEqual({
        ...{ votes: 200, recorded: 2, passes: 1, fiveHundreds: 0, findings: [] },
      });
    expect(ended).toMatchObject({ code: 0 });
  });

  it('meet each other at the lock: who came too late over each channel was told so', () => {
    const told = new Set(played.rounds.flatMap(({ refused }) => Object.keys(refused)));
    expect([...told]).toEqual(
      expect.arrayContaining(['CLI own_work', 'REST own_work', 'REST gate_closed', 'REST not_permitted']),
    );
  });

  it('break the count at once where the promotion’s row is not locked for update', () => {
    expect(played.planted).toMatchObject({ bug: 'no row lock', caught: true });
  });
});
