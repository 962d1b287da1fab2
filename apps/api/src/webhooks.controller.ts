import { createHmac } from 'node:crypto';
import { Controller, Get, HttpCode, Inject, Post, Put, Req } from '@nestjs/common';
import { authorise } from '@proviso/authority';
import { type WebhookId, type WebhookState, idFrom } from '@proviso/domain';
import type { DeliveryView } from '@proviso/journal';
import { addressProblem, secretText } from '@proviso/webhooks';
import type { FastifyRequest } from 'fastify';
import { type Caller, callerOf } from './caller.ts';
import { bodies, queries } from './forms.ts';
import { offering } from './offering.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, found, idIn, queryOf } from './parsing.ts';
import { timeOf } from './person-ref.ts';
import { Problem } from './problem.ts';
import { type Intent, intentOf } from './submission.ts';
import { webhookBodies, webhookQueries } from './webhook-forms.ts';

/** Who outside is told of events. */
@Controller('v1/webhooks')
export class WebhooksController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Get()
  async list(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const caller = callerOf(request);
    const webhooks = await webhooksOf(caller);
    return { items: webhooks.map((state) => shownTo(caller, state)), next: null };
  }

  @Get(':id')
  async read(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    return await shown(callerOf(request), idIn(request, 'whk'));
  }

  @Post()
  async add(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { name, address, types } = bodyOf(request, webhookBodies.add);
    const problem = addressProblem(address, this.#parts.config.webhookReach);
    if (problem !== null)
      throw new Problem('invalid', problem, { errors: [{ pointer: '/address', code: 'invalid', message: problem }] });
    const intent = intentOf(this.#parts, request);
    const { caller, draw, submit } = intent;
    const { workspace } = caller;
    const webhook = idFrom('whk', draw('webhook'));
    const secret = this.#secretFor(intent, webhook);
    const { origin } = new URL(address);
    await submit({ kind: 'AddWebhook', workspace, webhook, name, origin, types }, { webhook: { address, secret } });
    return { webhook: await shown(caller, webhook), secret };
  }

  @Put(':id')
  async change(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { types, active } = bodyOf(request, webhookBodies.change);
    const webhook = idIn(request, 'whk');
    const { caller, submit } = intentOf(this.#parts, request);
    await submit({ kind: 'ChangeWebhook', workspace: caller.workspace, webhook, types, active });
    return await shown(caller, webhook);
  }

  @Post(':id/secret')
  async rotate(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { overlapHours } = bodyOf(request, webhookBodies.rotate);
    const webhook = idIn(request, 'whk');
    const intent = intentOf(this.#parts, request);
    const { caller, submit } = intent;
    const secret = this.#secretFor(intent, webhook);
    const overlapMs = overlapHours * 3_600_000;
    await submit({ kind: 'RotateWebhook', workspace: caller.workspace, webhook, overlapMs }, { webhook: { secret } });
    return { webhook: await shown(caller, webhook), secret };
  }

  @Post(':id/remove')
  @HttpCode(200)
  async remove(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    bodyOf(request, bodies.empty);
    const webhook = idIn(request, 'whk');
    const { caller, submit } = intentOf(this.#parts, request);
    const before = (await webhooksOf(caller)).find(({ id }) => id === webhook);
    await submit({ kind: 'RemoveWebhook', workspace: caller.workspace, webhook });
    return shownTo(caller, found(before));
  }

  @Get(':id/deliveries')
  async deliveries(@Req() request: FastifyRequest) {
    const { after, limit } = queryOf(request, webhookQueries.deliveries);
    const caller = callerOf(request);
    const { id: webhook } = await known(caller, idIn(request, 'whk'));
    const ref = { workspace: caller.workspace, webhook };
    const page = { limit, ...(after === undefined ? {} : { after }) };
    const { items, next } = await this.#parts.journal.webhooks.deliveries(ref, page);
    return { items: items.map(deliveryShown), next };
  }

  @Post(':id/deliveries/resend')
  @HttpCode(202)
  async resend(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { delivery } = bodyOf(request, webhookBodies.resend);
    const webhook = idIn(request, 'whk');
    const { caller, submit } = intentOf(this.#parts, request);
    const { workspace, person: actor, scopes } = caller;
    const command = { kind: 'ResendWebhook', workspace, webhook, delivery } as const;
    const find = () => this.#parts.journal.webhooks.delivery({ workspace, webhook }, delivery);
    // Rights first: who may not do it at all learns only that.
    if (authorise({ actor, command, scopes }) === null) found(await find());
    await submit(command);
    return deliveryShown(found(await find()));
  }

  /** Out of our key and the sender's: a retry whose first answer was lost gets the same secret. */
  #secretFor({ caller, key }: Intent, webhook: WebhookId): string {
    const master = Buffer.from(this.#parts.config.vaultKeyHex, 'hex');
    const told = `webhook ${caller.workspace} ${caller.person.id} ${webhook} ${key}`;
    return secretText(createHmac('sha256', master).update(told).digest());
  }
}

async function webhooksOf({ reads }: Caller): Promise<readonly WebhookState[]> {
  return (await reads.workspace())?.state.webhooks ?? [];
}

async function known(caller: Caller, webhook: WebhookId): Promise<WebhookState> {
  return found((await webhooksOf(caller)).find(({ id }) => id === webhook));
}

async function shown(caller: Caller, webhook: WebhookId) {
  return shownTo(caller, await known(caller, webhook));
}

function shownTo(caller: Caller, { id, name, origin, types, active, stopped, previousUntil }: WebhookState) {
  const previousSecretUntil = previousUntil === null ? null : timeOf(previousUntil);
  const told = { id, name, origin, types: [...types], active, stopped, previousSecretUntil };
  return offering(told, caller, { noun: 'webhook' });
}

function deliveryShown({ createdAt, dueAt, endedAt, ...told }: DeliveryView) {
  const times = { createdAt: timeOf(createdAt), dueAt: dueAt === null ? null : timeOf(dueAt) };
  return { ...told, ...times, endedAt: endedAt === null ? null : timeOf(endedAt) };
}
