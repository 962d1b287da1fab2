import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type FakeGitHubDeed,
  type FakeGitHubMember,
  type FakeSlack,
  type FakeSlackDeed,
  type FakeSlackMember,
  type FakeSlackMessage,
  githubUserOf,
} from '@proviso/testkit';
import pg from 'pg';
import { assemble } from '../assembly.ts';
import { startChannels } from '../channels.ts';
import { type Deployment, type atApproval, frozenVersion, pick, pickText } from '../deployment.contract.ts';
import { linkAtGitHub } from '../github/github-config.contract.ts';
import { openLog } from '../log.ts';
import { createServer } from '../server.ts';
import { type SlackGround, lettersOf, linkTo, liveButtons } from './slack.contract.ts';

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** An approver of one lane's own: a role that is taken from them is taken from nobody else. */
export interface Approver {
  readonly id: `psn_${string}`;
  readonly token: string;
  readonly member: FakeSlackMember;
  /** The same person at GitHub. */
  readonly account: FakeGitHubMember;
}

/** Lets so many work at once and the others wait: one person may freeze so many versions at a time. */
export function turnstile(atOnce: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let inside = 0;
  return async (work) => {
    if (inside >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else inside += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) inside -= 1;
      else next();
    }
  };
}

/** Another API on the same database: hears, and follows when the other does not. */
export interface Replica {
  readonly restart: () => Promise<void>;
  readonly forgive: (person: `psn_${string}`) => void;
  readonly close: () => Promise<void>;
}

/** Opens it, and lets Slack and GitHub send to either. */
export async function openReplica({ here, slack, github, url }: SlackGround, evidence: string): Promise<Replica> {
  let running: { close: () => Promise<void>; parts: Deployment['parts'] } | null = null;
  const start = async (): Promise<void> => {
    const parts = assemble({ ...here.parts.config, evidence }, here.parts.journal, openLog('silent'));
    const app = await createServer(parts);
    await app.listen(0, '127.0.0.1');
    const channels = startChannels(parts);
    const sendTo = (address: string): void => {
      slack.eventsUrl = `${address}/slack/events`;
      if (github !== null) github.eventsUrl = `${address}/github/webhooks`;
    };
    sendTo(await app.getUrl());
    const close = async (): Promise<void> => {
      sendTo(url);
      await channels.stop();
      parts.feed.close();
      parts.metrics.close();
      await app.close();
    };
    running = { close, parts };
  };
  const stop = async (): Promise<void> => {
    const one = running;
    running = null;
    await one?.close();
  };
  await start();
  return {
    restart: async () => {
      await stop();
      await start();
    },
    forgive: (person) => running?.parts.refusals.forgive(person),
    close: stop,
  };
}

/** What a sequence is played on. */
export interface Lane {
  readonly ground: SlackGround;
  readonly replica: Replica;
  readonly approvers: readonly Approver[];
  readonly random: () => number;
  /** Restarts are of all lanes, so they wait for each other. */
  readonly alone: (work: () => Promise<void>) => Promise<void>;
  /** For whatever freezes a version. */
  readonly freezing: ReturnType<typeof turnstile>;
}

/** Adds an approver with a linked account. */
export async function newApprover({ here, slack, github }: SlackGround): Promise<Approver> {
  const roles = [{ role: 'approver', group: 'security' }];
  const added = await here.post('ada', '/v1/people', { name: 'Somebody', roles });
  const id = pickText(added.body, 'id') as Approver['id'];
  const issued = await here.post('ada', `/v1/people/${id}/tokens`, { validDays: 1 });
  const user = `U${id.slice(4, 20).toUpperCase()}`;
  await linkTo(here, id, { team: 'T0HOME', user });
  const token = pickText(issued.body, 'token');
  if (github === null) return { id, token, member: slack.member(user), account: nobodyAtGitHub };
  const number = githubUserOf(token);
  await linkAtGitHub(here, id, number);
  return { id, token, member: slack.member(user), account: github.member(number) };
}

const nobodyAtGitHub: FakeGitHubMember = {
  user: 0,
  press: () => {
    throw new Error('expected a GitHub');
  },
  write: () => {
    throw new Error('expected a GitHub');
  },
};

/** One sequence under way. */
export interface Play {
  readonly lane: Lane;
  readonly scene: Awaited<ReturnType<typeof atApproval>>;
  readonly deeds: FakeSlackDeed[];
  /** What each deed was told, whenever it was sent. */
  readonly told: Map<FakeSlackDeed, string>;
  /** What came of each deed at GitHub, by its body. */
  readonly atGitHub: Map<FakeGitHubDeed, string>;
  /** Votes that another door has recorded. */
  elsewhere: number;
  readonly done: string[];
}

/** Sends a deed until it is acknowledged, as somebody does whose Slack says that it did not work. */
export async function sendSurely({ told }: Play, deed: FakeSlackDeed): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const answer = await deed.send().catch(() => null);
    if (answer?.status === 200) break;
    if (tries > 100) throw new Error(`expected an acknowledgement, got ${answer?.status ?? 'none'}`);
    await pause(50);
  }
  told.set(deed, await deed.told());
}

/** Any state of any copy that ever had an Approve on it: people press what stood on their screen a minute ago. */
export function somethingToPress({ lane, scene }: Play): FakeSlackMessage | null {
  const address = `gate_${scene.promotion.slice('prm_'.length)}-approval`;
  const states = lane.ground.slack.messages().flatMap((message) =>
    message.drawn
      .filter((blocks) => lettersOf(blocks).includes(address))
      .map((blocks) => ({ ...message, blocks }))
      .filter((one) => liveButtons(one).includes('approve')),
  );
  return states[Math.floor(lane.random() * states.length)] ?? null;
}

/** Another version of the same prototype. */
export async function newCandidate({ lane, scene }: Play): Promise<void> {
  const { here } = lane.ground;
  await lane.freezing(async () => {
    const version = `v${Math.floor(lane.random() * 1_000_000)}`;
    const candidate = await frozenVersion(here, { prototype: scene.prototype, version, words: randomUUID() });
    await here.post('bea', '/v1/promotions', { prototype: scene.prototype, candidate, policy: scene.policy });
  });
}

/** A copy, and whether it is behind. */
export interface PromptRow {
  readonly key: string;
  readonly token: string;
  readonly address: string | null;
  readonly behind: boolean;
}

/** The copies of a promotion as registered. */
export async function rowsIn({ superuserUrl }: Deployment, promotion: string): Promise<readonly PromptRow[]> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    const { rows } = await client.query<PromptRow>(
      `select key, token, address, (wanted > shown and given_up is null) as behind from proviso.prompt where promotion = $1`,
      [promotion],
    );
    return rows;
  } finally {
    await client.end();
  }
}

/** Messages in Slack that carry the mark of one of these copies: one for each, or somebody posted twice. */
export function messagesOf(slack: FakeSlack, rows: readonly PromptRow[]): readonly FakeSlackMessage[] {
  const marks = new Set(rows.map(({ token }) => createHash('sha256').update(token).digest('hex')));
  const markOf = ({ metadata }: FakeSlackMessage): string => String(pick(metadata, 'event_payload', 'copy'));
  return slack.messages().filter((message) => marks.has(markOf(message)));
}
