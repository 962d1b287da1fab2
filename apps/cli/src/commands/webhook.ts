import {
  addWebhook,
  listDeliveries,
  listWebhooks,
  removeWebhook,
  resendDelivery,
  rotateWebhook,
  type Webhook,
  type WebhookSecret,
} from '@proviso/client';
import { isId } from '@proviso/domain';
import type { Api } from '../api.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';
import { Trouble } from '../trouble.ts';

/** Where a webhook leads, and what it is told. */
export interface WebhookOrder {
  readonly name: string;
  readonly address: string;
  readonly types: string[];
}

/** Who outside is told, of what, and whether. */
export async function list(session: Session): Promise<ExitCode> {
  const { items } = await session.api().read((options) => listWebhooks(options));
  if (session.json) session.print(JSON.stringify(items));
  else if (items.length === 0) session.print('Nobody outside is told.');
  else {
    const rows = items.map((one) => [one.name, one.id, one.origin, one.types.join(', '), standingOf(one)]);
    session.print(table(['name', 'webhook', 'origin', 'told of', 'state'], rows));
  }
  return exitCodes.ok;
}

/** Tells somebody of events from now on. */
export async function add(session: Session, body: WebhookOrder): Promise<ExitCode> {
  return shown(session, await session.api().write((options) => addWebhook({ ...options, body })));
}

/** Another secret; the one before signs beside it for so many hours. */
export async function rotate(session: Session, which: string, overlapHours: number): Promise<ExitCode> {
  const api = session.api();
  const { id } = await expectWebhook(api, which);
  const given = await api.write((options) => rotateWebhook({ ...options, path: { id }, body: { overlapHours } }));
  return shown(session, given);
}

/** Tells it nothing more. */
export async function remove(session: Session, which: string): Promise<ExitCode> {
  const api = session.api();
  const { id, name } = await expectWebhook(api, which);
  const removed = await api.write((options) => removeWebhook({ ...options, path: { id }, body: {} }));
  session.print(session.json ? JSON.stringify(removed) : `${name} is told nothing more; its address is forgotten.`);
  return exitCodes.ok;
}

/** What was sent and what waits, newest first. */
export async function deliveries(session: Session, which: string): Promise<ExitCode> {
  const api = session.api();
  const { id, name } = await expectWebhook(api, which);
  const { items } = await api.read((options) =>
    listDeliveries({ ...options, path: { id }, query: { limit: shownMax } }),
  );
  if (session.json) session.print(JSON.stringify(items));
  else if (items.length === 0) session.print(`Nothing was sent to ${name} within the last 30 days.`);
  else {
    const rows = items.map((one) => [
      ...[one.id, one.createdAt.slice(0, 19), one.type, one.subject, one.state, String(one.attempts)],
      [one.status, one.failure].filter((part) => part !== null).join(' '),
    ]);
    session.print(table(['delivery', 'at (UTC)', 'type', 'about', 'state', 'tries', 'last answer'], rows));
  }
  return exitCodes.ok;
}

/** One event again, under the same id. */
export async function resend(session: Session, which: string, delivery: string): Promise<ExitCode> {
  const api = session.api();
  const { id, name } = await expectWebhook(api, which);
  const again = await api.write((options) => resendDelivery({ ...options, path: { id }, body: { delivery } }));
  session.print(
    session.json ? JSON.stringify(again) : `${again.type} about ${again.subject} is sent to ${name} again.`,
  );
  return exitCodes.ok;
}

/** More than anybody reads at once; `--json` with the API's own pages has the rest. */
const shownMax = 100;

/** The webhook of that name or id. */
async function expectWebhook(api: Api, which: string): Promise<Webhook> {
  const { items } = await api.read((options) => listWebhooks(options));
  const found = items.find(({ id, name }) => (isId('whk', which) ? id === which : name === which));
  if (found !== undefined) return found;
  throw new Trouble(`expected the name or id of a webhook, got ${which}, which is none here`, {
    advice: '`proviso webhook list` shows them.',
  });
}

/** It is printed once, alone on stdout, so that it can be piped to where it is kept. */
function shown(session: Session, given: WebhookSecret): ExitCode {
  const { webhook, secret } = given;
  if (session.json) session.print(JSON.stringify(given));
  else {
    session.progress.say(`${webhook.name} (${webhook.id}) is signed with this secret, shown only now:`);
    session.print(secret);
  }
  return exitCodes.ok;
}

function standingOf({ active, stopped }: Webhook): string {
  if (stopped === 'gone') return 'stopped: it answered 410';
  return active ? 'active' : 'silent';
}
