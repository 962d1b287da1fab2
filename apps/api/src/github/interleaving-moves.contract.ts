import { setTimeout as pause } from 'node:timers/promises';
import type { FakeCheckRun, FakeGitHubApp, FakeGitHubDeed, FakeGitHubNote } from '@proviso/testkit';
import type { Approver, Play, PromptRow } from '../slack/interleaving.contract.ts';
import { repositoryOf } from './github-config.contract.ts';
import { checkOf } from './github.contract.ts';

/** As often as somebody delivers again what was not answered. */
const triesMax = 100;

/** Delivers a deed until what came of it is known, as an operator does who looks through the list of deliveries. */
export async function deliverSurely({ atGitHub }: Play, deed: FakeGitHubDeed): Promise<void> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const answer = await deed.send().catch(() => null);
    const outcome = answer?.status === 202 ? (answer.outcome ?? '') : 'do it again';
    if (!/not known|do it again/.test(outcome)) {
      atGitHub.set(deed, outcome);
      return;
    }
    await pause(50);
  }
  throw new Error('expected a delivery to be answered');
}

/** Presses whatever once stood on the check run. */
export async function pressAtGitHub(play: Play, { account }: Approver): Promise<void> {
  const check = checkOf({ github: githubIn(play) }, play.scene.promotion);
  const action = check?.drawn[Math.floor(play.lane.random() * check.drawn.length)];
  if (check !== null && action !== undefined) await deliverSurely(play, account.press(check, action.identifier));
}

/** Writes a vote below the pull request. */
export async function writeAtGitHub(play: Play, { account }: Approver): Promise<void> {
  const words = play.lane.random() < 0.7 ? '/proviso approve' : '/proviso request-changes not like this';
  await deliverSurely(play, account.write(repositoryOf(play.scene.prototype), words));
}

/** The fake of a play. */
export function githubIn({ lane }: Pick<Play, 'lane'>): FakeGitHubApp {
  const { github } = lane.ground;
  if (github === null) throw new Error('expected a GitHub');
  return github;
}

/** What stands at GitHub about a play in the end: its check runs but those that were withdrawn, and its comments. */
export function standingAtGitHub(play: Play): {
  readonly checks: readonly FakeCheckRun[];
  readonly comments: readonly FakeGitHubNote[];
} {
  const github = githubIn(play);
  const address = `gate_${play.scene.promotion.slice('prm_'.length)}-approval`;
  const checks = github.checks.filter(
    ({ detailsUrl, name }) => detailsUrl?.endsWith(address) && name !== 'Proviso (withdrawn)',
  );
  const repository = repositoryOf(play.scene.prototype);
  const comments = github.notes.filter(
    (note) => note.repository === repository && note.body.startsWith('<!-- proviso '),
  );
  return { checks, comments };
}

/** Whether a registered copy stands at GitHub. */
export function isAtGitHub({ key }: PromptRow): boolean {
  return /\/(check|comment|deployment)$/.test(key);
}
