import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { approveAtGitHub } from './github-decision.ts';
import { signIn } from './signed-in.ts';
import { approveInSlack } from './slack-decision.ts';

/** One person's try to approve the gate at which a promotion waits. */
export interface ApprovalTry {
  readonly apiUrl: string;
  readonly token: string;
  readonly promotion: string;
}

/** What a channel told the person. */
export interface Told {
  readonly recorded: boolean;
  /** True when this very vote closed the quorum. */
  readonly passed: boolean;
  /** The closed code of a no; null for a vote that was recorded, or when the channel could not even ask. */
  readonly code: string | null;
  /** The HTTP status, or what the process ended with. */
  readonly status: number;
}

/** One way by which people decide. A test that goes over all of them holds for the next one as soon as it has a row. */
export interface DecisionChannel {
  readonly name: 'REST' | 'CLI' | 'page' | 'Slack' | 'GitHub';
  readonly approve: (order: ApprovalTry) => Promise<Told>;
  /** How this channel says each kind of no. */
  readonly says: { readonly unauthenticated: number; readonly notAllowed: number };
}

/** Every channel there is. */
export const decisionChannels: readonly DecisionChannel[] = [
  { name: 'REST', approve: approveOverRest, says: { unauthenticated: 401, notAllowed: 403 } },
  { name: 'CLI', approve: approveOverCli, says: { unauthenticated: 4, notAllowed: 5 } },
  { name: 'page', approve: approveOnPage, says: { unauthenticated: 401, notAllowed: 403 } },
  // The press itself is always answered; what came of it is told to its person.
  { name: 'Slack', approve: approveInSlack, says: { unauthenticated: 401, notAllowed: 200 } },
  { name: 'GitHub', approve: approveAtGitHub, says: { unauthenticated: 401, notAllowed: 202 } },
];

interface ShownGate {
  readonly id: string;
  readonly artifactDigest: string;
  readonly evidenceDigest: string | null;
}

/** As a program does: look, then vote on exactly what was shown. A gate that waits no more is voted on all the same. */
async function approveOverRest({ apiUrl, token, promotion }: ApprovalTry): Promise<Told> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const looked = await fetch(`${apiUrl}/v1/promotions/${promotion}`, { headers });
  const found = (await looked.json()) as { readonly gates?: readonly ShownGate[]; readonly code?: string };
  // Whoever may not read may still try: what stands at the gate's address is known to all who know the promotion's.
  const gate = found.gates?.find(({ id }) => id.endsWith('-approval'));
  const digest = `sha256:${'0'.repeat(64)}`;
  const artifactDigest = gate?.artifactDigest ?? digest;
  const evidenceDigest = gate?.evidenceDigest ?? digest;
  const address = `${apiUrl}/v1/gates/gate_${promotion.slice('prm_'.length)}-approval/decisions`;
  const answer = await fetch(address, {
    method: 'POST',
    headers: { ...headers, 'idempotency-key': randomUUID() },
    body: JSON.stringify({ verdict: 'approve', artifactDigest, evidenceDigest }),
  });
  const told = (await answer.json()) as { readonly code?: string; readonly passed?: boolean };
  const { status } = answer;
  return { recorded: status === 201, passed: told.passed === true, code: told.code ?? null, status };
}

const commandFile = fileURLToPath(new URL('../../../apps/cli/src/main.ts', import.meta.url));

/** A real process, as a person at a terminal starts it. */
async function approveOverCli({ apiUrl, token, promotion }: ApprovalTry): Promise<Told> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [commandFile, 'approve', promotion, '--json'], {
    env: { PATH, HOME, PROVISO_URL: apiUrl, PROVISO_TOKEN: token },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)));
  const [said, troubles] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const status = await closed;
  if (status !== 0) {
    const code = /\(([a-z_]+)\)$/m.exec(troubles)?.[1] ?? null;
    return { recorded: false, passed: false, code, status };
  }
  return { recorded: true, passed: (JSON.parse(said) as { passed?: boolean }).passed === true, code: null, status };
}

/** The page that everybody may see who is signed in. */
const pageOfAll = `/login/cli?port=40000&challenge=${'c'.repeat(43)}&state=${'s'.repeat(20)}`;

/** As somebody in a browser does: sign in with their token, look at the page, send its form. */
async function approveOnPage({ apiUrl, token, promotion }: ApprovalTry): Promise<Told> {
  const pages = await signIn({ apiUrl, token });
  if (pages.status !== 303) return { recorded: false, passed: false, code: 'unauthenticated', status: pages.status };
  const path = `/decide/gate_${promotion.slice('prm_'.length)}-approval`;
  // Whoever may not read may still try, with the proof that another page of theirs carries.
  const looked = await pages.look(path);
  const page = looked.includes('name="form"') ? looked : await pages.look(pageOfAll);
  const shown = (pattern: RegExp, otherwise: string) => pattern.exec(page)?.[1] ?? otherwise;
  const digest = `sha256:${'0'.repeat(64)}`;
  const answer = await pages.send(path, {
    ...{ form: shown(/name="form" value="([^"]+)"/, ''), key: randomUUID(), verdict: 'approve', reason: '' },
    attempt: shown(/<th scope="row">Attempt<\/th><td>(\d+)/, '1'),
    artifactDigest: shown(/<th scope="row">Files<\/th><td><code>(sha256:\w+)/, digest),
    evidenceDigest: shown(/<th scope="row">Evidence<\/th><td><code>(sha256:\w+)/, digest),
  });
  const said = await answer.text();
  const recorded = answer.status === 303;
  const code = recorded ? null : (/data-code="(\w+)"/.exec(said)?.[1] ?? null);
  return { recorded, passed: recorded && said.includes('data-passed="true"'), code, status: answer.status };
}
