import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a CI system gives a run to say which one it is. */
export interface PipelineConfig {
  /** The token itself, as GitLab gives it under a name that the job chooses. */
  readonly idToken: string | undefined;
  /** Where, and with what, a run at GitHub asks for its token. */
  readonly requestUrl: string | undefined;
  readonly requestToken: string | undefined;
}

/** All that the command reads from its surroundings, parsed once. */
export interface CommandConfig {
  /** An API to talk to instead of the local deployment. */
  readonly url: string | undefined;
  readonly token: string | undefined;
  /** Key of the local person in whose name to speak. */
  readonly person: string | undefined;
  readonly dataFolder: string;
  /** The checkout: where the apps, the policies and the note of the tools lie. */
  readonly projectRoot: string;
  /** A Temporal server elsewhere; then `up` starts none. */
  readonly temporalAddress: string | undefined;
  /** What a child process needs to find programs and its temporary folder, and nothing else of ours. */
  readonly childEnvironment: Readonly<Record<string, string>>;
  /** What npm and pip are asked with, where they take packages from; it may name mirrors and reaches nothing else. */
  readonly registryEnvironment: Readonly<Record<string, string>>;
  /** How the API of `up` reaches the places where people are asked; docs/slack.md and docs/github.md say what stands there. */
  readonly channelEnvironment: Readonly<Record<string, string>>;
  readonly pipeline: PipelineConfig;
  readonly color: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Names that reach a child process. Anything else may be a secret of the person who started us. */
const passedOn = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'TZ', 'SystemRoot', 'TEMP', 'TMP'];

/** Reads the variables; `npm start` and a shell in another folder both find the same deployment only by `--data`. */
export function parseConfig(environment: Environment, workingFolder: string): CommandConfig {
  const childEnvironment: Record<string, string> = {};
  for (const name of passedOn) {
    const value = environment[name];
    if (value !== undefined) childEnvironment[name] = value;
  }
  const registryEnvironment = Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && (name in childEnvironment || /^(npm_config_|PIP_)/i.test(name)) ? [[name, value]] : [],
    ),
  );
  const channelEnvironment = Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && /^PROVISO_(SLACK|GITHUB)_/.test(name) ? [[name, value]] : [],
    ),
  );
  return Object.freeze({
    registryEnvironment,
    channelEnvironment,
    url: present(environment.PROVISO_URL),
    token: present(environment.PROVISO_TOKEN),
    person: present(environment.PROVISO_AS),
    dataFolder: resolve(workingFolder, present(environment.PROVISO_DATA) ?? '.proviso'),
    projectRoot: resolve(dirname(fileURLToPath(import.meta.url)), '../../..'),
    temporalAddress: present(environment.TEMPORAL_ADDRESS),
    childEnvironment: Object.freeze(childEnvironment),
    pipeline: Object.freeze({
      idToken: present(environment.PROVISO_ID_TOKEN),
      requestUrl: present(environment.ACTIONS_ID_TOKEN_REQUEST_URL),
      requestToken: present(environment.ACTIONS_ID_TOKEN_REQUEST_TOKEN),
    }),
    color: present(environment.NO_COLOR) === undefined,
  });
}

/** The variables of this very process. */
export function currentConfig(): CommandConfig {
  return parseConfig(process.env, process.cwd());
}

function present(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}
