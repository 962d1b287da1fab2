import { type Channel, channels } from './door.ts';
import type { Judged } from './policy-strength.ts';

/** Which way the ways in of a gate point: each door more is one more way to what somebody says there. */
export const doorsField: Judged<readonly Channel[] | undefined> = {
  name: 'channels',
  judge: (from = channels, to = channels) =>
    !to.every((one) => from.includes(one)) ? 'weaker' : to.length < from.length ? 'stronger' : 'neutral',
  say: (list) => list?.join(', ') ?? 'all',
};
