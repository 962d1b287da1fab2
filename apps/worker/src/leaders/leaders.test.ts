import { setTimeout as pause } from 'node:timers/promises';
import { type DirtyMark, type Leadership, type OpenPromotion, openPump, type Pump } from '@proviso/journal';
import { noFault } from '../fault.ts';
import type { Clock, Log } from '../ports.ts';
import { freezePrototype } from '../prototype-folder.contract.ts';
import { openWorld, type World } from '../world.contract.ts';
import { leadForever } from './leader.ts';
import { reconcilerWork } from './reconciler.ts';
import { sequencerWork } from './sequencer.ts';
import type { RunStanding, Starter } from './starter.ts';
import { wakerWork } from './waker.ts';

let world: World;
let pump: Pump;

beforeAll(async () => {
  world = await openWorld();
  pump = await openPump({ url: world.pumpUrl, durable: false });
}, 60_000);

afterAll(async () => {
  await pump.close();
  await world.close();
});

const lines: string[] = [];
const note = (fields: Readonly<Record<string, unknown>>, event: string): void => {
  lines.push(`${event} ${JSON.stringify(fields)}`);
};
const log: Log = { info: note, warn: note, error: note };
const quick: Clock = {
  now: () => Date.now(),
  pause: async (durationMs, signal) => await pause(Math.min(durationMs, 20), undefined, { signal }),
};

/** Temporal as the leaders see it, in memory: what it was asked, and whether it answers. */
function rehearsalStarter(standing: RunStanding = 'idle') {
  const asked: string[] = [];
  const temporal = { away: false, standing };
  const starter: Starter = {
    wake: async ({ promotion }) => {
      if (temporal.away) throw new Error('away');
      asked.push(`wake ${promotion}`);
    },
    standing: async () => temporal.standing,
    drop: async ({ promotion }) => void asked.push(`drop ${promotion}`),
  };
  return { starter, asked, temporal };
}

async function ledAs(name: 'waker' | 'sequencer' | 'reconciler', use: (leadership: Leadership) => Promise<void>) {
  const leadership = await pump.lead(name);
  if (leadership === null) throw new Error(`expected to lead as ${name}`);
  try {
    await use(leadership);
  } finally {
    await leadership.resign();
  }
}

let versions = 0;
async function opened() {
  versions += 1;
  const artifact = await freezePrototype(world.ports.evidence, { 'version.txt': `l${versions}\n` });
  return await world.promote(await world.openPrototype(), artifact);
}

describe('the waker', () => {
  it('keeps every mark while Temporal is away, says so once, and delivers when it is back', async () => {
    const { promotion } = await opened();
    const { starter, asked, temporal } = rehearsalStarter();
    const { turn } = wakerWork({ starter, clock: quick, log, fault: noFault });
    const { signal } = new AbortController();
    await ledAs('waker', async (leadership) => {
      const marked = async (): Promise<readonly DirtyMark[]> =>
        (await leadership.dirty(100)).filter((mark) => mark.promotion === promotion);
      temporal.away = true;
      lines.length = 0;
      for (let turns = 0; turns < 3; turns += 1) await turn(leadership, signal);
      expect(await marked()).toHaveLength(1);
      expect(lines.filter((line) => line.startsWith('waker.temporal_away'))).toHaveLength(1);
      temporal.away = false;
      await turn(leadership, signal);
      expect(await marked()).toEqual([]);
      expect(asked).toContain(`wake ${promotion}`);
    });
  }, 60_000);
});

describe('the sequencer', () => {
  it('gives every entry a place of its own, without gaps', async () => {
    await opened();
    await ledAs('sequencer', async (leadership) => {
      await sequencerWork().turn(leadership, new AbortController().signal);
      const events = await world.journal.reads(world.workspace).events({ after: -1, limit: 1_000 });
      expect(events.map(({ position }) => position)).toEqual(events.map((_, index) => index));
      expect(events.length).toBeGreaterThan(0);
    });
  }, 60_000);
});

describe('the reconciler', () => {
  async function reconciled(standing: RunStanding, rounds = 1) {
    const { workspace, promotion } = await opened();
    const { starter, asked } = rehearsalStarter(standing);
    const { turn } = reconcilerWork({
      journal: world.journal,
      starter,
      clock: quick,
      log,
      collect: async () => undefined,
      watch: async () => undefined,
    });
    await ledAs('reconciler', async (leadership) => {
      const mine: OpenPromotion = { workspace: workspace, promotion, revision: 0, idleMs: 31_000 };
      const narrowed: Leadership = { ...leadership, open: async () => [mine] };
      for (let done = 0; done < rounds; done += 1) await turn(narrowed, new AbortController().signal);
    });
    return asked.map((what) => what.replace(` ${promotion}`, ''));
  }

  it.each([
    ['missing', ['wake']],
    ['closed', ['wake']],
    ['wedged', ['drop', 'wake']],
    ['working', []],
    ['idle', ['wake']],
  ] as const)('mends a run that is %s while work is due', async (standing, expected) => {
    expect(await reconciled(standing)).toEqual(expected);
  });

  it('does not fill the history of a run that only waits for its lane', async () => {
    expect(await reconciled('idle', 5)).toEqual(['wake']);
  });
});

describe('a leader', () => {
  it('leaves the lead to another and takes it when that one is gone', async () => {
    const stop = { first: new AbortController(), second: new AbortController() };
    const turns: string[] = [];
    const leader = async (name: 'first' | 'second'): Promise<void> =>
      await leadForever(
        { pump: async () => pump, clock: quick, log, signal: stop[name].signal, leads: () => undefined },
        {
          name: 'sequencer',
          turn: async () => {
            turns.push(name);
            await pause(5);
          },
        },
      );
    const first = leader('first');
    while (!turns.includes('first')) await pause(10);
    const second = leader('second');
    await pause(100);
    expect(turns).not.toContain('second');
    stop.first.abort();
    await first;
    while (!turns.includes('second')) await pause(10);
    expect(turns.slice(turns.indexOf('second'))).not.toContain('first');
    stop.second.abort();
    await second;
  }, 30_000);

  it('outlives a turn that breaks, and leads again', async () => {
    const stop = new AbortController();
    let turns = 0;
    lines.length = 0;
    await leadForever(
      { pump: async () => pump, clock: quick, log, signal: stop.signal, leads: () => undefined },
      {
        name: 'sequencer',
        turn: async () => {
          turns += 1;
          if (turns === 3) stop.abort();
          else throw new Error('postgres://someone:secret@somewhere');
        },
      },
    );
    expect(turns).toBe(3);
    expect(lines.join('\n')).not.toContain('secret');
  }, 30_000);
});
