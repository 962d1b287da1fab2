import type { Cast, Extra } from '../cast.ts';
import type { DecisionChannel } from '@proviso/testkit';
import { decisionChannels } from '@proviso/testkit';

/** Who votes in every round, each round with people of its own: two who may, and five who may not, each for another reason. */
const voters = [
  { name: 'sam', bindings: [{ role: 'approver', group: 'security' }] },
  { name: 'kim', bindings: [{ role: 'approver', group: 'security' }] },
  // Whoever asks for the promotion: eligible, were it not their own work.
  { name: 'requester', bindings: [{ role: 'builder' }, { role: 'approver', group: 'security' }] },
  { name: 'lawyer', bindings: [{ role: 'approver', group: 'legal' }] },
  { name: 'operator', bindings: [{ role: 'operator' }] },
  { name: 'administrator', bindings: [{ role: 'administrator' }] },
  { name: 'nobody', bindings: [] },
] as const;

/** One of them. */
export type VoterName = (typeof voters)[number]['name'];

/** The two whose votes count. */
export const eligible: readonly VoterName[] = ['sam', 'kim'];

/** A policy that asks people first, so that a gate is open without any machine. */
export const racePolicy = `policy: race
gates:
  - gate: approval
    requirements: [{ from: group/security, count: 2 }]
    expires: 1h
  - gate: canary
    weights: [50]
`;

/** Fresh people for each round: whoever was refused too often in the last minute is not even asked any more. */
export function crowdOf(rounds: number): readonly Extra[] {
  return Array.from({ length: rounds }, (_, index) => index + 1).flatMap((round) =>
    voters.map(({ name, bindings }) => ({ key: keyOf(name, round), bindings })),
  );
}

/** A round's person with their token. */
export function voterIn(
  { extras }: Cast,
  name: VoterName,
  round: number,
): { readonly id: string; readonly token: string } {
  const found = extras[keyOf(name, round)];
  if (found === undefined) throw new Error(`expected ${name} of round ${round}, got nobody`);
  return found;
}

/** One vote: whose, and by which channel. */
export interface Ballot {
  readonly voter: VoterName;
  readonly channel: DecisionChannel;
}

/** A process of its own for each of the first votes, REST for all others: two hundred processes would only race for two cores. */
const share: Readonly<Record<DecisionChannel['name'], number>> = {
  CLI: 5,
  // Each signs in and looks first, so it comes late: a few are enough.
  page: 10,
  // The deployment of the races has no Slack; its races are in `apps/api/src/slack/interleaving.test.ts`.
  Slack: 0,
  // Nor a GitHub App.
  GitHub: 0,
  REST: Number.POSITIVE_INFINITY,
};

/** The votes of a round, spread evenly over people; nobody who may not even look is given the CLI, which looks first. */
export function ballots(count: number): readonly Ballot[] {
  const channels = decisionChannels.toSorted((a, b) => share[a.name] - share[b.name]);
  const upTo = channels.map((_, index) => channels.slice(0, index + 1).reduce((sum, { name }) => sum + share[name], 0));
  return Array.from({ length: count }, (_, index) => {
    const voter = voters[index % voters.length]?.name ?? 'nobody';
    const channel = channels[upTo.findIndex((end) => index < end)];
    if (channel === undefined) throw new Error('expected a channel for every vote, got none');
    return { voter, channel };
  });
}

function keyOf(name: VoterName, round: number): string {
  return `${name}-${round}`;
}
