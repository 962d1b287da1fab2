import type { FolderView } from './folder-view.ts';

/** A name or a host that the code uses, and where it was first seen. */
export interface Need {
  readonly name: string;
  readonly file: string;
}

/** What the code asks its surroundings for. */
export interface Needs {
  /** Plain variables of the running prototype. */
  readonly variables: readonly Need[];
  readonly secrets: readonly Need[];
  /** Variables that a bundler puts into what every visitor loads. */
  readonly publicVariables: readonly Need[];
  readonly hosts: readonly Need[];
}

const sources = /\.([cm]?[jt]sx?|py|vue|svelte)$/;
/** Tests and settings of tools are no part of what runs. */
const besides = /(^|\/)(tests?|__tests__|spec|e2e)\/|\.(test|spec|config)\.[^/]+$/;
/** The contract's own bound for each of these lists. */
const namesMax = 50;

const uses: readonly RegExp[] = [
  /\bprocess\.env\.([A-Z_][A-Z0-9_]{0,80})\b/g,
  /\bprocess\.env\[['"]([A-Z_][A-Z0-9_]{0,80})['"]\]/g,
  /\bimport\.meta\.env\.([A-Z_][A-Z0-9_]{0,80})\b/g,
  /\bos\.(?:environ\[|environ\.get\(|getenv\()\s*['"]([A-Z_][A-Z0-9_]{0,80})['"]/g,
];
/** Set by whoever runs a program, or by the bundler itself. */
const given =
  /^(PORT|HOST|HOSTNAME|NODE_ENV|CI|PATH|HOME|TMPDIR|TZ|LANG|PWD|MODE|DEV|PROD|SSR|BASE_URL|NEXT_RUNTIME|(VERCEL|REPL|REPLIT|npm)_.*)$/;
const shownToVisitors = /^(VITE|NEXT_PUBLIC|REACT_APP|PUBLIC|NUXT_PUBLIC)_/;
const secretName =
  /SECRET|TOKEN|PASSWORD|PASSWD|PRIVATE|CREDENTIAL|API_?KEY|ACCESS_?KEY|_KEY$|_DSN$|WEBHOOK|CONNECTION_?STRING|^(DATABASE|MONGO\w*|REDIS|POSTGRES\w*)_UR[IL]$/;
/** Meant to be public by those who issue them; everything else that looks like a key is not. */
const publicKey = /ANON_KEY|PUBLISHABLE|PUBLIC_KEY|SITE_KEY|MEASUREMENT_ID|FIREBASE_API_KEY|MAPS?_API_KEY/;

/** Kits that talk to one well-known host. */
const kitHosts: Readonly<Record<string, string>> = {
  openai: 'api.openai.com',
  '@ai-sdk/openai': 'api.openai.com',
  '@anthropic-ai/sdk': 'api.anthropic.com',
  '@ai-sdk/anthropic': 'api.anthropic.com',
  anthropic: 'api.anthropic.com',
  '@google/genai': 'generativelanguage.googleapis.com',
  '@google/generative-ai': 'generativelanguage.googleapis.com',
  'google-genai': 'generativelanguage.googleapis.com',
  'google-generativeai': 'generativelanguage.googleapis.com',
  '@mistralai/mistralai': 'api.mistral.ai',
  mistralai: 'api.mistral.ai',
  'groq-sdk': 'api.groq.com',
  groq: 'api.groq.com',
  stripe: 'api.stripe.com',
  resend: 'api.resend.com',
  '@sendgrid/mail': 'api.sendgrid.com',
  sendgrid: 'api.sendgrid.com',
  '@slack/web-api': 'slack.com',
};

/** Kits that talk to a project's own host, which only a variable or a person can tell. */
const ownHostKits = ['@supabase/supabase-js', '@supabase/ssr', 'supabase'];

const hostName = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** Names of vocabularies and of examples, which nobody connects to. */
const neverCalled = /(^|\.)(w3\.org|schema\.org|json-schema\.org|example\.(com|org|net)|localhost|local|test|invalid)$/;

/** Reads what the code uses by name. `packages` are all that it installs, with the file that lists them. */
export function findNeeds(
  view: FolderView,
  packages: { readonly names: readonly string[]; readonly file: string },
): Needs {
  const names = new Map<string, string>();
  const hosts = new Map<string, string>();
  for (const name of packages.names) {
    const host = Object.hasOwn(kitHosts, name) ? kitHosts[name] : undefined;
    if (host !== undefined) hosts.set(host, packages.file);
  }
  for (const file of view.paths.filter((path) => sources.test(path) && !besides.test(path))) {
    const text = view.text(file) ?? '';
    for (const name of uses.flatMap((use) => [...text.matchAll(use)].map(([, found]) => found ?? ''))) {
      if (!given.test(name) && !names.has(name)) names.set(name, file);
    }
    for (const host of calledHosts(text)) if (!hosts.has(host)) hosts.set(host, file);
  }
  const all = sorted(names);
  const rest = all.filter(({ name }) => !shownToVisitors.test(name));
  return {
    variables: rest.filter(({ name }) => !isSecretName(name)).slice(0, namesMax),
    secrets: rest.filter(({ name }) => isSecretName(name)).slice(0, namesMax),
    publicVariables: all.filter(({ name }) => shownToVisitors.test(name)).slice(0, namesMax),
    hosts: sorted(hosts).slice(0, namesMax),
  };
}

/** True for a name under which one expects a value that opens something. */
export function isSecretName(name: string): boolean {
  return secretName.test(name) && !publicKey.test(name);
}

/** The kit whose host nobody can see in the code. */
export function ownHostKit(packages: readonly string[]): string | undefined {
  return ownHostKits.find((kit) => packages.includes(kit));
}

function calledHosts(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    // What a page links to is opened by visitors, and a comment calls nobody.
    if (/^\s*(\/\/|\*|#)/.test(line)) return [];
    return [
      ...line.matchAll(/(?<!(?:href|src|xmlns)=\{?["'`])\bhttps?:\/\/([a-z0-9.-]{1,253})(:[1-9][0-9]{0,4})?/gi),
    ].flatMap(([, name = '', port = '']) => {
      const host = name.toLowerCase();
      if (!hostName.test(host) || neverCalled.test(host) || Number(port.slice(1)) > 65_535) return [];
      return [port === ':443' || port === ':80' ? host : host + port];
    });
  });
}

function sorted(found: ReadonlyMap<string, string>): readonly Need[] {
  return [...found].map(([name, file]) => ({ name, file })).sort((a, b) => (a.name < b.name ? -1 : 1));
}
