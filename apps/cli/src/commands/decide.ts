import {
  addComment,
  advancePromotion,
  cancelPromotion,
  deferGate,
  pausePromotion,
  rerunGate,
  resumeLane,
  rollbackPromotion,
  trustPrototype,
  unpausePromotion,
} from '@proviso/client';
import { evidenceSummary, expectWaitingGate, sendVote, type Vote } from '../decision.ts';
import { ApiRefusal } from '../api.ts';
import { openInBrowser } from '../browser.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { expectPrototype, readPromotion } from '../reading.ts';
import type { Session } from '../session.ts';
import { Trouble } from '../trouble.ts';

/** Shows what the vote will be bound to and sends it. */
export async function decide(
  session: Session,
  id: string,
  { open = false, ...vote }: Vote & { readonly open?: boolean },
): Promise<ExitCode> {
  const api = session.api();
  const promotion = await readPromotion(api, id);
  const gate = expectWaitingGate(promotion);
  if (!session.json) session.print(evidenceSummary(promotion, gate));
  const answer = await sendVote(api, gate, vote).catch((error: unknown) => {
    throw atPage(error, `${api.url}/decide/${gate.id}`, open);
  });
  if (session.json) session.print(JSON.stringify({ promotion: id, verdict: vote.verdict, ...answer }));
  else session.print(`\n${wordsFor(vote, answer.passed)}`);
  return exitCodes.ok;
}

/** What is said to a promotion with a reason and nothing more, by the word for it. */
const steerings = {
  rollback: rollbackPromotion,
  cancel: cancelPromotion,
  pause: pausePromotion,
  unpause: unpausePromotion,
  advance: advancePromotion,
} as const;
/** One of these words. */
export type Steering = keyof typeof steerings;

/** Takes a release back, stops a promotion or sets its pace: one call and a reason, decided in its own transaction. */
export async function steer(
  session: Session,
  id: string,
  { verb, reason }: { readonly verb: Steering; readonly reason: string },
): Promise<ExitCode> {
  const api = session.api();
  await api.write((options) => steerings[verb]({ ...options, path: { id }, body: { reason } }));
  const promotion = await readPromotion(api, id);
  session.print(session.json ? JSON.stringify(promotion) : promotion.headline);
  return exitCodes.ok;
}

/** Says "not now" at the gate that waits: no vote, and nobody is reminded until then. */
export async function putOff(
  session: Session,
  id: string,
  { until, reason }: { readonly until: string; readonly reason?: string },
): Promise<ExitCode> {
  const api = session.api();
  const { id: path, attempt } = expectWaitingGate(await readPromotion(api, id));
  const body = { until, attempt, ...(reason !== undefined && { reason }) };
  const gate = await api.write((options) => deferGate({ ...options, path: { id: path }, body }));
  if (session.json) session.print(JSON.stringify(gate));
  else session.print(`Put off until ${until}. The gate still expires ${gate.expiresAt ?? 'never'}.`);
  return exitCodes.ok;
}

/** Says something about a promotion; nothing follows from it. */
export async function comment(session: Session, id: string, text: string): Promise<ExitCode> {
  const receipt = await session.api().write((options) => addComment({ ...options, path: { id }, body: { text } }));
  if (session.json) session.print(JSON.stringify({ promotion: id, ...receipt }));
  else session.print(`Said: everybody who reads it finds it in \`proviso history ${id}\`.`);
  return exitCodes.ok;
}

/** Runs the gate again at which a promotion stands still, once its cause is mended. */
export async function rerun(session: Session, id: string, reason: string | undefined): Promise<ExitCode> {
  const api = session.api();
  const { gates, at, headline } = await readPromotion(api, id);
  const gate = gates.find(({ name }) => name === at);
  if (gate === undefined) throw new Trouble(`expected ${id} to stand at a gate, got: ${headline}`);
  const order = { path: { id: gate.id }, body: reason === undefined ? {} : { reason } };
  await api.write((options) => rerunGate({ ...options, ...order }));
  if (session.json) session.print(JSON.stringify({ promotion: id, gate: gate.id, rerun: true }));
  else session.print(`The gate ${gate.name} runs again. Follow it with \`proviso watch ${id}\`.`);
  return exitCodes.ok;
}

/** Lets a lane take releases again after a rollback has held it. */
export async function resume(session: Session, name: string, reason: string): Promise<ExitCode> {
  const api = session.api();
  const prototype = await expectPrototype(api, name);
  const path = { id: prototype.lanes.production };
  const lane = await api.write((options) => resumeLane({ ...options, path, body: { reason } }));
  session.print(session.json ? JSON.stringify(lane) : `The production lane of ${name} takes releases again.`);
  return exitCodes.ok;
}

/** Says that an operator has looked at a prototype and lets its releases run. */
export async function trust(session: Session, name: string): Promise<ExitCode> {
  const api = session.api();
  const prototype = await expectPrototype(api, name);
  const path = { id: prototype.id };
  await api.write((options) => trustPrototype({ ...options, path, body: { trusted: true } }));
  if (session.json) session.print(JSON.stringify({ prototype: name, trusted: true }));
  else session.print(`${name} is trusted: its releases may run where nothing can be isolated.`);
  return exitCodes.ok;
}

/** What wants a fresh sign-in is decided at the page: the way there is printed, and opened for who wants that. */
function atPage(error: unknown, address: string, open: boolean): unknown {
  if (!(error instanceof ApiRefusal) || error.code !== 'step_up_required') return error;
  if (open) openInBrowser(address);
  return new Trouble(error.message, { exitCode: error.exitCode, advice: `Decide at ${address}`, cause: error });
}

function wordsFor({ verdict }: Vote, passed: boolean): string {
  switch (verdict) {
    case 'approve':
      return passed
        ? 'Approved: the gate has passed.'
        : 'Approved: recorded. More people are needed before it goes on.';
    case 'reject':
      return 'Rejected: recorded. This promotion has ended.';
    case 'request_changes':
      return 'Changes requested: recorded. A new version is needed.';
  }
}
