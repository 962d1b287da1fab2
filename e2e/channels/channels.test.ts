import { readFileSync } from 'node:fs';
import { playedAlone } from '../played.ts';
import type { ChannelPlayed, ChannelsResult } from './channels.ts';

/** Alone it takes three minutes; other tests may keep both cores busy meanwhile. */
const channelsMsMax = 900_000;

let played: ChannelsResult;

beforeAll(async () => {
  ({ played } = await playedAlone<ChannelsResult>('channels', ['--quick']));
}, channelsMsMax);

describe.each([
  ['slack', ['slack']],
  ['github', ['github', 'protection']],
])('a deployment whose people decide in %s', (name, stories) => {
  const here = (): ChannelPlayed => {
    const found = played.channels.find(({ channel }) => channel === name);
    if (found === undefined) throw new Error(`expected ${name} to be played, got nothing`);
    return found;
  };

  it.each(stories)(
    'carries the four versions of the demo to their ends, and everybody sees what %s.golden.txt says',
    (story) => {
      const golden = readFileSync(new URL(`./${story}.golden.txt`, import.meta.url), 'utf8');
      expect(
        `${here()
          .stories.find((one) => one.name === story)
          ?.lines.join('\n')}\n`,
      ).toBe(golden);
    },
  );

  it('records every press of a crowd, on a database that syncs', () => {
    const { presses, recorded, durability } = here().pace;
    expect({ recorded, durability }).toEqual({ recorded: presses, durability: 'fsync on, synchronous_commit on' });
  });

  it('delays nothing but its own messages while the channel is away', () => {
    expect(here().outage.findings).toEqual([]);
  });

  it('leaves each message once, final and without a button, wherever the API was killed', () => {
    expect(here().kills).toHaveLength(3);
    expect(here().kills.flatMap(({ findings }) => findings)).toEqual([]);
  });

  it('is found at no other fault', () => {
    expect(here().findings).toEqual([]);
  });
});
