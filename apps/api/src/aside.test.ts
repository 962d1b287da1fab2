import { openAside } from './aside.ts';
import { openLog } from './log.ts';

/** One that is done when somebody says so. */
function held() {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return { work: async () => await promise, resolve, reject };
}

describe('work that nobody waits for', () => {
  it('is done so much at once, the rest in its order, and what has waited too long is left', async () => {
    let now = 0;
    const begun: string[] = [];
    const { aside, idle } = openAside({ log: openLog('silent'), now: () => now }, 'left', { atOnce: 2, waitMsMax: 60 });
    const [one, two, three] = [held(), held(), held()];
    const begin = (name: string, work: () => Promise<void>) =>
      aside(async () => {
        begun.push(name);
        await work();
      });
    begin('one', one.work);
    begin('two', two.work);
    begin('three', three.work);
    begin('four', async () => undefined);
    expect(begun).toEqual(['one', 'two']);
    one.reject(new Error('the outlet is away'));
    await one.work().catch(() => undefined);
    await Promise.resolve();
    now = 61;
    begin('five', async () => undefined);
    two.resolve();
    three.resolve();
    await idle();
    expect(begun).toEqual(['one', 'two', 'three', 'five']);
    await idle();
  });
});
