import { createHmac } from 'node:crypto';
import type { PersonId, WorkspaceId } from '@proviso/domain';
import { z } from 'zod';
import type { Config } from './config.ts';
import { Problem } from './problem.ts';

/** GitHub answers in a fraction of this; a person waits in front of the page meanwhile. */
const answerWithinMs = 5_000;

/** An account as GitHub tells it to anybody. The number is the account's for good; its name can be given to another. */
export interface GitHubAccount {
  readonly number: number;
  readonly bio: string;
}

const answer = z.object({ id: z.int().positive(), bio: z.string().nullish() });

/**
 * What a person puts into their profile at GitHub to show that it is theirs: only who is signed in there can. It is made
 * of our key and the person, so nothing is stored, and nobody can use what stands in somebody else's profile.
 */
export function profileMark(
  { vaultKeyHex }: Pick<Config, 'vaultKeyHex'>,
  { workspace, person }: { readonly workspace: WorkspaceId; readonly person: PersonId },
): string {
  const mac = createHmac('sha256', Buffer.from(vaultKeyHex, 'hex')).update(`github ${workspace} ${person}`);
  return `proviso-${mac.digest('hex').slice(0, 24)}`;
}

/** The account of that name; null when there is none. */
export async function githubAccount(
  { githubApi, githubToken }: Pick<Config, 'githubApi' | 'githubToken'>,
  login: string,
): Promise<GitHubAccount | null> {
  const headers = {
    accept: 'application/vnd.github+json',
    'user-agent': 'proviso',
    ...(githubToken !== null && { authorization: `Bearer ${githubToken}` }),
  };
  try {
    const response = await fetch(`${githubApi.replace(/\/$/, '')}/users/${encodeURIComponent(login)}`, {
      ...{ headers, redirect: 'error', signal: AbortSignal.timeout(answerWithinMs) },
    });
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`expected an account, got status ${response.status}`);
    const { id: number, bio } = answer.parse(await response.json());
    return { number, bio: bio ?? '' };
  } catch (cause) {
    throw away(cause);
  }
}

function away(cause: unknown): Problem {
  const problem = new Problem('source_unavailable', 'GitHub does not answer: try again in a minute', {
    retryAfterSeconds: 60,
  });
  problem.cause = cause;
  return problem;
}
