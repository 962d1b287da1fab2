import { createHash } from 'node:crypto';
import type { ApprovalTry, Told } from './decision-channel.ts';
import { type FakeCheckAction, type FakeCheckRun, type FakeGitHubApp, githubOf } from './fake-github-app.ts';

/** Check runs follow within a second or two; on a busy machine it may take longer. */
const checkMsMax = 20_000;

/** As somebody at GitHub does: link the account once, look at the check run, press, and read the answer there. */
export async function approveAtGitHub({ apiUrl, token, promotion }: ApprovalTry): Promise<Told> {
  const github = githubOf(apiUrl);
  const user = githubUserOf(token);
  const status = await linked({ apiUrl, token, github, user });
  if (status !== 200) return { recorded: false, passed: false, code: 'unauthenticated', status };
  const { check, action } = await pressable(github, { apiUrl, token, promotion });
  const deed = github.member(user).press(check, action.identifier);
  const answer = await deed.send();
  const said = await deed.told();
  const code = /\(([a-z_]+)\)`/.exec(said)?.[1] ?? null;
  const recorded = said.startsWith('`Recorded');
  return { recorded, passed: said.includes('has passed'), code: recorded ? null : code, status: answer.status };
}

/** The account of whoever has this token. */
export function githubUserOf(token: string): number {
  return Number.parseInt(createHash('sha256').update(token).digest('hex').slice(0, 10), 16) + 1;
}

/** By deployment and token: an account is linked once. */
const links = new Map<string, Promise<number>>();

interface Linking {
  readonly apiUrl: string;
  readonly token: string;
  readonly github: FakeGitHubApp;
  readonly user: number;
}

/** 200, or what the sign-in was answered with. */
async function linked(linking: Linking): Promise<number> {
  const key = `${linking.apiUrl} ${linking.token}`;
  const known = links.get(key) ?? link(linking);
  links.set(key, known);
  return await known;
}

/** Signs in, puts the mark of the page into the profile, and says so. */
async function link({ apiUrl, token, github, user }: Linking): Promise<number> {
  const post = async (path: string, fields: Readonly<Record<string, string>>, cookie = ''): Promise<Response> =>
    await fetch(`${apiUrl}${path}`, {
      ...{ method: 'POST', redirect: 'manual', body: new URLSearchParams(fields) },
      headers: { origin: apiUrl, ...(cookie === '' ? {} : { cookie }) },
    });
  const signedIn = await post('/login', { token });
  if (signedIn.status !== 303) return signedIn.status;
  const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const page = await (await fetch(`${apiUrl}/account`, { headers: { cookie } })).text();
  const shown = (pattern: RegExp): string => pattern.exec(page)?.[1] ?? '';
  const login = `somebody-${user}`;
  github.profiles.set(login, { id: user, bio: `hello ${shown(/<code>(proviso-[0-9a-f]+)<\/code>/)}` });
  const fields = { form: shown(/name="form" value="([^"]+)"/), key: shown(/name="key" value="([^"]+)"/), login };
  const done = await post('/account/github', fields, cookie);
  if (done.status !== 303) throw new Error(`expected an account to be linked, got ${done.status}`);
  return 200;
}

/** What can be pressed; whoever may look waits for what is asked now. */
async function pressable(
  github: FakeGitHubApp,
  { apiUrl, token, promotion }: ApprovalTry,
): Promise<{ readonly check: FakeCheckRun; readonly action: FakeCheckAction }> {
  const address = `gate_${promotion.slice('prm_'.length)}-approval`;
  const headers = { authorization: `Bearer ${token}` };
  const gate = (await (await fetch(`${apiUrl}/v1/gates/${address}`, { headers })).json()) as {
    readonly status?: string;
    readonly attempt?: number;
  };
  const wanted = gate.status === 'waiting' ? `attempt ${gate.attempt}.` : '';
  const endsAt = performance.now() + checkMsMax;
  while (performance.now() < endsAt) {
    const check = github.checks.find(({ detailsUrl }) => detailsUrl?.endsWith(address));
    const action = check?.drawn.at(-1);
    const isNow = wanted === '' || check?.summary.includes(wanted) === true;
    if (check !== undefined && action !== undefined && isNow) return { check, action };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`expected a check run about ${promotion} to press, got none`);
}
