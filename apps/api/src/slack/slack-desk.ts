import { setTimeout as pause } from 'node:timers/promises';
import { type Interaction, OutletFailure, type SlackCalls, homeView, openSlackCalls } from '@proviso/channels';
import type { PromptRegister, WorkspaceId } from '@proviso/domain';
import { type Aside, openAside } from '../aside.ts';
import type { SlackConfig } from '../config.ts';
import type { Parts } from '../parts.ts';
import { type SealedNotes, sealedNotes } from '../sealed-note.ts';
import { slackAsker } from './slack-caller.ts';
import { slackCommand } from './slack-command.ts';
import { inboxOf } from './slack-inbox.ts';
import type { SlackLinking } from './slack-link.ts';
import { pressed, submitted } from './slack-press.ts';
import { linkPageOf } from './slack-words.ts';

/** Everything that answering Slack takes. */
export interface SlackParts extends Omit<Parts, 'slack' | 'github'> {
  readonly slack: SlackConfig;
  readonly calls: SlackCalls;
  readonly register: PromptRegister;
  readonly links: SealedNotes<SlackLinking>;
}

/** Where people are answered in Slack. It decides nothing: each change goes to the journal, with the person's own rights. */
export interface SlackDesk {
  readonly workspace: WorkspaceId;
  readonly signingSecret: string | null;
  readonly appToken: string | null;
  readonly apiUrl: string;
  readonly calls: SlackCalls;
  /** What a person types in Slack to be known there; good for five minutes. */
  readonly links: SealedNotes<SlackLinking>;
  /** Answers what Slack is told at once; by then whatever was decided is durable. Null: nothing. */
  readonly hear: (interaction: Interaction) => Promise<object | null>;
  /** Resolves when nothing more is being said to anybody. */
  readonly idle: () => Promise<void>;
}

/** Long enough to switch windows and paste, and no longer than a sign-in is fresh. */
const linkMs = 5 * 60_000;

/** One answer may rest for seconds between its tries. */
const asideLimits = { atOnce: 32, waitMsMax: 60_000 };

/** Between tries to say something. */
const sayAgainMs = [250, 1_000, 3_000];

/** Opens the desk of one Slack app. */
export function openSlackDesk(parts: Omit<Parts, 'slack' | 'github'>, slack: SlackConfig): SlackDesk {
  const { workspace, signingSecret, appToken, apiUrl } = slack;
  const calls = openSlackCalls(slack);
  const { vaultKeyHex } = parts.config;
  const links = sealedNotes<SlackLinking>({ vaultKeyHex, purpose: 'slack-link', validMs: linkMs, now: parts.now });
  const register = parts.journal.prompts(workspace, 'slack');
  const all: SlackParts = { ...parts, slack, calls, register, links };
  // What was decided stands, and the message of its promotion will show it.
  const { aside, idle } = openAside(parts, 'slack did not take an answer', asideLimits);
  return {
    ...{ workspace, signingSecret, appToken, apiUrl, calls, links },
    hear: (interaction) => answer(all, interaction, aside),
    idle,
  };
}

async function answer(parts: SlackParts, interaction: Interaction, aside: Aside['aside']): Promise<object | null> {
  switch (interaction.kind) {
    case 'challenge':
      return { challenge: interaction.challenge };
    case 'other':
      return null;
    case 'press': {
      const asker = await slackAsker(parts, parts.slack, interaction.member);
      const text = await pressed(parts, asker, interaction);
      if (text !== null) aside(() => said(parts, interaction.responseUrl, text));
      return null;
    }
    case 'submit':
      return await submitted(parts, await slackAsker(parts, parts.slack, interaction.member), interaction);
    case 'command': {
      const asker = await slackAsker(parts, parts.slack, interaction.member);
      return { response_type: 'ephemeral', ...(await slackCommand(parts, asker, interaction)) };
    }
    case 'home':
      aside(() => showHome(parts, interaction));
      return null;
  }
}

/** Tries for as long as somebody still looks at what they pressed. Said twice does no harm; not said leaves them guessing. */
async function said({ calls }: SlackParts, responseUrl: string, text: string): Promise<void> {
  for (const restMs of sayAgainMs) {
    try {
      return await calls.say(responseUrl, text);
    } catch (error) {
      if (error instanceof OutletFailure && error.more.permanent === true) throw error;
      await pause(restMs);
    }
  }
  await calls.say(responseUrl, text);
}

async function showHome(parts: SlackParts, { member }: Extract<Interaction, { kind: 'home' }>): Promise<void> {
  const asker = await slackAsker(parts, parts.slack, member);
  // Whoever is of another team, or was shut out, sees nothing of ours.
  if (asker.kind === 'stranger' || asker.kind === 'shut_out') return;
  const inbox = asker.kind === 'known' ? await inboxOf(parts, asker.caller) : null;
  await parts.calls.showHome(member.user, homeView(inbox, linkPageOf(parts)));
}
