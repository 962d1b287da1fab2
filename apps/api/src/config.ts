import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute } from 'node:path';
import type { Conversations, DeploymentNeed } from '@proviso/channels';
import { type WorkspaceId, isId } from '@proviso/domain';

/** What an operator tells the API, parsed once. The vault key and the passwords are in no message and no log. */
export interface Config {
  readonly databaseUrl: string;
  readonly host: string;
  readonly port: number;
  /** The folder of the evidence store. */
  readonly evidence: string;
  readonly vaultKeyHex: string;
  /** The deployment's name in every entry. */
  readonly origin: string;
  readonly githubApi: string;
  readonly githubToken: string | null;
  /** Where people reach this API; used for links only. */
  readonly publicUrl: string;
  /** Only repositories inside this folder can be frozen by path; null: none. */
  readonly gitRoot: string | null;
  /** Uploads are unpacked below it and removed again. */
  readonly temporaryFolder: string;
  /** Shared with the edges, which let people into staging by it; null: no links to previews. */
  readonly previewKeyHex: string | null;
  /** Where people reach the edges' router; the host of a lane takes the place of its name. */
  readonly edgePublicUrl: string | null;
  /** CI systems whose runs may be trusted: each by the address that its tokens name as issuer. No other is ever asked. */
  readonly workloadIssuers: readonly string[];
  /** Who people sign in with; null: with their own tokens. */
  readonly oidc: OidcConfig | null;
  /** Which addresses webhooks may have: of the internet, or also of this machine and its network. */
  readonly webhookReach: 'public' | 'private';
  /** Pages of these origins may read with a token; no others. */
  readonly corsOrigins: readonly string[];
  /** Where people are asked in Slack; null: nowhere, and nothing of Slack is heard. */
  readonly slack: SlackConfig | null;
  /** A GitHub App by which people are asked at their commits; null: nothing is told or heard there. */
  readonly github: GitHubConfig | null;
  /** The zone of the times in headlines; the fields beside them are always UTC. */
  readonly timeZone: string;
}

/** An OpenID provider, and what its people become here. The secret is in no message and no log. */
export interface OidcConfig {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where everybody belongs who signs in for the first time. */
  readonly workspace: WorkspaceId;
  /** Subjects of those who are administrators from their first sign-in on. */
  readonly administrators: readonly string[];
  /** Tokens that people got at the founding go on working, beside the provider. */
  readonly keepLocalTokens: boolean;
}

/** A Slack app, and whose people it asks. Its secrets are in no message and no log. */
export interface SlackConfig {
  readonly apiUrl: string;
  readonly botToken: string;
  /** Proves what comes to us over HTTP; null: nothing comes that way. */
  readonly signingSecret: string | null;
  /** Opens Socket Mode, where we call and Slack need not reach us; null: it does. */
  readonly appToken: string | null;
  /** The team; of an Enterprise Grid the organisation and then each of its workspaces. */
  readonly teams: readonly string[];
  readonly workspace: WorkspaceId;
  readonly conversations: Conversations;
}

/** A GitHub App, and whose people it asks. Its key and its secret are in no message and no log. */
export interface GitHubConfig {
  /** The number that GitHub gave it. */
  readonly appId: string;
  readonly privateKey: string;
  /** Proves what comes to us. */
  readonly webhookSecret: string;
  readonly workspace: WorkspaceId;
  /** What deploy jobs of an environment wait for; of one that is not named they wait for people. */
  readonly environments: Readonly<Record<string, DeploymentNeed>>;
}

/** What the one-shot process that prepares a deployment needs beside it. */
export interface FoundingConfig {
  /** Null: the database is prepared already, and a workspace is founded in it. */
  readonly migration: {
    readonly superuserUrl: string;
    readonly appPassword: string;
    readonly pumpPassword: string;
  } | null;
  readonly databaseUrl: string;
  readonly evidence: string;
  readonly vaultKeyHex: string;
  readonly origin: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Told at once with every variable that is wrong, so that nobody mends them one start at a time. */
export class ConfigProblem extends Error {
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigProblem';
  }
}

