import { openBuildQueue } from './build-queue.ts';

const waits = new AbortController().signal;

/** Builds that end when they are told to, and the order in which they began. */
function builds(placesMax: number) {
  const queue = openBuildQueue(placesMax);
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    began,
    start: (workspace: string, name: string, signal = waits) =>
      queue.run(workspace, signal, async () => {
        began.push(name);
        await new Promise<void>((resolve) => ends.set(name, resolve));
      }),
    end: async (name: string) => {
      ends.get(name)?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('no more builds run at once than there are places', async () => {
  const { began, start, end } = builds(2);
  for (const name of ['one', 'two', 'three']) void start('ada', name);
  await end('none');
  expect(began).toEqual(['one', 'two']);
  await end('one');
  expect(began).toEqual(['one', 'two', 'three']);
});

test('a workspace with many builds lets another one in after each', async () => {
  const { began, start, end } = builds(1);
  for (const name of ['a1', 'a2', 'a3']) void start('ada', name);
  for (const name of ['b1', 'b2']) void start('bob', name);
  for (const name of ['none', 'a1', 'a2', 'b1', 'a3', 'b2']) await end(name);
  expect(began).toEqual(['a1', 'a2', 'b1', 'a3', 'b2']);
});

test('whoever waits no longer takes no place', async () => {
  const { began, start, end } = builds(1);
  const over = new AbortController();
  void start('ada', 'first');
  const gone = start('ada', 'gone', over.signal);
  void start('ada', 'last');
  over.abort(new Error('cancelled'));
  await expect(gone).rejects.toThrow('cancelled');
  await expect(start('ada', 'late', over.signal)).rejects.toThrow('cancelled');
  await end('none');
  await end('first');
  expect(began).toEqual(['first', 'last']);
});

test('a build that breaks gives its place away', async () => {
  const queue = openBuildQueue(1);
  await expect(queue.run('ada', waits, async () => Promise.reject(new Error('broke')))).rejects.toThrow('broke');
  expect(await queue.run('ada', waits, async () => 'built')).toBe('built');
});
