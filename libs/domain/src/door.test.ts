import { type Door, closedDoor, freshMsMax } from './door.ts';

const now = 1_000_000_000;
const page = (freshAt: number | null): Door => ({ channel: 'page', freshAt });
const careful = { stepUp: true };

describe('a gate that needs a fresh login', () => {
  it.each<[string, Door, string | null]>([
    ['a login of this moment', page(now), null],
    ['a login of exactly five minutes ago', page(now - freshMsMax), null],
    ['a login of a millisecond longer ago', page(now - freshMsMax - 1), 'step_up_required'],
    ['a session without a login of its own', page(null), 'step_up_required'],
    ['a login of a broken clock, far ahead', page(now + freshMsMax + 1), 'step_up_required'],
    ['a token, however it claims to be fresh', { channel: 'rest', freshAt: now }, 'step_up_required'],
    ['a click in Slack', { channel: 'slack', freshAt: now }, 'step_up_required'],
    ['a process of ours', { channel: 'service', freshAt: now }, 'step_up_required'],
  ])('answers %s', (_what, door, code) => {
    expect(closedDoor(careful, door, now)?.code ?? null).toBe(code);
  });
});

describe('a gate that names its channels', () => {
  it('is closed to every other way in, and says which are open', () => {
    const refused = closedDoor({ channels: ['page', 'slack'] }, { channel: 'rest', freshAt: null }, now);
    expect(refused).toMatchObject({ code: 'channel_not_allowed', message: expect.stringContaining('page or slack') });
    expect(closedDoor({ channels: ['page', 'slack'] }, { channel: 'slack', freshAt: null }, now)).toBeNull();
  });

  it('is open to all when it names none', () => {
    expect(closedDoor({}, { channel: 'github', freshAt: null }, now)).toBeNull();
  });
});
