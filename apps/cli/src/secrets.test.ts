import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureSecrets } from './secrets.ts';
import { openTokens } from './token-store.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proviso-secrets-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('secrets are drawn once, and only their owner may read them', () => {
  const drawn = ensureSecrets(folder);
  expect(ensureSecrets(folder)).toEqual(drawn);
  expect(statSync(join(folder, 'secrets.json')).mode & 0o777).toBe(0o600);
});

test('damaged secrets are told without a word of what they are, and never drawn anew', () => {
  writeFileSync(join(folder, 'secrets.json'), JSON.stringify({ vaultKey: 'a-secret-value' }));
  expect(() => ensureSecrets(folder)).toThrow(/expected the secrets of this deployment(?!.*a-secret-value)/);
  writeFileSync(join(folder, 'secrets.json'), '{');
  expect(() => ensureSecrets(folder)).toThrow('expected JSON');
});

test('a token is asked for when none is known or when it ends soon, and kept', () => {
  const day = 86_400_000;
  const first = openTokens(folder, 0);
  expect(first.wanted('ann')).toBe('renew');
  const people = first.keep({ workspace: 'wsp_1', people: { ann: { id: 'psn_1', token: 'token-of-ann' } } });
  expect(people).toEqual({ ann: { id: 'psn_1', token: 'token-of-ann' } });
  const later = openTokens(folder, 200 * day);
  expect(later.wanted('ann')).toBe(false);
  expect(later.keep({ workspace: 'wsp_1', people: { ann: { id: 'psn_1' } } })).toEqual(people);
  expect(openTokens(folder, 301 * day).wanted('ann')).toBe('renew');
  expect(statSync(join(folder, 'tokens.json')).mode & 0o777).toBe(0o600);
});
