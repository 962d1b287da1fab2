import { join } from 'node:path';
import type { Extra } from './cast.ts';
import { Refused } from './door.ts';
import { type Driver, openDoors, registered, uploaded } from './journey.ts';

/** A gate that waits for people, with the digests that a vote is bound to. */
export interface OpenGate {
  readonly id: string;
  readonly attempt: number;
  readonly artifactDigest: string;
  readonly evidenceDigest: string | null;
}

/** A policy that asks people first, so that a gate is open without any machine. */
export const crowdPolicy = `policy: crowd
environment: production
gates:
  - gate: approval
    requirements:
      - from: group/security
        count: 2
      - from: role/operator
        count: 1
    expires: 1h
  - gate: canary
    weights: [50]
`;

/** Without somebody else in that group nobody could ever meet the policy, and it would be refused. She never votes. */
export const crowdExtras: readonly Extra[] = [{ key: 'sue', bindings: [{ role: 'approver', group: 'security' }] }];

/** Uploads and opens a promotion of a new prototype and gives the gate at which it waits. */
export async function openedAtGate(driver: Driver, name: string): Promise<OpenGate> {
  const doors = openDoors(driver);
  const prototype = await registered(doors, name);
  const exampleFolder = join(driver.examples, 'good');
  const promotion = await uploaded(driver, { doors, prototype, archive: { exampleFolder, name, version: 'v1' } });
  const found = await doors.bea.get<{ gates: readonly OpenGate[] }>(`/v1/promotions/${promotion}`);
  const [gate] = found.gates;
  if (gate === undefined) throw new Error('expected a gate, got none');
  return gate;
}

/** One vote with a key of its own; being told that it was too late is an answer like any other. */
export async function voteAs(driver: Driver, person: 'sam' | 'olga', gate: OpenGate): Promise<void> {
  const { attempt, artifactDigest, evidenceDigest } = gate;
  const body = { verdict: 'approve', reason: 'one of many', attempt, artifactDigest, evidenceDigest };
  try {
    await openDoors(driver)[person].post(`/v1/gates/${gate.id}/decisions`, body);
  } catch (error) {
    // A planted bug may break the server in ways that the server cannot name; what counts is what was written.
    if (!(error instanceof Refused)) throw error;
  }
}
