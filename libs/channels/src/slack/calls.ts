import { createHash } from 'node:crypto';
import { ErrorCode, WebClient } from '@slack/web-api';
import type { HomeView, ModalView } from '@slack/types';
import { type Outlet, OutletFailure, type Spot } from '../outlet.ts';
import { wholeAnswer } from '../whole-answer.ts';
import { type Conversations, slackWishes } from './copy.ts';
import { type SlackMessage, slackMessage } from './message.ts';

/** How to reach Slack. The token is in no message and no log. */
export interface SlackAccess {
  readonly apiUrl: string;
  readonly botToken: string;
  readonly conversations: Conversations;
}

/** What we ask of Slack besides messages. Each may fail as an `OutletFailure`. */
export interface SlackCalls {
  readonly outlet: Outlet<SlackMessage>;
  /** Within three seconds of the press that it answers. */
  readonly openForm: (triggerId: string, view: ModalView) => Promise<void>;
  readonly showHome: (user: string, view: HomeView) => Promise<void>;
  /** Says something to one person alone, in answer to what they pressed. */
  readonly say: (responseUrl: string, text: string) => Promise<void>;
}

/** Longer than Slack takes for anything; a call that takes longer is made again. */
const callMsMax = 5_000;

/** Slack's clock and ours may differ, so a message is looked for from a little earlier on. */
const skewSeconds = 60;

/** Messages that one look for a lost one goes through. */
const lookedMax = 200;

/** Where answers to a press go; anything else in a request is not followed. */
const answersTo = 'https://hooks.slack.com';

/** Opens the calls. Retries are ours to make, since only we know what has become moot meanwhile. */
export function openSlackCalls({ apiUrl, botToken, conversations }: SlackAccess): SlackCalls {
  const client = new WebClient(botToken, {
    ...{ slackApiUrl: apiUrl, timeout: callMsMax, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true },
    // It logs what it sends when asked to; nobody asks.
    logger: silent,
    // What is no JSON it would take for the name of an error, and read without end.
    fetch: async (url, options) => await wholeAnswer(await fetch(url, options)),
  });
  const origins = [answersTo, new URL(apiUrl).origin];
  return {
    outlet: {
      wishes: (bulletin) => slackWishes(bulletin, conversations),
      draw: slackMessage,
      post: async (message, spot) => {
        const sent = await called(() => client.chat.postMessage({ ...contentOf(message), ...placeOf(message, spot) }));
        if (sent.ts === undefined) throw new OutletFailure('no_ts', { uncertain: true });
        return sent.ts;
      },
      update: async (message, { conversation: channel, address: ts }) =>
        void (await called(() => client.chat.update({ ...contentOf(message), channel, ts }))),
      withdraw: async ({ conversation: channel, address: ts }) =>
        void (await called(() => client.chat.delete({ channel, ts }))),
      find: async (spot, sinceMs) => await find(client, spot, sinceMs),
    },
    openForm: async (trigger_id, view) => void (await called(() => client.views.open({ trigger_id, view }))),
    showHome: async (user_id, view) => void (await called(() => client.views.publish({ user_id, view }))),
    say: async (url, text) => await say(url, text, origins),
  };
}

/** No client is asked to read more out of a text than stands there. */
const asItIs = { mrkdwn: false, parse: 'none', link_names: false, unfurl_links: false, unfurl_media: false } as const;

function contentOf({ text, blocks }: SlackMessage) {
  return { ...asItIs, text, blocks: [...blocks] };
}

function placeOf({ broadcast }: SlackMessage, { conversation: channel, thread, token }: Spot) {
  const metadata = { event_type: eventType, event_payload: { copy: markOf(token) } };
  if (thread === null) return { channel, metadata };
  return broadcast
    ? { channel, metadata, thread_ts: thread, reply_broadcast: true as const }
    : { channel, metadata, thread_ts: thread };
}

const eventType = 'proviso_copy';

/** Other apps of the team may see it, so it tells nothing that a button's value would take. */
function markOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

async function find(client: WebClient, { conversation: channel, thread, token }: Spot, sinceMs: number) {
  const since = { oldest: String(Math.floor(sinceMs / 1_000) - skewSeconds), inclusive: true, limit: lookedMax };
  const asked = { channel, ...since, include_all_metadata: true };
  const found = await called(async () =>
    thread === null
      ? await client.conversations.history(asked)
      : await client.conversations.replies({ ...asked, ts: thread }),
  );
  const messages = (found.messages ?? []) as readonly { ts?: string; metadata?: { event_payload?: object } }[];
  const copy = messages.find(({ metadata }) => Reflect.get(metadata?.event_payload ?? {}, 'copy') === markOf(token));
  return copy?.ts ?? null;
}

async function say(url: string, text: string, origins: readonly string[]): Promise<void> {
  if (!URL.canParse(url) || !origins.includes(new URL(url).origin))
    throw new OutletFailure('strange_address', { permanent: true });
  const body = JSON.stringify({ response_type: 'ephemeral', replace_original: false, ...asItIs, text });
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  const signal = AbortSignal.timeout(callMsMax);
  const answer = await fetch(url, { method: 'POST', redirect: 'error', headers, body, signal }).catch(
    (error: unknown) => {
      throw new OutletFailure('unreachable', { uncertain: true }, error);
    },
  );
  await answer.body?.cancel();
  if (!answer.ok) throw new OutletFailure(`status_${answer.status}`);
}

/** Somebody deleted the message or the conversation, or what we sent is our own mistake: trying again changes nothing. */
const permanentCodes = [
  ...['message_not_found', 'channel_not_found', 'is_archived', 'cant_update_message', 'thread_not_found'],
  ...['invalid_blocks', 'msg_too_long', 'no_text', 'invalid_arguments', 'edit_window_closed'],
];

async function called<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    throw failureOf(error);
  }
}

function failureOf(error: unknown): OutletFailure {
  const { code, data, retryAfter } = error as { code?: string; data?: { error?: string }; retryAfter?: number };
  if (code === ErrorCode.RateLimitedError)
    return new OutletFailure('rate_limited', { retryAfterMs: (retryAfter ?? 1) * 1_000 }, error);
  const said = data?.error;
  if (code === ErrorCode.PlatformError && said !== undefined) {
    if (permanentCodes.includes(said)) return new OutletFailure(said, { permanent: true }, error);
    // Its own breakage may have come after the message was there.
    return isBreakage(said) ? new OutletFailure(said, { uncertain: true }, error) : new OutletFailure(said, {}, error);
  }
  return new OutletFailure('unreachable', { uncertain: true }, error);
}

function isBreakage(said: string): boolean {
  return ['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout'].includes(said);
}

const nothing = (): void => undefined;
const silent = {
  ...{ debug: nothing, info: nothing, warn: nothing, error: nothing, setLevel: nothing, setName: nothing },
  getLevel: () => 'error' as never,
};
