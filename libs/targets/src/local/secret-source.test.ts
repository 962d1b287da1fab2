import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newFolder } from './release-fixture.ts';
import { readSecret } from './secret-source.ts';

const value = 'Amethyst-2291-Heron';
const { path: top, remove } = newFolder();
const folder = join(top, 'secrets');
mkdirSync(folder);
const places = { environment: { SECRET_KEY: value, SECRET_SHORT: 'abc', PROVISO_VAULT_KEY: value }, prefix: 'SECRET_' };
const put = (name: string, text: string | Uint8Array, mode = 0o600): void => {
  writeFileSync(join(folder, name), text);
  chmodSync(join(folder, name), mode);
};
put('key', `${value}\n`);
put('two-lines', `${value}\n\n`);
put('open', value, 0o640);
put('bytes', Buffer.from([0xff, 0xfe, 0x00, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41]));
put('large', 'x'.repeat(64 * 1024 + 1));
writeFileSync(join(top, 'outside'), value, { mode: 0o600 });
symlinkSync(join(top, 'outside'), join(folder, 'link'));
afterAll(remove);

test('reads a variable as it is, and a file without the one line break that editors leave', async () => {
  const read = (from: Parameters<typeof readSecret>[0]) => readSecret(from, { ...places, folder });
  expect(await read({ from: 'environment', name: 'SECRET_KEY' })).toBe(value);
  expect(await read({ from: 'file', path: 'key' })).toBe(value);
  expect(await read({ from: 'file', path: 'two-lines' })).toBe(`${value}\n`);
});

test.each([
  ['a variable of our own', { from: 'environment', name: 'PROVISO_VAULT_KEY' }, 'secret_unreadable'],
  ['a variable of the machine', { from: 'environment', name: 'HOME' }, 'secret_unreadable'],
  ['a variable that is not set', { from: 'environment', name: 'SECRET_NONE' }, 'secret_missing'],
  ['a value that could be any word', { from: 'environment', name: 'SECRET_SHORT' }, 'secret_unreadable'],
  ['a file that is not there', { from: 'file', path: 'none' }, 'secret_missing'],
  ['a file that others may read', { from: 'file', path: 'open' }, 'secret_unreadable'],
  ['a link that leads out', { from: 'file', path: 'link' }, 'secret_unreadable'],
  ['a way out', { from: 'file', path: '../outside' }, 'secret_unreadable'],
  ['a folder', { from: 'file', path: '.' }, 'secret_unreadable'],
  ['bytes that are no text', { from: 'file', path: 'bytes' }, 'secret_unreadable'],
  ['a file larger than any key', { from: 'file', path: 'large' }, 'secret_unreadable'],
  ['a vault', { from: 'vault', path: 'key' }, 'secret_unreadable'],
] as const)('refuses %s without a word of what is in it', async (_what, reference, code) => {
  const error = await readSecret(reference, { ...places, folder }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code });
  expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('Amethyst');
});

test('without a folder no file can be referred to', async () => {
  const reading = readSecret({ from: 'file', path: 'key' }, { ...places, folder: null });
  await expect(reading).rejects.toMatchObject({ code: 'secret_unreadable' });
});
