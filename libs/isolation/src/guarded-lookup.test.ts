import { type AllowedReach, AddressRefused, guardedLookup, isRefusedHost } from './guarded-lookup.ts';

/** What a connection would be made to. */
async function lookedUp(allowed: AllowedReach, addresses: readonly string[]): Promise<unknown> {
  const lookup = guardedLookup(allowed, async () => addresses);
  return await new Promise((resolve) =>
    lookup('name.example', { all: true }, (error, found) => resolve(error ?? found)),
  );
}

describe('a name is looked up', () => {
  it.each([
    ['1.1.1.1', 'public'],
    ['2606:4700::1111', 'public'],
    ['127.0.0.1', 'private'],
    ['10.1.2.3', 'private'],
    ['::1', 'private'],
    ['::ffff:127.0.0.1', 'private'],
    ['fd12::1', 'private'],
    ['169.254.169.254', 'never'],
    ['::ffff:169.254.169.254', 'never'],
    ['fe80::1', 'never'],
    ['100.100.100.200', 'never'],
    ['0.0.0.0', 'never'],
    ['64:ff9b::a9fe:a9fe', 'never'],
    ['2002:7f00:1::', 'never'],
    ['no address', 'never'],
  ] as const)('%s is %s', async (address, reach) => {
    for (const allowed of ['public', 'private'] as const) {
      const may = reach === 'public' || reach === allowed;
      const found = await lookedUp(allowed, [address]);
      expect([allowed, found instanceof AddressRefused]).toEqual([allowed, !may]);
    }
  });

  it('and one address that nobody may ask spoils all', async () => {
    expect(await lookedUp('public', ['1.1.1.1', '127.0.0.1'])).toBeInstanceOf(AddressRefused);
    expect(await lookedUp('public', [])).toBeInstanceOf(AddressRefused);
    expect(await lookedUp('public', ['1.1.1.1', '1.0.0.1'])).toEqual([
      { address: '1.1.1.1', family: 4 },
      { address: '1.0.0.1', family: 4 },
    ]);
  });
});

describe('an address that stands in a URL itself', () => {
  it.each([
    ['http://127.0.0.1/', true, false],
    ['http://2130706433/', true, false],
    ['http://0x7f.1/', true, false],
    ['http://[::1]/', true, false],
    ['http://[::ffff:a9fe:a9fe]/', true, true],
    ['http://169.254.169.254/', true, true],
    ['http://1.1.1.1/', false, false],
    ['http://name.example/', false, false],
  ])('%s', (url, inPublic, inPrivate) => {
    expect(isRefusedHost(new URL(url), 'public')).toBe(inPublic);
    expect(isRefusedHost(new URL(url), 'private')).toBe(inPrivate);
  });
});
