import { createHash } from 'node:crypto';
import {
  type GitHubAnswers,
  type GitHubApp,
  type GitHubMessage,
  type Outlet,
  openGitHubAnswers,
  openGitHubApp,
  openGitHubOutlet,
} from '@proviso/channels';
import type { PromptRegister, WorkspaceId } from '@proviso/domain';
import { type Aside, openAside } from '../aside.ts';
import { boundedMap } from '../bounded-map.ts';
import type { GitHubConfig } from '../config.ts';
import type { Parts } from '../parts.ts';
import { type AnswerLimit, openAnswerLimit } from './answer-limit.ts';
import { githubEvents } from './github-events.ts';

/** Everything that answering GitHub takes. */
export interface GitHubParts extends Omit<Parts, 'slack' | 'github'> {
  readonly github: GitHubConfig;
  readonly app: GitHubApp;
  readonly answers: GitHubAnswers;
  readonly register: PromptRegister;
  readonly limit: AnswerLimit;
  /** Does what nobody waits for; what breaks in it is logged. */
  readonly aside: Aside['aside'];
}

/** What came of an event, in a line for the list of deliveries that the App's owner sees. */
export interface GitHubOutcome {
  readonly outcome: string;
  /** False when the same may be sent again to find out. */
  readonly isSure: boolean;
}

/** An event as it came, after its signature was found good. */
export interface HeardEvent {
  readonly payload: unknown;
  /** The digest of its very bytes: whoever sends them again does nothing new. */
  readonly digest: string;
}

/** Where people are answered at GitHub. It decides nothing: each change goes to the journal, with the person's own rights. */
export interface GitHubDesk {
  readonly workspace: WorkspaceId;
  readonly webhookSecret: string;
  /** Also for whoever else speaks at GitHub. */
  readonly app: GitHubApp;
  readonly outlet: Outlet<GitHubMessage>;
  /** Answers when whatever was decided is durable. Null: nothing of ours. */
  readonly hear: (event: string, body: string) => Promise<string | null>;
  /** Resolves when nothing more is being said to anybody. */
  readonly idle: () => Promise<void>;
}

/** GitHub asks who writes there to do so one after the other; and whoever is still to be heard comes before answers. */
const asideLimits = { atOnce: 2, waitMsMax: 60_000 };

/** Deliveries that are remembered: GitHub lets its own be sent again for three days, and few ever are. */
const heardMax = 10_000;

/** Opens the desk of one App. */
export function openGitHubDesk(parts: Omit<Parts, 'slack' | 'github'>, github: GitHubConfig): GitHubDesk {
  const { appId, privateKey, webhookSecret, workspace } = github;
  const app = openGitHubApp({ apiUrl: parts.config.githubApi, appId, privateKey }, parts.now);
  // What was decided stands, and the check of its promotion will show it.
  const { aside, idle } = openAside(parts, 'github did not take an answer', asideLimits);
  const all: GitHubParts = {
    ...{ ...parts, github, app, aside, answers: openGitHubAnswers(app) },
    register: parts.journal.prompts(workspace, 'github'),
    limit: openAnswerLimit(parts.now),
  };
  return {
    ...{ workspace, webhookSecret, app, outlet: openGitHubOutlet(app) },
    hear: openHearing(all),
    idle,
  };
}

/**
 * Hears each body once: sent again, under whatever number, it is answered with what came of it. The journal would take it
 * once anyway, by the same digest; here it is also said once. A body whose end is not known may be sent again.
 */
function openHearing(parts: GitHubParts): GitHubDesk['hear'] {
  const heard = boundedMap<string, Promise<GitHubOutcome>>(heardMax);
  return async (event, body) => {
    const hear = Object.hasOwn(githubEvents, event) ? githubEvents[event] : undefined;
    if (hear === undefined) return null;
    const digest = createHash('sha256').update(body).digest('hex');
    const known = heard.get(digest) ?? hear(parts, { payload: JSON.parse(body) as unknown, digest });
    heard.set(digest, known);
    try {
      const { outcome, isSure } = await known;
      if (!isSure) heard.delete(digest);
      return outcome;
    } catch (error) {
      heard.delete(digest);
      throw error;
    }
  };
}
