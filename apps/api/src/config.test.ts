import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from './config.ts';

const base = {
  PROVISO_DATABASE_URL: 'postgres://localhost/x',
  PROVISO_API_PORT: '7070',
  PROVISO_EVIDENCE: '/srv/evidence',
  PROVISO_VAULT_KEY: 'ab'.repeat(32),
  PROVISO_ORIGIN: 'test',
};
const workspace = `wsp_${'1'.repeat(32)}`;
const oidc = {
  PROVISO_OIDC_ISSUER: 'https://login.example',
  PROVISO_OIDC_CLIENT_ID: 'proviso',
  PROVISO_OIDC_CLIENT_SECRET: 'the-secret',
  PROVISO_OIDC_WORKSPACE: workspace,
};

it('has no provider unless one is named, and then all that it needs', () => {
  expect(readConfig(base).oidc).toBeNull();
  expect(readConfig({ ...base, ...oidc, PROVISO_OIDC_ADMINISTRATORS: 'one,two' }).oidc).toEqual({
    ...{ issuer: 'https://login.example', clientId: 'proviso', clientSecret: 'the-secret', workspace },
    ...{ administrators: ['one', 'two'], keepLocalTokens: false },
  });
});

it('takes the secret from a file that is named', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'proviso-config-'));
  try {
    const path = join(folder, 'secret');
    await writeFile(path, 'from-a-file\n');
    const { PROVISO_OIDC_CLIENT_SECRET: _none, ...rest } = oidc;
    const read = readConfig({ ...base, ...rest, PROVISO_OIDC_CLIENT_SECRET_FILE: path });
    expect(read.oidc?.clientSecret).toBe('from-a-file');
    expect(() => readConfig({ ...base, ...rest, PROVISO_OIDC_CLIENT_SECRET_FILE: `${path}-other` })).toThrow(
      'PROVISO_OIDC_CLIENT_SECRET: expected a secret, or a readable file in PROVISO_OIDC_CLIENT_SECRET_FILE',
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

it.each([
  ['PROVISO_OIDC_ISSUER', 'http://login.example', 'an address that starts with https://'],
  ['PROVISO_OIDC_ISSUER', 'login.example', 'an address that starts with https://'],
  ['PROVISO_OIDC_CLIENT_ID', '', 'a text'],
  ['PROVISO_OIDC_CLIENT_SECRET', '', 'a secret'],
  ['PROVISO_OIDC_WORKSPACE', 'here', 'the id of a workspace'],
])('says what is wrong with %s=%s, and nothing of a value', (name, value, expected) => {
  const wrong = { ...base, ...oidc, [name]: value };
  expect(() => readConfig(wrong)).toThrow(`${name}: expected ${expected}`);
  try {
    readConfig(wrong);
  } catch (error) {
    expect(String(error)).not.toContain('the-secret');
  }
});

it('takes a provider over plain HTTP on this machine only', () => {
  const local = { ...base, ...oidc, PROVISO_OIDC_ISSUER: 'http://127.0.0.1:9000' };
  expect(readConfig(local).oidc?.issuer).toBe('http://127.0.0.1:9000');
});
