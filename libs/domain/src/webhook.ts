import type { PersonId, WebhookId, WorkspaceId } from './id.ts';
import { type Refusal, refusal } from './refusal.ts';

/** Somewhere outside that is told of events. Its whole address and its secrets lie sealed beside the journal. */
export interface WebhookState {
  readonly id: WebhookId;
  readonly name: string;
  /** Where it is, without a path: paths of such addresses are often all that keeps strangers out. */
  readonly origin: string;
  /** Which types of events it is told, each by its name, or all below one (`dev.proviso.gate.*`). */
  readonly types: readonly string[];
  readonly active: boolean;
  /** Why nothing is sent: a person said so, or the other side said that it is gone. */
  readonly stopped: 'person' | 'gone' | null;
  /** How many secrets it has had; the last one is in use. */
  readonly secret: number;
  /** Until when the one before is signed with, too; null: there is none. */
  readonly previousUntil: number | null;
}

/** What may happen to webhooks of a workspace. */
export type WebhookEvent =
  | {
      readonly kind: 'webhook_added';
      readonly v: 1;
      readonly webhook: WebhookId;
      readonly name: string;
      readonly origin: string;
      readonly types: readonly string[];
      readonly by: PersonId;
    }
  | {
      readonly kind: 'webhook_changed';
      readonly v: 1;
      readonly webhook: WebhookId;
      readonly types: readonly string[];
      readonly active: boolean;
      readonly by: PersonId;
    }
  | {
      readonly kind: 'webhook_rotated';
      readonly v: 1;
      readonly webhook: WebhookId;
      readonly secret: number;
      readonly previousUntil: number;
      readonly by: PersonId;
    }
  | { readonly kind: 'webhook_removed'; readonly v: 1; readonly webhook: WebhookId; readonly by: PersonId }
  | {
      readonly kind: 'webhook_resent';
      readonly v: 1;
      readonly webhook: WebhookId;
      readonly delivery: string;
      readonly by: PersonId;
    }
  /** The other side has answered that nobody is there any more. */
  | { readonly kind: 'webhook_stopped'; readonly v: 1; readonly webhook: WebhookId; readonly why: 'gone' };

/** What may be asked about webhooks. The address and the secret come beside the command: no entry holds them. */
export type WebhookCommand = { readonly workspace: WorkspaceId; readonly webhook: WebhookId } & (
  | {
      readonly kind: 'AddWebhook';
      readonly name: string;
      readonly origin: string;
      readonly types: readonly string[];
    }
  | { readonly kind: 'ChangeWebhook'; readonly types: readonly string[]; readonly active: boolean }
  | { readonly kind: 'RotateWebhook'; readonly overlapMs: number }
  | { readonly kind: 'RemoveWebhook' }
  | { readonly kind: 'ResendWebhook'; readonly delivery: string }
  | { readonly kind: 'StopWebhook'; readonly why: 'gone' }
);

/** More than a team has portals and pagers; each is told every event of the workspace on its own. */
export const webhooksMax = 20;

/** As many as there are nouns to choose below, and some. */
export const webhookTypesMax = 50;

/** Time to bring the new secret to every receiver. A week is a holiday; longer is no rotation. */
export const overlapMsMax = 7 * 86_400_000;

/** Folds one event into the webhooks of a workspace. */
export function evolveWebhooks(webhooks: readonly WebhookState[], event: WebhookEvent): readonly WebhookState[] {
  const changed = (change: Partial<WebhookState>) =>
    webhooks.map((one) => (one.id === event.webhook ? { ...one, ...change } : one));
  switch (event.kind) {
    case 'webhook_added': {
      const { webhook: id, name, origin, types } = event;
      return [...webhooks, { id, name, origin, types, active: true, stopped: null, secret: 1, previousUntil: null }];
    }
    case 'webhook_changed': {
      const { types, active } = event;
      return changed({ types, active, stopped: active ? null : 'person' });
    }
    case 'webhook_rotated':
      return changed({ secret: event.secret, previousUntil: event.previousUntil });
    case 'webhook_removed':
      return webhooks.filter(({ id }) => id !== event.webhook);
    case 'webhook_resent':
      return webhooks;
    case 'webhook_stopped':
      return changed({ active: false, stopped: event.why });
  }
}

/** Decides a command about a webhook of a workspace. */
export function decideWebhook(
  webhooks: readonly WebhookState[],
  command: WebhookCommand,
  { now, by }: { readonly now: number; readonly by: PersonId },
): readonly WebhookEvent[] | Refusal {
  const { webhook } = command;
  if (command.kind === 'AddWebhook') return add(webhooks, command, by);
  const state = webhooks.find(({ id }) => id === webhook);
  if (state === undefined) return refusal('not_found', 'expected a known webhook');
  switch (command.kind) {
    case 'ChangeWebhook': {
      const problem = typesProblem(command.types);
      if (problem !== null) return refusal('webhook_invalid', problem);
      const { types, active } = command;
      const same = state.active === active && state.types.join(' ') === types.join(' ');
      return same ? [] : [{ kind: 'webhook_changed', v: 1, webhook, types, active, by }];
    }
    case 'RotateWebhook': {
      const { overlapMs } = command;
      if (!(overlapMs >= 0 && overlapMs <= overlapMsMax))
        return refusal('webhook_invalid', `expected an overlap of at most ${overlapMsMax} ms, got ${overlapMs}`);
      const secret = state.secret + 1;
      return [{ kind: 'webhook_rotated', v: 1, webhook, secret, previousUntil: now + overlapMs, by }];
    }
    case 'RemoveWebhook':
      return [{ kind: 'webhook_removed', v: 1, webhook, by }];
    case 'ResendWebhook':
      if (!state.active)
        return refusal('webhook_stopped', 'expected a webhook that is told of events, got one that is not');
      return [{ kind: 'webhook_resent', v: 1, webhook, delivery: command.delivery, by }];
    case 'StopWebhook':
      return state.active ? [{ kind: 'webhook_stopped', v: 1, webhook, why: command.why }] : [];
  }
}

function add(
  webhooks: readonly WebhookState[],
  { webhook, name, origin, types }: Extract<WebhookCommand, { kind: 'AddWebhook' }>,
  by: PersonId,
): readonly WebhookEvent[] | Refusal {
  const problem = typesProblem(types);
  if (problem !== null) return refusal('webhook_invalid', problem);
  if (webhooks.some((one) => one.name === name || one.id === webhook))
    return refusal('exists', `expected a name of its own for a webhook, got ${name}`);
  if (webhooks.length >= webhooksMax)
    return refusal('quota_reached', `expected at most ${webhooksMax} webhooks in a workspace`);
  return [{ kind: 'webhook_added', v: 1, webhook, name, origin, types, by }];
}

/** Which types there are is known where events are made; here only that these could be some. */
function typesProblem(types: readonly string[]): string | null {
  if (types.length === 0 || types.length > webhookTypesMax)
    return `expected from 1 to ${webhookTypesMax} types of events, got ${types.length}`;
  const odd = types.find((type) => !/^[a-z0-9_.]{1,100}(\.\*)?$/.test(type));
  return odd === undefined ? null : 'expected types of events such as dev.proviso.gate.*, got another text';
}
