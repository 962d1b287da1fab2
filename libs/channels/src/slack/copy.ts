import type { PromptWish } from '@proviso/domain';
import { type Bulletin, isAsking } from '../bulletin.ts';

/** Where a workspace's messages stand in Slack, by the ids of its channels. */
export interface Conversations {
  /** One parent message for each promotion, with its steps in the thread. */
  readonly main: string;
  /** Where a group is asked besides, by its name in policies, such as `group/security`. */
  readonly groups: Readonly<Record<string, string>>;
}

/** What a copy is about, as its key says. */
export type Topic =
  | { readonly kind: 'parent' }
  | { readonly kind: 'ask'; readonly attempt: number }
  | { readonly kind: 'step'; readonly gate: string; readonly attempt: number }
  | { readonly kind: 'reminder'; readonly attempt: number; readonly count: number }
  | { readonly kind: 'escalation'; readonly attempt: number };

/** Which messages should stand where, given how a promotion stands. */
export function slackWishes(bulletin: Bulletin, { main, groups }: Conversations): readonly PromptWish[] {
  // Who comes late to what has ended says nothing about it; copies that stand already are registered.
  if (bulletin.ended) return [];
  const parent = wish(bulletin, main, { kind: 'parent' }, null);
  return [
    parent,
    ...stepsOf(bulletin).map((topic) => wish(bulletin, main, topic, parent.key)),
    ...asksOf(bulletin, { main, groups }, parent.key),
  ];
}

/** Reads a key; null for one that this version does not know. */
export function topicOf(key: string): Topic | null {
  const [, , word = '', ...rest] = key.split('/');
  const [first = '', second = ''] = rest;
  const attempt = Number(first);
  switch (word) {
    case '':
      return { kind: 'parent' };
    case 'ask':
      return { kind: 'ask', attempt };
    case 'step':
      return { kind: 'step', gate: first, attempt: Number(second) };
    case 'reminder':
      return { kind: 'reminder', attempt, count: Number(second) };
    case 'escalation':
      return { kind: 'escalation', attempt };
    default:
      return null;
  }
}

function keyOf(promotion: string, conversation: string, topic: Topic): string {
  const at = `${conversation}/${promotion}`;
  switch (topic.kind) {
    case 'parent':
      return at;
    case 'ask':
    case 'escalation':
      return `${at}/${topic.kind}/${topic.attempt}`;
    case 'step':
      return `${at}/step/${topic.gate}/${topic.attempt}`;
    case 'reminder':
      return `${at}/reminder/${topic.attempt}/${topic.count}`;
  }
}

function wish({ promotion }: Bulletin, conversation: string, topic: Topic, thread: string | null): PromptWish {
  const once = topic.kind !== 'parent' && topic.kind !== 'ask';
  return { key: keyOf(promotion, conversation, topic), promotion, conversation, thread, once };
}

const told = ['passed', 'failed', 'inconclusive'];

function stepsOf({ checks }: Bulletin): readonly Topic[] {
  return checks
    .filter(({ status }) => told.includes(status))
    .map(({ gate, attempt }) => ({ kind: 'step', gate, attempt }));
}

/** Asking is a message of its own, since nobody is told when another one changes; so is each word of the clock. */
function asksOf(bulletin: Bulletin, { main, groups }: Conversations, parent: string): readonly PromptWish[] {
  const { ask } = bulletin;
  if (!isAsking(ask)) return [];
  const { attempt, reminded, escalatedTo } = ask;
  const named = [...ask.requirements.map(({ from }) => from), ...(escalatedTo === null ? [] : [escalatedTo])];
  const beside = new Set(named.flatMap((from) => groups[from] ?? []).filter((conversation) => conversation !== main));
  const reminders = Array.from(
    { length: reminded },
    (_, index): Topic => ({ kind: 'reminder', attempt, count: index + 1 }),
  );
  const escalation: readonly Topic[] = escalatedTo === null ? [] : [{ kind: 'escalation', attempt }];
  return [
    wish(bulletin, main, { kind: 'ask', attempt }, parent),
    ...[...beside].map((conversation) => wish(bulletin, conversation, { kind: 'ask', attempt }, null)),
    ...[...reminders, ...escalation].map((topic) => wish(bulletin, main, topic, parent)),
  ];
}
