import { type Promotion, readPrompts } from '@proviso/client';
import { type Api, ApiRefusal, openApi } from '../api.ts';
import { expectWaitingGate, sendVote } from '../decision.ts';
import type { Deployment } from '../deployment-file.ts';
import { Trouble } from '../trouble.ts';
import type { DemoScript } from './script.ts';

/** The people of a demo, each with a door of their own: nobody speaks with another's token. */
export interface Cast {
  readonly builder: Api;
  readonly operator: Api;
  readonly voters: readonly { readonly key: string; readonly api: Api }[];
  readonly builderKey: string;
}

/** Finds the people of the script among those of the deployment. */
export function openCast(script: DemoScript, deployment: Deployment, signal: AbortSignal): Cast {
  const apiOf = (key: string): Api => {
    const person = deployment.people[key];
    if (person === undefined) {
      const known = Object.keys(deployment.people).join(', ');
      throw new Trouble(`expected the cast to be people of this deployment (${known}), got ${key}`);
    }
    return openApi({ url: deployment.apiUrl, token: person.token }, signal);
  };
  const { builder, operator, approvers } = script.cast;
  return {
    builder: apiOf(builder),
    builderKey: builder,
    operator: apiOf(operator),
    voters: approvers.map((key) => ({ key, api: apiOf(key) })),
  };
}

/** A vote that was refused, as the API told it. */
export interface RefusedVote {
  readonly person: string;
  readonly code: string;
  readonly message: string;
}

/** What a channel says to whoever is asked, as its own renderer makes it. */
export interface ShownPrompt {
  readonly version: string;
  readonly channel: string;
  readonly lines: readonly string[];
}

/** Where voting is told. */
export interface VotingPorts {
  readonly tell: (line: string) => void;
  /** What people would be asked elsewhere: a demo needs no account there. */
  readonly prompt: (prompt: ShownPrompt) => void;
  /** The builder's try at their own work, once a demo: why it was refused is what a spectator should see. */
  readonly refused: (vote: RefusedVote) => void;
}

/** Lets the people decide whenever a promotion waits for them, one after the other until the gate has enough. */
export function openVoting(
  cast: Cast,
  { tell, prompt, refused }: VotingPorts,
): (promotion: Promotion) => Promise<void> {
  let ownWorkTried = false;
  let voted = { gate: '', by: new Set<string>() };
  return async (promotion) => {
    if (promotion.state !== 'waiting_for_human') return;
    const gate = expectWaitingGate(promotion);
    const attempt = `${gate.id} ${gate.attempt}`;
    if (voted.gate !== attempt) {
      voted = { gate: attempt, by: new Set() };
      const path = { id: gate.id };
      const { items } = await cast.builder.read((options) => readPrompts({ ...options, path }));
      for (const shown of items) prompt({ version: promotion.candidate.version, ...shown });
    }
    if (!ownWorkTried) {
      ownWorkTried = true;
      refused(await ownWorkRefused(cast, gate));
    }
    const voter = cast.voters.find(({ key }) => !voted.by.has(key));
    if (voter === undefined) return;
    voted.by.add(voter.key);
    const reason = 'looked at the evidence of scan, evaluation and staging';
    const answer = await sendVote(voter.api, gate, { verdict: 'approve', reason }).catch((error: unknown) => {
      if (error instanceof ApiRefusal) return error;
      throw error;
    });
    if (answer instanceof ApiRefusal) tell(`${voter.key} was refused: ${answer.message}`);
    else tell(`${voter.key} approved: ${answer.passed ? 'that is enough' : 'more are needed'}`);
  };
}

/** The builder's own approval must be refused; a demo in which it is not shows a broken deployment. */
async function ownWorkRefused(cast: Cast, gate: ReturnType<typeof expectWaitingGate>): Promise<RefusedVote> {
  try {
    await sendVote(cast.builder, gate, { verdict: 'approve', reason: 'it works on my machine' });
  } catch (error) {
    if (error instanceof ApiRefusal && error.code === 'own_work')
      return { person: cast.builderKey, code: error.code, message: error.message };
    throw error;
  }
  throw new Trouble(`expected the approval of ${cast.builderKey}'s own work to be refused, got it recorded`);
}
