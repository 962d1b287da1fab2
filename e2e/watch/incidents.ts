import { randomUUID } from 'node:crypto';
import {
  builtinPrincipals,
  type GateName,
  idFrom,
  type PersonId,
  type WatchAction,
  type WatchCheck,
  type WatchRule,
} from '@proviso/domain';
import { freezePrototype } from '../../apps/worker/src/prototype-folder.contract.ts';
import type { World } from '../../apps/worker/src/world.contract.ts';

/** Of virtual time, too. */
export const dayMs = 86_400_000;

/** What befalls one live release on a day, and what its policy orders for it. */
export interface Incident {
  readonly name: string;
  readonly check: WatchCheck | null;
  readonly action: WatchAction | null;
  readonly day: number;
  /** Rows of its policy beside those that every release is watched by. */
  readonly rows: Partial<WatchRule>;
  readonly without: readonly GateName[];
  /** A version that was live before it, to which users go back. */
  readonly hasPrevious?: true;
  readonly befall: (victim: Victim) => Promise<void>;
}

/** A live release to which something happens. */
export interface Victim {
  readonly world: World;
  readonly prototype: `pro_${string}`;
  readonly promotion: `prm_${string}`;
  readonly artifact: `sha256:${string}`;
  readonly commit: string;
  readonly owner: PersonId;
  readonly administrator: PersonId;
  /** The day it is for the product. */
  readonly today: string;
}

const nothing = async (): Promise<void> => undefined;
const unevaluated: readonly GateName[] = ['readiness', 'scan', 'evaluation'];
const evaluatedOnly: readonly GateName[] = ['readiness', 'scan'];

/** Wrong answers to a share of the cases. */
function worseBy(share: number) {
  return async ({ world, artifact }: Victim): Promise<void> =>
    world.edge.behave(artifact, {
      answer: (path) => {
        const at = /^\/ask\/(\d+)$/.exec(path)?.[1];
        const isWrong = at !== undefined && Number(at) < 40 * share;
        return { status: 200, body: isWrong ? 'sorry' : `answer of ${path}` };
      },
    });
}

/** One release for each kind of breach, one that goes back to the version before, and one to which nothing happens. */
export const incidents: readonly Incident[] = [
  {
    ...{ name: 'calm', check: null, action: null, day: 0, without: unevaluated },
    rows: {},
    befall: nothing,
  },
  {
    ...{ name: 'a new advisory', check: 'scan', action: 'demote', day: 20, without: ['readiness', 'evaluation'] },
    rows: { everyMs: 15 * dayMs, scan: { do: 'demote' } },
    befall: async (victim) => await bring(victim, 'osv', advisories),
  },
  {
    ...{ name: 'an evaluation drop', check: 'evaluation', action: 'rollback', day: 30, without: evaluatedOnly },
    rows: { evaluation: { below: 0.9, do: 'rollback' }, drift: { psiMax: 9, do: 'note' } },
    befall: worseBy(0.5),
  },
  {
    ...{ name: 'drift', check: 'drift', action: 'note', day: 40, without: evaluatedOnly },
    rows: { evaluation: { below: 0.5, do: 'rollback' }, drift: { psiMax: 0.2, do: 'note' } },
    befall: worseBy(0.2),
  },
  {
    ...{ name: 'cost over its cap', check: 'cost', action: 'demote', day: 50, without: unevaluated },
    rows: {},
    befall: async (victim) =>
      await bring(victim, 'cost', { currency: 'EUR', days: [{ day: victim.today, amount: 31 }] }),
  },
  {
    ...{ name: 'errors over budget', check: 'errorBudget', action: 'rollback', day: 55, without: unevaluated },
    rows: {},
    hasPrevious: true,
    befall: async ({ world, artifact }) => world.edge.behave(artifact, { badShare: 0.4 }),
  },
  {
    ...{ name: 'a review that is due', check: 'review', action: 'hold', day: 60, without: unevaluated },
    rows: { review: { afterMs: 60 * dayMs, do: 'hold' } },
    befall: nothing,
  },
  {
    ...{ name: 'an owner shut out', check: 'owner', action: 'hold', day: 70, without: unevaluated },
    rows: {},
    befall: async ({ world, owner, administrator }) =>
      await world.submit(administrator, { kind: 'DisablePerson', person: owner }),
  },
];

/** What every release is watched by; the bounds are such that only what befalls it breaches one. */
export function watchFor({ rows }: Incident, everyMs: number): WatchRule {
  return {
    everyMs,
    owner: { do: 'hold' },
    review: { afterMs: 300 * dayMs, do: 'note' },
    cost: { capPerDay: 20, do: 'demote' },
    errorBudget: { burnMax: 2, do: 'rollback' },
    ...rows,
  };
}

const advisories = {
  results: [
    {
      source: { path: 'package-lock.json', type: 'lockfile' },
      packages: [
        {
          package: { name: 'left-pad', version: '1.0.0', ecosystem: 'npm' },
          vulnerabilities: [],
          groups: [{ ids: ['GHSA-0000-0000-0000', 'CVE-2026-0001'], aliases: [], max_severity: '9.8' }],
        },
      ],
    },
  ],
};

/** Brings a document for the live version, as a pipeline or a person does. */
async function bring({ world, prototype, promotion, commit }: Victim, kind: string, document: object): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const { digest } = await world.ports.evidence.put(bytes, { mediaType: 'application/json' });
  const { state } = await world.view(promotion);
  const brought = { candidate: state.candidate.id, document: { kind, digest, bytes: bytes.length } };
  await world.submit(world.builder, { kind: 'AddEvidence', prototype, commit, ...brought });
}

/** Makes a release live under its policy, by all its gates; a version before it first, where it has one. */
export async function liveRelease(
  world: World,
  incident: Incident,
  { everyMs, administrator }: { readonly everyMs: number; readonly administrator: PersonId },
): Promise<Omit<Victim, 'today'> & { readonly before: `prm_${string}` | null }> {
  const prototype = await world.openPrototype();
  const owner = idFrom('psn', randomUUID());
  const person = { person: owner, principal: 'human', bindings: [] } as const;
  await world.submit(builtinPrincipals.founder.id, { kind: 'AddPerson', ...person });
  await world.submit(world.operator, { kind: 'AssignOwner', prototype, owner });
  const watch = watchFor(incident, incident.rows.everyMs ?? everyMs);
  const live = async (version: string) => {
    const commit = randomUUID().replaceAll('-', '');
    const artifact = await freezePrototype(world.ports.evidence, { 'version.txt': `${incident.name} ${version}\n` });
    const subject = await world.promote(prototype, artifact, {
      watch,
      commit,
      deadlineMs: 7 * dayMs,
      without: incident.without,
    });
    await world.run(subject);
    await world.approve(subject.promotion);
    const onward = await world.run(subject);
    if (onward.kind !== 'end' || onward.outcome !== 'live')
      throw new Error(`expected ${incident.name} to be live, got ${JSON.stringify(onward)}`);
    return { promotion: subject.promotion, artifact, commit };
  };
  const before = incident.hasPrevious === true ? (await live('before')).promotion : null;
  return { world, prototype, owner, administrator, before, ...(await live('now')) };
}
