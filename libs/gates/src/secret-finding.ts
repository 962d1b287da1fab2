import { excerpt } from './redaction.ts';
import type { GateReason } from './outcome.ts';

/** Where a secret stands and which rule saw it; never the secret itself. Line and column count from 1. */
export interface SecretFinding {
  readonly rule: string;
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** What a rule's finding is called in plain words; a rule that is not listed is called by its name. */
const plainNames: Readonly<Record<string, string>> = {
  'service-role-key': 'a key that reads and writes the whole database (service role)',
  anthropic: 'an Anthropic API key',
  aws: 'an Amazon Web Services key',
  basicauth: 'an address with a password in it',
  'database-connection-string': 'a database address with a password in it',
  gcp: 'a Google Cloud key',
  github: 'a GitHub token',
  gitlab: 'a GitLab token',
  npm: 'an npm token',
  openai: 'an OpenAI API key',
  privatekey: 'a private key',
  sendgrid: 'a SendGrid e-mail key',
  slack: 'a Slack token',
  stripe: 'a Stripe payment key',
};

/** The finding for a builder: where, what, and a fix that can be pasted into the tool that wrote the code. */
export function reasonOf(finding: SecretFinding): GateReason {
  const what = plainNames[finding.rule] ?? `a secret (${finding.rule})`;
  const file = excerpt(finding.path, 300);
  return {
    code: finding.rule === 'service-role-key' ? 'service_role_key_found' : 'secret_found',
    message: `${file}, line ${finding.line}, holds what looks like ${what}; delete it there, make a new one where it came from because this one is known now, and read it from an environment variable instead`,
    file,
    line: finding.line,
  };
}

/** Line and column of an offset. */
export function positionAt(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}
