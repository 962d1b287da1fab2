import { createHash } from 'node:crypto';
import type { ApprovalTry, Told } from './decision-channel.ts';
import { type FakeGitHubApp, githubOf } from './fake-github-app.ts';
import { type OutsidePlace, approveOutside } from './outside-decision.ts';
import { signIn } from './signed-in.ts';

/** As somebody at GitHub does: look at the check run, press, and read the answer there. */
export async function approveAtGitHub(order: ApprovalTry): Promise<Told> {
  const { apiUrl, token } = order;
  const github = githubOf(apiUrl);
  const user = githubUserOf(token);
  const link = async () => await linkAtGitHub({ apiUrl, token, github, user });
  return await approveOutside({ name: 'GitHub', link, pressOn: pressesOf(github, user) }, order);
}

/** The account of whoever has this token. */
export function githubUserOf(token: string): number {
  return Number.parseInt(createHash('sha256').update(token).digest('hex').slice(0, 10), 16) + 1;
}

/** An account, and whose it is to be. */
export interface GitHubLinking {
  readonly apiUrl: string;
  readonly token: string;
  readonly github: FakeGitHubApp;
  readonly user: number;
}

/** Signs in, puts the mark of the page into the profile, and says so. 200, or what the sign-in was answered with. */
export async function linkAtGitHub({ apiUrl, token, github, user }: GitHubLinking): Promise<number> {
  const pages = await signIn({ apiUrl, token });
  if (pages.status !== 303) return pages.status;
  const page = await pages.look('/account');
  const shown = (pattern: RegExp): string => pattern.exec(page)?.[1] ?? '';
  const login = `somebody-${user}`;
  github.profiles.set(login, { id: user, bio: `hello ${shown(/<code>(proviso-[0-9a-f]+)<\/code>/)}` });
  const fields = { form: shown(/name="form" value="([^"]+)"/), key: shown(/name="key" value="([^"]+)"/), login };
  const done = await pages.send('/account/github', fields);
  if (done.status !== 303) throw new Error(`expected an account to be linked, got ${done.status}`);
  return 200;
}

function pressesOf(github: FakeGitHubApp, user: number): OutsidePlace['pressOn'] {
  return (gate, attempt) => {
    const check = github.checks.find(({ detailsUrl }) => detailsUrl?.endsWith(gate));
    const action = check?.drawn.at(-1);
    if (check === undefined || action === undefined) return null;
    if (attempt !== null && !check.summary.includes(`attempt ${attempt}.`)) return null;
    const deed = github.member(user).press(check, action.identifier);
    // What we say stands in backticks; a link may follow.
    return { send: deed.send, told: async () => /^`([^`]*)`/.exec(await deed.told())?.[1] ?? '' };
  };
}
