import { SocketModeClient } from '@slack/socket-mode';
import { type Interaction, interactionInSocket } from './interaction.ts';

/** What a connection of Socket Mode takes. */
export interface SlackSocketPorts {
  readonly apiUrl: string;
  readonly appToken: string;
  readonly hear: (interaction: Interaction) => Promise<object | null>;
  readonly note: (event: string) => void;
}

/** An open connection. */
export interface SlackSocket {
  readonly close: () => Promise<void>;
}

interface SlackEvent {
  readonly type: string;
  readonly body: unknown;
  readonly ack: (answer?: object) => Promise<void>;
}

/**
 * Socket Mode: we call Slack, and what people do comes over that connection, so no address of ours has to be reachable.
 * What is not answered because it broke is not acknowledged, and the one who pressed is told so by Slack.
 */
export async function openSlackSocket({ apiUrl, appToken, hear, note }: SlackSocketPorts): Promise<SlackSocket> {
  const client = new SocketModeClient({ appToken, clientOptions: { slackApiUrl: apiUrl } });
  client.on('slack_event', ({ type, body, ack }: SlackEvent) => {
    const interaction = interactionInSocket(type, body);
    const answered = interaction === null ? Promise.resolve(null) : hear(interaction);
    answered.then((answer) => ack(answer ?? undefined)).catch(() => note('slack.unanswered'));
  });
  await client.start();
  return { close: () => client.disconnect() };
}