/** Reads the API's settings from the environment of this process, or of a test. */
export function readConfig(environment: Environment = process.env): Config {
  const reader = readerOf(environment);
  const host = reader.text('PROVISO_API_HOST', '127.0.0.1');
  const port = reader.port('PROVISO_API_PORT');
  const config: Config = {
    databaseUrl: reader.url('PROVISO_DATABASE_URL', ['postgres:', 'postgresql:']),
    host,
    port,
    evidence: reader.folder('PROVISO_EVIDENCE'),
    vaultKeyHex: reader.key('PROVISO_VAULT_KEY'),
    origin: reader.text('PROVISO_ORIGIN'),
    githubApi: reader.url('PROVISO_GITHUB_API', ['https:', 'http:'], 'https://api.github.com'),
    githubToken: environment['PROVISO_GITHUB_TOKEN'] || null,
    publicUrl: reader.url('PROVISO_PUBLIC_URL', ['https:', 'http:'], `http://${host}:${port}`),
    gitRoot: environment['PROVISO_GIT_ROOT'] ? reader.folder('PROVISO_GIT_ROOT') : null,
    temporaryFolder: environment['PROVISO_TEMP'] ? reader.folder('PROVISO_TEMP') : tmpdir(),
    previewKeyHex: environment['PROVISO_PREVIEW_KEY'] ? reader.key('PROVISO_PREVIEW_KEY') : null,
    edgePublicUrl: environment['PROVISO_EDGE_PUBLIC_URL']
      ? reader.url('PROVISO_EDGE_PUBLIC_URL', ['https:', 'http:'])
      : null,
    workloadIssuers: reader.list('PROVISO_WORKLOAD_ISSUERS', issuers),
    webhookReach: reader.reach('PROVISO_WEBHOOK_REACH'),
    corsOrigins: reader.list('PROVISO_CORS_ORIGINS', origins),
    timeZone: reader.zone('PROVISO_TIME_ZONE', 'UTC'),
    oidc: environment['PROVISO_OIDC_ISSUER'] ? oidcIn(environment, reader) : null,
    slack: isNamed(environment, 'PROVISO_SLACK_BOT_TOKEN') ? slackIn(environment, reader) : null,
    github: isNamed(environment, 'PROVISO_GITHUB_APP_ID') ? githubIn(reader) : null,
  };
  reader.finish();
  return Object.freeze(config);
}

function oidcIn(environment: Environment, reader: ReturnType<typeof readerOf>): OidcConfig {
  return {
    issuer: reader.provider('PROVISO_OIDC_ISSUER'),
    clientId: reader.text('PROVISO_OIDC_CLIENT_ID'),
    clientSecret: reader.secret('PROVISO_OIDC_CLIENT_SECRET'),
    workspace: reader.workspace('PROVISO_OIDC_WORKSPACE'),
    administrators: (environment['PROVISO_OIDC_ADMINISTRATORS'] ?? '').split(',').filter((subject) => subject !== ''),
    keepLocalTokens: environment['PROVISO_OIDC_KEEP_LOCAL_TOKENS'] === 'yes',
  };
}

function isNamed(environment: Environment, name: string): boolean {
  return Boolean(environment[name]) || environment[`${name}_FILE`] !== undefined;
}

function slackIn(environment: Environment, reader: ReturnType<typeof readerOf>): SlackConfig {
  const named = (name: string) => (isNamed(environment, name) ? reader.secret(name) : null);
  const [signingSecret, appToken] = [named('PROVISO_SLACK_SIGNING_SECRET'), named('PROVISO_SLACK_APP_TOKEN')];
  if (signingSecret === null && appToken === null) reader.secret('PROVISO_SLACK_SIGNING_SECRET');
  const channel = { ...wordsOf(/^[CG][A-Z0-9]{1,30}$/, 'the id of a channel, C…'), min: 1 };
  const pair = wordsOf(/^(group|role)\/[^=,]+=[CG][A-Z0-9]{1,30}$/, 'group/name=C…');
  const pairs = reader.list('PROVISO_SLACK_GROUP_CHANNELS', pair);
  return {
    ...{ signingSecret, appToken, botToken: reader.secret('PROVISO_SLACK_BOT_TOKEN') },
    apiUrl: reader.provider('PROVISO_SLACK_API', 'https://slack.com/api/'),
    teams: reader.list('PROVISO_SLACK_TEAMS', { ...wordsOf(/^[TE][A-Z0-9]{1,30}$/, 'T… or E…'), min: 1 }),
    workspace: reader.workspace('PROVISO_SLACK_WORKSPACE'),
    conversations: {
      main: reader.list('PROVISO_SLACK_CHANNEL', channel)[0] ?? '',
      groups: Object.fromEntries(pairs.map((pair) => pair.split('='))) as Conversations['groups'],
    },
  };
}

function githubIn(reader: ReturnType<typeof readerOf>): GitHubConfig {
  const number = wordsOf(/^\d{1,15}$/, 'the number of a GitHub App');
  const pair = wordsOf(/^[^=]{1,255}=(approved|live)$/, 'environment=approved or environment=live');
  const pairs = reader.list('PROVISO_GITHUB_ENVIRONMENTS', pair);
  return {
    appId: reader.list('PROVISO_GITHUB_APP_ID', { ...number, min: 1 })[0] ?? '',
    privateKey: reader.secret('PROVISO_GITHUB_APP_KEY'),
    webhookSecret: reader.secret('PROVISO_GITHUB_WEBHOOK_SECRET'),
    workspace: reader.workspace('PROVISO_GITHUB_WORKSPACE'),
    environments: Object.fromEntries(pairs.map((one) => one.split('='))) as GitHubConfig['environments'],
  };
}

