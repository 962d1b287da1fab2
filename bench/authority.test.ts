import { casesOf } from './authority/cases.ts';
import { run } from './authority.ts';

it('gives the same answers as engines that were told the same rules in their own languages', async () => {
  const lines = await run({ rounds: 1, quick: true, inputs: {} });
  expect(lines.find(({ metric }) => metric === 'differences')?.ours).toBe(0);
  expect(lines.map(({ peerName }) => peerName)).toEqual(expect.arrayContaining(['Cedar wasm', 'casbin']));
});

it('asks the same questions for the same seed', () => {
  expect(casesOf(1, 50)).toEqual(casesOf(1, 50));
  expect(casesOf(1, 50)).not.toEqual(casesOf(2, 50));
});
