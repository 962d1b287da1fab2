import { createHash } from 'node:crypto';
import type { Ask } from '../bulletin.ts';

/** GitHub shows at most three actions on a check run, each with so many letters. */
export interface GitHubAction {
  readonly label: string;
  readonly description: string;
  readonly identifier: string;
}

/** What a vote is bound to, as it was shown with an action. */
export interface Offered {
  readonly token: string;
  readonly attempt: number;
  readonly artifact: string;
  readonly evidenceDigest: string;
}

/** Twenty letters are all that comes back with a press. */
const identifierMax = 20;
const prefix = 'approve-';

/**
 * Names what was shown with an action in the letters that there are: 72 bits over the copy's token, the attempt and both
 * digests. A press on anything else than what is current has another one, and whoever does not know the token, which
 * stands nowhere at GitHub, can make none.
 */
export function identifierOf({ token, attempt, artifact, evidenceDigest }: Offered): string {
  const shown = JSON.stringify([token, attempt, artifact, evidenceDigest]);
  return (prefix + createHash('sha256').update(shown).digest('base64url')).slice(0, identifierMax);
}

/** The form of an identifier of ours. */
export function isIdentifier(text: string): boolean {
  return /^approve-[A-Za-z0-9_-]{12}$/.test(text);
}

/** The only vote that can be pressed, since any other wants a reason, and a check run has nowhere to write one. */
export function approveAction(offered: Offered): GitHubAction {
  return { label: 'Approve', description: 'This very version, as shown here', identifier: identifierOf(offered) };
}

/** False where the policy wants people elsewhere: then there is only the way to that place. */
export function isDecidedHere({ stepUp, channels }: Pick<Ask, 'stepUp' | 'channels'>): boolean {
  return !stepUp && (channels === null || channels.includes('github'));
}
