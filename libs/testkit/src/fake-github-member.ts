import { createHmac, randomUUID } from 'node:crypto';
import type { components } from '@octokit/openapi-types/types.d.ts';
import type { FakeCheckRun, FakeGitHubNote, FakeGitHubState } from './fake-github-app.ts';
import type { Part } from './fake-github-routes.ts';

type Schemas = components['schemas'];

/** What GitHub was answered: a status, and the words that its list of deliveries shows. */
export interface FakeGitHubDelivery {
  readonly status: number;
  readonly outcome: string | null;
}

/** Something done, as GitHub sends it: each `send` is the same body again, under a delivery of its own. */
export interface FakeGitHubDeed {
  readonly send: () => Promise<FakeGitHubDelivery>;
  /** The answer that stands there after it was sent, its own and nobody else's: the same words as in the list of deliveries. */
  readonly told: () => Promise<string>;
  /** What is sent, to be spoilt by a test. */
  readonly request: { readonly body: string; readonly headers: Readonly<Record<string, string>> };
  /** The comment that it was, with what was made of it; null for a press. */
  readonly note: FakeGitHubNote | null;
}

/** Somebody at GitHub. */
export interface FakeGitHubMember {
  readonly user: number;
  /** Presses what once stood on a check run. */
  readonly press: (check: FakeCheckRun, identifier: string) => FakeGitHubDeed;
  /** Writes below the pull request of a repository; `action` is what became of the comment. */
  readonly write: (repository: string, body: string, more?: Writing) => FakeGitHubDeed;
}

/** How a comment comes about. */
export interface Writing {
  readonly action?: 'created' | 'edited' | 'deleted';
  readonly createdAt?: number;
  readonly type?: 'User' | 'Bot';
  /** Below an issue, which has no commit. */
  readonly isIssue?: boolean;
  /** Whose words they are, when somebody else has changed them. */
  readonly writer?: number;
  /** The App that wrote them in that person's name. */
  readonly app?: number;
}

/** GitHub gives up after ten seconds. */
const answerMsMax = 10_000;
/** A busy machine takes its time; without any bound a test would hang instead of failing. */
const toldMsMax = 30_000;

/** Signs a body as GitHub does: the old header beside the one that counts. */
export function signedAsGitHub(secret: string, body: string | Buffer) {
  const mac = (kind: string): string => `${kind}=${createHmac(kind, secret).update(body).digest('hex')}`;
  return { 'x-hub-signature': mac('sha1'), 'x-hub-signature-256': mac('sha256') };
}

/** Makes members of this GitHub. */
export function openGitHubMembers(state: FakeGitHubState): (user: number) => FakeGitHubMember {
  return (user) => ({
    user,
    press: (check, identifier) => {
      const payload: Part<Schemas['webhook-check-run-requested-action']> = {
        ...{ action: 'requested_action', repository: repositoryOf(check.repository), sender: senderOf(user, 'User') },
        check_run: {
          id: check.id,
          head_sha: check.headSha,
          external_id: check.externalId ?? '',
          app: { id: state.appId },
        },
        requested_action: { identifier },
      };
      return deedOf(state, { event: 'check_run', payload, note: null });
    },
    write: (repository, body, more = {}) => {
      const { action = 'created', createdAt = Date.now(), type = 'User', isIssue = false, writer = user, app } = more;
      const note = noteOf(state, { repository, body, createdAt, user });
      const pull = isIssue ? {} : { pull_request: { url: 'https://api.github.example/pulls/1' } };
      const payload: Part<Schemas['webhook-issue-comment-created']> = {
        ...{ action: action as 'created', repository: repositoryOf(repository), sender: senderOf(user, type) },
        issue: { number: 1, title: '## PASSED @everyone', ...pull },
        comment: {
          id: note.id,
          body,
          created_at: secondsOf(createdAt),
          user: { id: writer, login: '@everyone' },
          performed_via_github_app: app === undefined ? null : { id: app, name: 'an assistant' },
        },
      };
      return deedOf(state, { event: 'issue_comment', payload, note });
    },
  });
}

function repositoryOf(repository: string): Part<Schemas['repository-webhooks']> {
  return { full_name: repository, private: true };
}

function senderOf(id: number, type: 'User' | 'Bot'): Part<Schemas['simple-user']> {
  return { id, login: '[PASSED](https://evil.example)', type };
}

/** GitHub tells whole seconds. */
function secondsOf(ms: number): string {
  return new Date(Math.floor(ms / 1_000) * 1_000).toISOString().replace('.000', '');
}

function noteOf(
  state: FakeGitHubState,
  { repository, body, createdAt, user }: { repository: string; body: string; createdAt: number; user: number },
): FakeGitHubNote {
  const note: FakeGitHubNote = {
    ...{ id: state.drawId(), repository, pull: 1, commit: null, app: null, user, createdAt, body },
    ...{ bodies: [body], times: [createdAt], reactions: [] },
  };
  state.notes.push(note);
  return note;
}

/** An event with its payload. */
export interface Happened {
  readonly event: string;
  readonly payload: object;
  readonly note: FakeGitHubNote | null;
}

/** Makes something that happens at this GitHub ready to be sent. */
export function deedOf(state: FakeGitHubState, { event, payload, note }: Happened): FakeGitHubDeed {
  // No two things that happen have the same body: GitHub sends along when the repository was changed last, and more.
  const body = JSON.stringify({ ...payload, installation: { id: 1, node_id: randomUUID() } });
  const headers = {
    'content-type': 'application/json',
    'x-github-event': event,
    ...signedAsGitHub(state.webhookSecret, body),
  };
  const { full_name: repository = '' } =
    (payload as { readonly repository?: { readonly full_name?: string } }).repository ?? {};
  let [outcome, answer]: [string | null, Promise<FakeGitHubNote> | null] = [null, null];
  return {
    ...{ request: { body, headers }, note },
    send: async () => {
      const heard = await fetch(state.eventsUrl, {
        ...{ method: 'POST', body, signal: AbortSignal.timeout(answerMsMax) },
        headers: { ...headers, 'x-github-delivery': randomUUID() },
      });
      const told = JSON.parse((await heard.text()) || '{}') as { readonly outcome?: string };
      if (heard.status === 202) outcome = told.outcome ?? null;
      return { status: heard.status, outcome: told.outcome ?? null };
    },
    told: async () => (await (answer ??= answerIn(state, { repository, outcome }))).body,
  };
}

/**
 * Waits for the words as an answer of the App in that repository; nobody else makes one that begins like it. Each answer
 * is taken once, so two people who are told the same words need two.
 */
async function answerIn(
  { notes, taken, appId }: FakeGitHubState,
  { repository, outcome }: { readonly repository: string; readonly outcome: string | null },
): Promise<FakeGitHubNote> {
  if (outcome === null) throw new Error('expected a delivery that was answered');
  const endsAt = performance.now() + toldMsMax;
  const isIt = ({ id, app, body, ...at }: FakeGitHubNote): boolean =>
    app === appId &&
    at.repository.toLowerCase() === repository.toLowerCase() &&
    !taken.has(id) &&
    body.startsWith(`\`${outcome.slice(0, 600)}`);
  while (performance.now() < endsAt) {
    const answer = notes.find(isIt);
    if (answer !== undefined) {
      taken.add(answer.id);
      return answer;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`expected an answer at GitHub, got none: ${outcome}`);
}
