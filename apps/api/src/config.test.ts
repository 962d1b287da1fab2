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

const slack = {
  PROVISO_SLACK_BOT_TOKEN: 'xoxb-1',
  PROVISO_SLACK_SIGNING_SECRET: 'the-secret',
  PROVISO_SLACK_TEAMS: 'T0HOME',
  PROVISO_SLACK_WORKSPACE: workspace,
  PROVISO_SLACK_CHANNEL: 'C0MAIN',
};

it('has no Slack unless its token is given, and then all that it needs', () => {
  expect(readConfig(base).slack).toBeNull();
  expect(readConfig({ ...base, ...slack, PROVISO_SLACK_GROUP_CHANNELS: 'group/security=C1,group/x=C2' }).slack).toEqual(
    {
      ...{ apiUrl: 'https://slack.com/api/', botToken: 'xoxb-1', signingSecret: 'the-secret', appToken: null },
      ...{ teams: ['T0HOME'], workspace },
      conversations: { main: 'C0MAIN', groups: { 'group/security': 'C1', 'group/x': 'C2' } },
    },
  );
});

it.each([
  ['PROVISO_SLACK_SIGNING_SECRET', '', 'a secret'],
  ['PROVISO_SLACK_TEAMS', '', 'T… or E…, joined by commas'],
  ['PROVISO_SLACK_TEAMS', 'acme', 'T… or E…, joined by commas'],
  ['PROVISO_SLACK_CHANNEL', '#general', 'the id of a channel, C…, joined by commas'],
  ['PROVISO_SLACK_GROUP_CHANNELS', 'security', 'group/name=C…, joined by commas'],
  ['PROVISO_SLACK_WORKSPACE', '', 'the id of a workspace'],
  ['PROVISO_SLACK_API', 'http://slack.example/', 'an address that starts with https://'],
])('says what is wrong with %s=%s', (name, value, expected) => {
  expect(() => readConfig({ ...base, ...slack, [name]: value })).toThrow(`${name}: expected ${expected}`);
});

const github = {
  PROVISO_GITHUB_APP_ID: '7',
  PROVISO_GITHUB_APP_KEY: 'the-key',
  PROVISO_GITHUB_WEBHOOK_SECRET: 'the-secret',
  PROVISO_GITHUB_WORKSPACE: workspace,
};

it('has no GitHub App unless its number is given, and then all that it needs', () => {
  expect(readConfig({ ...base, PROVISO_GITHUB_TOKEN: 'for-downloads' }).github).toBeNull();
  expect(readConfig({ ...base, ...github }).github).toEqual({
    ...{ appId: '7', privateKey: 'the-key', webhookSecret: 'the-secret', workspace, environments: {} },
  });
});

it.each([
  ['PROVISO_GITHUB_APP_ID', 'acme', 'the number of a GitHub App'],
  ['PROVISO_GITHUB_APP_KEY', '', 'a secret'],
  ['PROVISO_GITHUB_WEBHOOK_SECRET', '', 'a secret'],
  ['PROVISO_GITHUB_ENVIRONMENTS', 'production=later', 'environment=approved or environment=live, joined by commas'],
  ['PROVISO_GITHUB_WORKSPACE', 'here', 'the id of a workspace'],
])('says what is wrong with %s=%s, and no more of it', (name, value, expected) => {
  expect(() => readConfig({ ...base, ...github, [name]: value })).toThrow(`${name}: expected ${expected}`);
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