/** Reads the settings of the one-shot process that migrates, where it may, and founds. */
export function readFoundingConfig(environment: Environment = process.env): FoundingConfig {
  const reader = readerOf(environment);
  const config: FoundingConfig = {
    migration: environment['PROVISO_SUPERUSER_URL']
      ? {
          superuserUrl: reader.url('PROVISO_SUPERUSER_URL', ['postgres:', 'postgresql:']),
          appPassword: reader.text('PROVISO_APP_PASSWORD'),
          pumpPassword: reader.text('PROVISO_PUMP_PASSWORD'),
        }
      : null,
    databaseUrl: reader.url('PROVISO_DATABASE_URL', ['postgres:', 'postgresql:']),
    evidence: reader.folder('PROVISO_EVIDENCE'),
    vaultKeyHex: reader.key('PROVISO_VAULT_KEY'),
    origin: reader.text('PROVISO_ORIGIN'),
  };
  reader.finish();
  return Object.freeze(config);
}

/** Collects problems instead of throwing at the first; nothing of a value is told, since some are secrets. */
function readerOf(environment: Environment) {
  const problems: string[] = [];
  const wrong = (name: string, expected: string): '' => {
    problems.push(`${name}: expected ${expected}, got ${environment[name] ? 'something else' : 'nothing'}`);
    return '';
  };
  return {
    text: (name: string, preset?: string) => environment[name] || preset || wrong(name, 'a text'),
    url: (name: string, protocols: readonly string[], preset?: string) => {
      const given = environment[name] || preset || '';
      const fits = URL.canParse(given) && protocols.includes(new URL(given).protocol);
      return fits ? given : wrong(name, `an address that starts with ${protocols.join('// or ')}//`);
    },
    port: (name: string) => {
      const given = environment[name] ?? '';
      if (/^\d{1,5}$/.test(given) && Number(given) <= 65_535) return Number(given);
      wrong(name, 'a port from 0 to 65535');
      return 0;
    },
    folder: (name: string) => {
      const given = environment[name] ?? '';
      return isAbsolute(given) ? given : wrong(name, 'the absolute path of a folder');
    },
    key: (name: string) => {
      const given = environment[name] ?? '';
      return /^[0-9a-f]{64}$/i.test(given) ? given.toLowerCase() : wrong(name, '64 hexadecimal digits');
    },
    /** What is joined by commas. */
    list: (name: string, { preset = '', min = 0, fits, expected }: ListForm) => {
      const given = (environment[name] ?? preset).split(',').filter((one) => one !== '');
      if (given.length >= min && given.every(fits)) return given;
      wrong(name, expected);
      return [];
    },
    reach: (name: string): Config['webhookReach'] => {
      const given = environment[name] || 'public';
      return given === 'public' || given === 'private' ? given : wrong(name, 'public or private') || 'public';
    },
    /** A provider over plain HTTP could be anybody, except on this machine. */
    provider: (name: string, preset = '') => {
      const given = environment[name] || preset;
      const url = URL.canParse(given) ? new URL(given) : null;
      const local = url?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
      return url !== null && (url.protocol === 'https:' || local)
        ? given
        : wrong(name, 'an address that starts with https://');
    },
    /** The value itself, or a file that holds it, in a variable of the same name with _FILE. */
    secret: (name: string) => {
      const file = environment[`${name}_FILE`];
      const given = file === undefined ? environment[name] : contentOf(file);
      return given || wrong(name, `a secret, or a readable file in ${name}_FILE`);
    },
    workspace: (name: string): WorkspaceId => {
      const given = environment[name] ?? '';
      if (isId('wsp', given)) return given;
      wrong(name, 'the id of a workspace');
      return 'wsp_';
    },
    zone: (name: string, preset: string) => {
      const given = environment[name] || preset;
      return isZone(given) ? given : wrong(name, 'a time zone such as Europe/Berlin');
    },
    finish: () => {
      if (problems.length > 0) throw new ConfigProblem(problems);
    },
  };
}

interface ListForm {
  readonly preset?: string;
  /** At least so many. */
  readonly min?: number;
  readonly fits: (one: string) => boolean;
  readonly expected: string;
}

/** Words of one form. */
function wordsOf(form: RegExp, expected: string): ListForm {
  return { fits: (one) => form.test(one), expected: `${expected}, joined by commas` };
}

/** GitHub Actions and GitLab; whoever trusts none of them says `PROVISO_WORKLOAD_ISSUERS=`. */
const issuers: ListForm = {
  preset: 'https://token.actions.githubusercontent.com,https://gitlab.com',
  fits: isIssuer,
  expected: 'addresses that start with https://, joined by commas, without a slash at the end',
};

const origins: ListForm = {
  fits: (one) => URL.canParse(one) && new URL(one).origin === one,
  expected: 'origins such as https://status.example, joined by commas',
};

/** Plain HTTP is for this machine alone: anybody on the way could answer with keys of their own. */
function isIssuer(address: string): boolean {
  if (!URL.canParse(address) || address.endsWith('/')) return false;
  const { protocol, hostname, search, hash, username } = new URL(address);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && hostname === '127.0.0.1');
  return isSafe && search === '' && hash === '' && username === '';
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
