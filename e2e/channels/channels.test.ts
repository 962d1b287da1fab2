import { readFileSync } from 'node:fs';
import { playedAlone } from '../played.ts';
import type { ChannelPlayed, ChannelsResult } from './channels.ts';

/** Alone it takes two minutes; other tests may keep both cores busy meanwhile. */
const channelsMsMax = 600_000;

let played: ChannelsResult;

beforeAll(async () => {
  ({ played } = await playedAlone<ChannelsResult>('channels', ['--quick']));
}, channelsMsMax);

describe.each(['slack'])('a deployment whose people decide in %s', (name) => {
  const here = (): ChannelPlayed => {
    const found = played.channels.find(({ channel }) => channel === name);
    if (found === undefined) throw new Error(`expected ${name} to be played, got nothing`);
    return found;
  };

  it('carries the four versions of the demo to their ends, and everybody sees what the golden file says', () => {
    const golden = readFileSync(new URL(`./${name}.golden.txt`, import.meta.url), 'utf8');
    expect(`${here().lines.join('\n')}\n`).toBe(golden);
  });

  it('records every press of a crowd, on a database that syncs', () => {
    const { presses, recorded, durability } = here().pace;
    expect({ recorded, durability }).toEqual({ recorded: presses, durability: 'fsync on, synchronous_commit on' });
  });

  it('delays nothing but its own messages while the channel is away', () => {
    expect(here().outage.findings).toEqual([]);
  });

  it('leaves each message once, final and without a button, wherever the API was killed', () => {
    expect(here().kills).toHaveLength(5);
    expect(here().kills.flatMap(({ findings }) => findings)).toEqual([]);
  });

  it('is found at no other fault', () => {
    expect(here().findings).toEqual([]);
  });
});
