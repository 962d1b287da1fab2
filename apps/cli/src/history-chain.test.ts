import { createHash } from 'node:crypto';
import { verifyChain } from './history-chain.ts';
import type { ChainedEntry } from './reading.ts';

function chainOf(kinds: readonly string[]): ChainedEntry[] {
  let sprev = '0'.repeat(64);
  return kinds.map((kind, index) => {
    const bytes = JSON.stringify({ kind, sprev, sseq: index + 1 });
    sprev = createHash('sha256').update(bytes).digest('hex');
    const at = '2026-11-21T10:00:00.000Z';
    const rest = {
      id: index,
      stream: 'promotion',
      streamId: 'prm_1',
      by: null,
      actsFor: null,
      authn: null,
      reason: null,
      body: {},
    };
    return { sequence: index + 1, kind, at, position: index, hash: sprev, bytes, ...rest };
  });
}

test('an untouched stream is whole', () => {
  expect(verifyChain(chainOf(['promotion_opened', 'gate_passed', 'promotion_ended']))).toEqual({
    kind: 'whole',
    entries: 3,
  });
});

test.each([
  { change: 'changed bytes', at: 2, edit: (entry: ChainedEntry) => ({ ...entry, bytes: `${entry.bytes} ` }) },
  { change: 'a changed hash', at: 2, edit: (entry: ChainedEntry) => ({ ...entry, hash: 'ff'.repeat(32) }) },
  { change: 'another kind shown than hashed', at: 2, edit: (entry: ChainedEntry) => ({ ...entry, kind: 'live' }) },
  { change: 'another number shown', at: 7, edit: (entry: ChainedEntry) => ({ ...entry, sequence: 7 }) },
])('$change is found at its entry', ({ at, edit }) => {
  const entries = chainOf(['one', 'two', 'three']);
  const [first, second, third] = entries;
  if (first === undefined || second === undefined || third === undefined) throw new Error('expected three entries');
  expect(verifyChain([first, edit(second), third])).toMatchObject({ kind: 'broken', sequence: at });
});

test('a missing entry is found at the one behind it', () => {
  const [first, , third] = chainOf(['one', 'two', 'three']);
  if (first === undefined || third === undefined) throw new Error('expected three entries');
  expect(verifyChain([first, third])).toMatchObject({ kind: 'broken', sequence: 3 });
});

test('a forged entry with a right hash does not fit behind the one before', () => {
  const entries = chainOf(['one', 'two']);
  const forged = chainOf(['another', 'two'])[1];
  if (entries[0] === undefined || forged === undefined) throw new Error('expected two entries');
  expect(verifyChain([entries[0], forged])).toMatchObject({ kind: 'broken', sequence: 2 });
});

test('without the bytes nothing is proven, and that is not called whole', () => {
  const { bytes: _bytes, ...entry } = { ...chainOf(['one'])[0] };
  expect(verifyChain([entry as ChainedEntry])).toMatchObject({ kind: 'unproven' });
});
