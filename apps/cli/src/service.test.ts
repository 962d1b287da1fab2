import { EventEmitter, once } from 'node:events';
import { type RunningService, startService } from './service.ts';

/** A part whose death the test decides. */
function part() {
  const events = new EventEmitter();
  const lives: { die: () => void }[] = [];
  const start = async (): Promise<RunningService> => {
    const exited = Promise.withResolvers<{ code: number | null; signal: string | null }>();
    lives.push({ die: () => exited.resolve({ code: null, signal: 'SIGKILL' }) });
    const pid = lives.length;
    queueMicrotask(() => events.emit(`life ${pid}`));
    return { pid, stop: async () => exited.resolve({ code: 0, signal: null }), exited: exited.promise };
  };
  return { events, lives, start };
}

test('a part that dies is started again and both are told', async () => {
  const { events, lives, start } = part();
  const said: string[] = [];
  const say = (words: string) => void said.push(words);
  const service = await startService({ name: 'worker', start, say, gaveUp: say, backoffMsMin: 1 });
  const again = once(events, 'life 2');
  lives[0]?.die();
  await again;
  await service.stop();
  expect(said).toEqual(['worker ended unexpectedly (SIGKILL) and is started again', 'worker is back (process 2)']);
  expect(lives).toHaveLength(2);
});

test('a part that is asked to start anew does so, and its end is no surprise', async () => {
  const { events, lives, start } = part();
  const said: string[] = [];
  const say = (words: string) => void said.push(words);
  const service = await startService({ name: 'edge', start, say, gaveUp: say, backoffMsMin: 1 });
  const again = once(events, 'life 2');
  await service.restart();
  await again;
  await service.stop();
  expect(said).toEqual(['edge ended as asked and is started again', 'edge is back (process 2)']);
  expect(lives).toHaveLength(2);
});

test('a stopped part is not started again', async () => {
  const { lives, start } = part();
  const said: string[] = [];
  const say = (words: string) => void said.push(words);
  const service = await startService({ name: 'edge', start, say, gaveUp: say, backoffMsMin: 1 });
  await service.stop();
  await service.stop();
  expect(said).toEqual([]);
  expect(lives).toHaveLength(1);
});

test('a part that cannot be started again is given up after a bounded number of tries', async () => {
  const { lives, start } = part();
  const gaveUp = Promise.withResolvers<string>();
  let tries = 0;
  const service = await startService({
    name: 'API',
    start: async () => {
      tries += 1;
      if (tries > 1) throw new Error('expected a free port, got a taken one');
      return await start();
    },
    say: () => undefined,
    gaveUp: gaveUp.resolve,
    backoffMsMin: 0,
  });
  lives[0]?.die();
  await expect(gaveUp.promise).resolves.toBe('API');
  expect(tries).toBe(9);
  await service.stop();
});

test('a first start that fails is the caller’s to hear', async () => {
  const start = () => Promise.reject(new Error('no binary'));
  const options = { name: 'Temporal', start, say: () => undefined, gaveUp: () => undefined };
  await expect(startService(options)).rejects.toThrow('no binary');
});
