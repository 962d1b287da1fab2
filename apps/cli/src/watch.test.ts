import type { Look, Looks } from '@proviso/client';
import { type Answering, problem } from './fake-api.ts';
import type { Progress } from './progress.ts';
import { ranAgainst } from './ran-program.contract.ts';

const thresholds = { rollback: Math.log(100), advance: Math.log(20), suspicion: Math.log(2) };

const look = (number: number): Look => ({
  ...{ number, at: new Date(Date.UTC(2026, 10, 25, 14, number)).toISOString(), weight: 10 },
  samples: { canary: { units: 40 * number, failed: 0 }, stable: { units: 360 * number, failed: 1 } },
  evidence: { against: -0.1, advance: 0.1 * number, by: 'stable' },
  ...{ metrics: [], move: 'hold', verdict: 'hold', reason: 'collecting', words: 'there is not enough traffic: so far' },
});

const promotion = (state: string) => ({
  ...{ id: 'prm_1', state, headline: `It is ${state}.`, outcome: state === 'canary' ? null : state },
  gates: [{ name: 'canary', status: 'claimed' }],
});

/** A canary that has two looks when it is first asked about, one more at each question after that, and then ends. */
const answering: Answering = ({ path }, count) => {
  if (path === '/v1/promotions/prm_1') return { status: 200, body: promotion(count < 2 ? 'canary' : 'rolled_back') };
  const [, after] = /^\/v1\/promotions\/prm_1\/looks\?limit=500(?:&after=(\d+))?$/.exec(path) ?? [];
  if (after === undefined && !path.includes('/looks')) return problem(404, 'not_found');
  const from = Number(after ?? 0);
  const items = from === 0 ? [look(1), look(2)] : from < 4 ? [look(from + 1)] : [];
  return { status: 200, body: { items, next: null, thresholds } satisfies Looks };
};

async function watched(words: readonly string[], screen?: Progress['screen'], answer: Answering = answering) {
  return await ranAgainst(answer, ['watch', 'prm_1', ...words], { screen });
}

test('for machines every look is a line, each once, and the promotion comes last', async () => {
  const { code, printed } = await watched(['--json']);
  expect(code).toBe(7);
  expect(printed.map((line) => JSON.parse(line)).map(({ number, state }) => number ?? state)).toEqual([
    ...[1, 2, 3, 4],
    'rolled_back',
  ]);
});

test('where nothing can be redrawn the newest look is told in a line', async () => {
  const { said, printed } = await watched([]);
  expect(said).toEqual([
    '10 %: new 0 of 80 failed, before 1 of 720 failed; worse 0.9 of 100, safe 1.2 of 20; there is not enough traffic',
    '10 %: new 0 of 120 failed, before 1 of 1080 failed; worse 0.9 of 100, safe 1.3 of 20; there is not enough traffic',
    'It is rolled_back.',
  ]);
  expect(printed).toEqual(['It is rolled_back.']);
});

test('on a terminal it is drawn over and over, and the last picture stays', async () => {
  const drawn: (readonly string[])[] = [];
  const screen = {
    size: () => ({ columns: 60, rows: 30 }),
    draw: (lines: readonly string[]) => void drawn.push(lines),
  };
  const { said, printed } = await watched([], screen);
  expect([drawn.length, said]).toEqual([3, []]);
  expect(drawn[0]?.[0]).toBe('It is canary.');
  expect(drawn.map((lines) => lines.find((line) => line.startsWith('new')))).toEqual(
    [80, 120, 160].map((units) => `new    0 of ${units} failed`),
  );
  expect(printed.at(-1)).toBe('It is rolled_back.');
  expect(printed).toContain('new    0 of 160 failed');
});

test('looks past a server that is away, and loses no look by it', async () => {
  let refused = 0;
  const answer: Answering = (call, count) => {
    if (!call.path.includes('/looks') || refused === 1) return answering(call, count);
    refused += 1;
    return problem(500, 'internal');
  };
  const { printed } = await watched(['--json'], undefined, answer);
  expect(printed.map((line) => JSON.parse(line)).flatMap(({ number }) => number ?? [])).toEqual([1, 2, 3]);
});
