import { artifactOf, builtinPrincipals, type LaneId, type PromotionId, type PrototypeId } from '@proviso/domain';
import type { DueDelivery, EntryView, Journal, Reads, WebhookRef } from '@proviso/journal';
import {
  cloudEventOf,
  post,
  type PostRules,
  retryDelayMs,
  retryForMs,
  signedHeaders,
  type ToldAbout,
  type ToldEntry,
  typesOf,
} from '@proviso/webhooks';
import type { Clock, Log } from '../ports.ts';
import { type LeaderWork, nameOf } from './leader.ts';

/** Webhooks with something to do, of all workspaces; those beyond have their turn when these are done. */
const busyMax = 1_000;
/** Rounds at once. Each waits for one other side, so slow ones are in nobody's way but that of as many slow ones. */
const roundsMax = 64;
/** Of one workspace, so that its dead receivers take no other's turn. */
const roundsOfOneMax = 8;
/** One webhook's turn; what is left has another. */
const roundMsMax = 20_000;
/** Entries of one read of the log. */
const entriesMax = 200;
/** Deliveries that wait for one webhook. Beyond them the log itself is the queue. */
const waitingMax = 1_000;
/** NOTIFY wakes us as a rule; this is for retries, which nobody is told of. */
const awakeMs = 500;

