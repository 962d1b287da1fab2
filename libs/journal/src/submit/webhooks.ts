import type { Draft, WebhookId } from '@proviso/domain';
import type { Submission } from '../port.ts';
import type { Transaction } from '../session.ts';
import { statement } from '../statement.ts';
import type { Vault } from '../vault/vault.ts';
import { sealedAs } from '../webhooks.ts';

// What happened before somebody was added is not told to them, nor what happened while nothing was sent.
const lastPosition = `(select coalesce(max(index), -1) from proviso.leaf where workspace = $1)`;

const addWebhook = statement(
  'submit.webhook',
  `insert into proviso.webhook (workspace, id, types, active, cursor) values ($1, $2, $3::text[], true, ${lastPosition})`,
);
const changeWebhook = statement(
  'submit.webhook_change',
  `update proviso.webhook set types = $3::text[], active = $4, cursor = case when $4 and not active then ${lastPosition} else cursor end
    where workspace = $1 and id = $2`,
);
const stopWaiting = statement(
  'submit.webhook_stop_waiting',
  `update proviso.webhook_delivery d set state = 'stopped', ended_at = clock_timestamp()
    where d.workspace = $1 and d.webhook = $2 and d.state = 'waiting'
      and not exists (select 1 from proviso.webhook w where w.workspace = $1 and w.id = $2 and w.active)`,
);
const stopWebhook = statement(
  'submit.webhook_stop',
  `update proviso.webhook set active = false where workspace = $1 and id = $2`,
);
const sealText = statement(
  'submit.webhook_seal',
  `insert into proviso.webhook_sealed (workspace, webhook, number, sealed) values ($1, $2, $3, $4)`,
);
// Of the secrets before, only the last one goes on for a while.
const endSecrets = statement(
  'submit.webhook_end_secrets',
  `update proviso.webhook_sealed set ends_at = case when number = $3 - 1 then to_timestamp($4::bigint / 1000.0) else least(ends_at, clock_timestamp()) end
    where workspace = $1 and webhook = $2 and number between 1 and $3 - 1`,
);
const dropOldSecrets = statement(
  'submit.webhook_drop_secrets',
  `delete from proviso.webhook_sealed where workspace = $1 and webhook = $2 and ends_at <= clock_timestamp()`,
);
const dropWebhook = statement('submit.webhook_drop', `delete from proviso.webhook where workspace = $1 and id = $2`);
const dropSealed = statement(
  'submit.webhook_drop_sealed',
  `delete from proviso.webhook_sealed where workspace = $1 and webhook = $2`,
);
const dropDeliveries = statement(
  'submit.webhook_drop_deliveries',
  `delete from proviso.webhook_delivery where workspace = $1 and webhook = $2`,
);
const resend = statement(
  'submit.webhook_resend',
  `update proviso.webhook_delivery
      set state = 'waiting', attempts = 0, started_at = null, ended_at = null, status = null, failure = null, due_at = clock_timestamp()
    where workspace = $1 and webhook = $2 and id = $3 and state <> 'waiting'`,
);

/** Starts the writes about webhooks; most submissions have none. Addresses and secrets go into their rows sealed. */
export function writeWebhooks(
  transaction: Transaction,
  about: {
    readonly workspace: string;
    readonly drafts: readonly Draft[];
    readonly told: Submission['webhook'];
    readonly vault: Vault;
  },
): readonly Promise<unknown>[] {
  const { workspace, drafts, told, vault } = about;
  return drafts.flatMap((draft) => {
    if (draft.stream !== 'workspace' || !('webhook' in draft.event)) return [];
    const { event } = draft;
    const { webhook } = event;
    const run = (what: Parameters<Transaction['run']>[0], ...values: readonly unknown[]) =>
      transaction.run(what, [workspace, webhook, ...values]);
    const sealed = (number: number, text: string | undefined) =>
      text === undefined ? [] : [run(sealText, number, sealedFor(vault, { webhook, number, text }))];
    switch (event.kind) {
      case 'webhook_added':
        return [run(addWebhook, event.types), ...sealed(0, told?.address), ...sealed(1, told?.secret)];
      case 'webhook_changed':
        return [run(changeWebhook, event.types, event.active), run(stopWaiting)];
      case 'webhook_rotated':
        return [
          run(endSecrets, event.secret, event.previousUntil),
          run(dropOldSecrets),
          ...sealed(event.secret, told?.secret),
        ];
      case 'webhook_removed':
        return [run(dropWebhook), run(dropSealed), run(dropDeliveries)];
      case 'webhook_resent':
        return [run(resend, event.delivery)];
      case 'webhook_stopped':
        return [run(stopWebhook), run(stopWaiting)];
    }
  });
}

function sealedFor(
  vault: Vault,
  { webhook, number, text }: { readonly webhook: WebhookId; readonly number: number; readonly text: string },
): Buffer {
  return vault.sealText(sealedAs(webhook, number), text);
}