/** What the courier needs. */
export interface CourierPorts {
  readonly journal: Pick<Journal, 'submit' | 'reads' | 'webhooks'>;
  readonly rules: PostRules;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/**
 * Tells webhooks what happens: each is a cursor over the log, and has one delivery under way at a time. At least once, under
 * the same id each time: if we die after a receiver has taken an event and before that is written, it gets it again.
 */
export function courierWork(ports: CourierPorts): LeaderWork {
  const { log, clock } = ports;
  const rounds = new Map<string, WebhookRef>();
  const lastAt = new Map<string, number>();
  const begin = (ref: WebhookRef, signal: AbortSignal): void => {
    rounds.set(ref.webhook, ref);
    lastAt.set(ref.webhook, clock.now());
    serve(ports, ref, signal)
      .catch((error: unknown) => log.warn({ webhook: ref.webhook, error: nameOf(error) }, 'courier.round_broke'))
      .finally(() => rounds.delete(ref.webhook));
  };
  return {
    name: 'courier',
    turn: async (leadership, signal) => {
      const busy = await leadership.webhooks(busyMax);
      for (const known of lastAt.keys()) if (!busy.some(({ webhook }) => webhook === known)) lastAt.delete(known);
      const longestAgo = busy.toSorted((a, b) => (lastAt.get(a.webhook) ?? 0) - (lastAt.get(b.webhook) ?? 0));
      for (const ref of longestAgo) {
        const ofOne = [...rounds.values()].filter(({ workspace }) => workspace === ref.workspace).length;
        if (rounds.size < roundsMax && ofOne < roundsOfOneMax && !rounds.has(ref.webhook)) begin(ref, signal);
      }
      await leadership.awake(awakeMs);
    },
  };
}

/** One webhook's turn: what is new in the log is written down to be sent, then what is due is sent, one after another. */
async function serve(ports: CourierPorts, ref: WebhookRef, signal: AbortSignal): Promise<void> {
  const { journal, clock } = ports;
  const endsAt = clock.now() + roundMsMax;
  const reads = journal.reads(ref.workspace);
  await follow(ports, ref, reads);
  while (!signal.aborted && clock.now() < endsAt) {
    const due = await journal.webhooks.claim(ref);
    if (due === null) return;
    await deliver(ports, { ref, due, reads, signal });
  }
}

async function follow({ journal }: CourierPorts, ref: WebhookRef, reads: Reads): Promise<void> {
  const standing = await journal.webhooks.standing(ref);
  if (standing === null || standing.waiting >= waitingMax) return;
  const { cursor: from, types } = standing;
  const entries = await reads.events({ after: from, limit: entriesMax });
  const to = entries.at(-1)?.position;
  if (to == null) return;
  const deliveries = entries.flatMap((entry) =>
    typesOf(toldOf(entry), types).map((type) => ({ position: entry.position ?? to, type, subject: entry.streamId })),
  );
  await journal.webhooks.enqueue(ref, { from, to, deliveries });
}

interface Delivering {
  readonly ref: WebhookRef;
  readonly due: DueDelivery;
  readonly reads: Reads;
  readonly signal: AbortSignal;
}

async function deliver(ports: CourierPorts, delivering: Delivering): Promise<void> {
  const { journal, rules, clock, random, log } = ports;
  const { ref, due, signal } = delivering;
  const { id, body } = await messageOf(delivering);
  const headers = signedHeaders({ id, body }, { secrets: due.secrets, now: clock.now() });
  const posted = await post(rules, { address: new URL(due.address), headers, body, signal });
  // Cut off by our own end: its claim runs out, and the next courier tries again.
  if (signal.aborted && posted.kind === 'failed') return;
  const { kind, status, failure, retryAfterMs: askedMs } = posted;
  const delayMs = retryDelayMs(due.attempt, { random: random(), askedMs });
  const tried = { id: due.id, attempt: due.attempt, kind, status, failure, delayMs, giveUpAfterMs: retryForMs };
  await journal.webhooks.settle(ref, tried);
  if (kind !== 'gone') return;
  log.info({ ...ref }, 'webhook.gone');
  await stop(ports, ref, due);
}

async function messageOf({ ref, due, reads }: Delivering): Promise<{ readonly id: string; readonly body: string }> {
  const [entry] = await reads.events({ after: due.position - 1, limit: 1 });
  if (entry?.position !== due.position) throw new Error(`invariant broken: no entry at ${due.position}`);
  const told = toldOf(entry);
  const about = await aboutOf(reads, told);
  const event = cloudEventOf(told, { type: due.type, workspace: ref.workspace, about });
  return { id: event.id, body: JSON.stringify(event) };
}

/** The other side is gone for good: an entry says so, and nothing more is sent until a person says otherwise. */
async function stop({ journal }: CourierPorts, { workspace, webhook }: WebhookRef, due: DueDelivery): Promise<void> {
  await journal.submit({
    workspace,
    actor: builtinPrincipals.keeper.id,
    command: { kind: 'StopWebhook', workspace, webhook, why: 'gone' },
    idempotencyKey: `courier/${due.id}/${due.attempt}`,
    authn: 'service/worker',
  });
}

function toldOf({ stream, streamId, sseq, kind, at, hash, bytes }: EntryView): ToldEntry {
  const { body } = JSON.parse(bytes) as Pick<ToldEntry, 'body'>;
  return { stream, streamId, sseq, kind, at, hash, body };
}

/** What an entry is about, as far as it does not say so itself. */
async function aboutOf(reads: Reads, entry: ToldEntry): Promise<ToldAbout> {
  switch (entry.stream) {
    case 'promotion': {
      const state = (await reads.promotion(entry.streamId as PromotionId))?.state;
      if (state === undefined) return {};
      const { id, version } = state.candidate;
      const place = { artifact: artifactOf(state), environment: state.policy.environment };
      const about = await prototypeOf(reads, state.prototype);
      return { promotion: state.id, ...about, candidate: { id, version }, ...place };
    }
    case 'lane': {
      const lane = (await reads.lane(entry.streamId as LaneId))?.state;
      return lane === undefined ? {} : { ...(await prototypeOf(reads, lane.prototype)), environment: lane.environment };
    }
    case 'prototype': {
      const about = await prototypeOf(reads, entry.streamId as PrototypeId);
      const candidate = entry.body['candidate'] as { readonly id: string; readonly version: string } | undefined;
      return candidate === undefined
        ? about
        : { ...about, candidate: { id: candidate.id, version: candidate.version } };
    }
    default:
      return {};
  }
}

async function prototypeOf(reads: Reads, id: PrototypeId): Promise<Pick<ToldAbout, 'prototype'>> {
  const state = (await reads.prototype(id))?.state;
  return state === undefined ? {} : { prototype: { id, name: state.name } };
}
