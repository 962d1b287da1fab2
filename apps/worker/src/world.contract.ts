import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  artifactOf,
  builtinPrincipals,
  type CandidateManifest,
  type CanaryRule,
  type Command,
  type Digest,
  type GateName,
  type GateRule,
  idFrom,
  type Onward,
  type PersonId,
  type Policy,
  type PromotionId,
  type PrototypeId,
  type Step,
  type WatchRule,
  type WorkspaceId,
} from '@proviso/domain';
import { type Builder, findPackageTools, openPackageCache } from '@proviso/build';
import { folderStore } from '@proviso/evidence';
import { findIsolation } from '@proviso/isolation';
import { type Journal, openJournal, type PromotionView } from '@proviso/journal';
import { localTarget } from '@proviso/targets';
import { createDatabase, type TestDatabase } from '@proviso/testkit';
import type { PromotionSubject } from '@proviso/workflow';
import { openBuildQueue } from './build-queue.ts';
import { carry } from './errand.ts';
import { noFault } from './fault.ts';
import { isolatedChild } from './isolated-child.ts';
import type { Log, Turn, WorkerPorts } from './ports.ts';
import { openRehearsalEdge, type RehearsalEdge } from './rehearsal-edge.contract.ts';
import { acts } from './activities.ts';

/** A workspace with people, a journal on a database of its own, an evidence folder and an edge to rehearse on. */
export interface World {
  readonly journal: Journal;
  readonly edge: RehearsalEdge;
  readonly ports: WorkerPorts;
  readonly workspace: WorkspaceId;
  readonly pumpUrl: string;
  readonly evidenceFolder: string;
  readonly lines: readonly string[];
  readonly operator: PersonId;
  readonly builder: PersonId;
  readonly submit: (actor: PersonId, command: Command) => Promise<void>;
  readonly openPrototype: (options?: { trusted?: boolean }) => Promise<PrototypeId>;
  readonly promote: (
    prototype: PrototypeId,
    artifact: `sha256:${string}`,
    over?: PromoteOver,
  ) => Promise<PromotionSubject>;
  readonly carry: (subject: PromotionSubject, step: Step, ports?: Partial<WorkerPorts>) => Promise<Onward>;
  /** Carries steps one after another until there is nothing to run. */
  readonly run: (subject: PromotionSubject) => Promise<Onward>;
  readonly approve: (promotion: PromotionId) => Promise<void>;
  readonly view: (promotion: PromotionId) => Promise<PromotionView>;
  readonly close: () => Promise<void>;
}

/** What differs in one promotion: in its policy the canary, whether it builds, which gates it has and what is watched. */
export type PromoteOver = Partial<CanaryRule> & {
  readonly builds?: boolean;
  readonly without?: readonly GateName[];
  readonly watch?: WatchRule;
  /** The commit that its version was made from. */
  readonly commit?: string;
  /** What its version is made of, and which gates run again for what changed in it. */
  readonly parts?: CandidateManifest['parts'];
  readonly changes?: Policy['changes'];
};

/**
 * The deadline counts from the database's clock, and this world's runs ahead of it: while an evaluation works, the renewal
 * of its trial waits in the background and lets time pass a hundred times as fast. On a busy machine that was a minute
 * before the canary had begun. A day is more than any test takes; one that is about deadlines names its own.
 */
const quick: CanaryRule = {
  weights: [10, 50],
  lookMs: 200,
  dwellMs: 0,
  deadlineMs: 86_400_000,
  alpha: 0.01,
  beta: 0.05,
  rateRatioMax: 2,
};

function gatesWith({
  builds,
  without = [],
  watch: _watch,
  commit: _commit,
  parts: _parts,
  changes: _changes,
  ...canary
}: PromoteOver): readonly GateRule[] {
  const all: readonly GateRule[] = [
    { gate: 'readiness', attemptsMax: 2 },
    ...(builds === true ? [{ gate: 'build', attemptsMax: 2 } as const] : []),
    { gate: 'scan', attemptsMax: 2 },
    { gate: 'evaluation', attemptsMax: 2, bar: 0.9, repeats: 1 },
    { gate: 'staging', attemptsMax: 2 },
    { gate: 'approval', requirements: [{ from: 'group/security', count: 1 }], expiresMs: 3_600_000 },
    { gate: 'canary', attemptsMax: 2, ...quick, ...canary },
  ];
  return all.filter(({ gate }) => !without.includes(gate));
}

type People = Readonly<Record<'builder' | 'approver' | 'operator' | 'policyOwner', PersonId>>;

/** Opens a world, on a database of its own unless one is given. Its clock runs fast: what is waited for comes at once. */
export async function openWorld(options: { readonly database?: TestDatabase } = {}): Promise<World> {
  const database = options.database ?? (await createDatabase());
  const { appUrl: url, vaultKeyHex, pumpUrl } = database;
  const journal = await openJournal({ url, connectionsMax: 6, origin: 'test', vaultKeyHex, durable: false });
  const workspace: WorkspaceId = idFrom('wsp', randomUUID());
  const draw = (): PersonId => idFrom('psn', randomUUID());
  const people: People = { builder: draw(), approver: draw(), operator: draw(), policyOwner: draw() };
  const submit: World['submit'] = async (actor, command) => {
    const receipt = await journal.submit({ workspace, actor, command, idempotencyKey: randomUUID(), authn: 'test' });
    if (receipt.kind === 'accepted') return;
    throw new Error(`${command.kind}: ${receipt.refusal.code} ${receipt.refusal.message}`);
  };
  await peopleOf({ workspace, submit }, people);
  const edge = await openRehearsalEdge(journal, workspace);
  const lines: string[] = [];
  const evidenceFolder = join(await mkdtemp(join(tmpdir(), 'proviso-world-')), 'evidence');
  const builder = await builderIn(`${evidenceFolder}-packages`);
  const ports = portsOf({ journal, edge, lines, evidenceFolder, builder });
  const view: World['view'] = async (promotion) => {
    const found = await journal.reads(workspace).promotion(promotion);
    if (found === null) throw new Error('expected a promotion');
    return found;
  };
  const carryStep: World['carry'] = async (subject, step, more = {}) =>
    await carry({ ...ports, ...more }, { ...subject, step }, { turn: turn(), act: acts[step] });
  const { operator, builder: uploader } = people;
  return {
    ...{ journal, edge, ports, workspace, pumpUrl, evidenceFolder, lines, submit, view, carry: carryStep },
    ...{ operator, builder: uploader },
    openPrototype: async ({ trusted = true } = {}) => await openPrototype(submit, people, trusted),
    promote: async (prototype, artifact, over = {}) => ({
      workspace,
      promotion: await openPromotion(submit, people, { prototype, artifact, over }),
    }),
    run: async (subject) => {
      // Whatever the first gate is: a step that is not due answers what is.
      let onward: Onward = { kind: 'run', step: 'readiness' };
      while (onward.kind === 'run') onward = await carryStep(subject, onward.step);
      return onward;
    },
    approve: async (promotion) => await submit(people.approver, approvalOf(await view(promotion))),
    close: async () => {
      await edge.close();
      await journal.close();
      await rm(dirname(evidenceFolder), { recursive: true, force: true });
    },
  };
}

async function openPrototype(submit: World['submit'], people: People, trusted: boolean): Promise<PrototypeId> {
  const { builder, operator } = people;
  const prototype = idFrom('pro', randomUUID());
  const lanes = { staging: idFrom('lane', randomUUID()), production: idFrom('lane', randomUUID()) };
  const name = `desk-${prototype.slice(4, 12)}`;
  const hosts = { staging: `staging.${name}.localhost`, production: `${name}.localhost` };
  await submit(builder, { kind: 'RegisterPrototype', prototype, name, owner: operator, lanes, hosts });
  if (trusted) await submit(operator, { kind: 'TrustPrototype', prototype, trusted });
  return prototype;
}

async function openPromotion(
  submit: World['submit'],
  { builder, policyOwner }: People,
  what: { readonly prototype: PrototypeId; readonly artifact: Digest; readonly over: PromoteOver },
): Promise<PromotionId> {
  const { prototype, artifact, over } = what;
  const { watch, commit, parts = {}, changes } = over;
  const promotion = idFrom('prm', randomUUID());
  const policyId = idFrom('pol', randomUUID());
  const candidate = idFrom('cnd', randomUUID());
  const name = `p-${policyId.slice(4, 12)}`;
  const gates = gatesWith(over);
  const base = { name, environment: 'production', evidenceAgeMaxMs: 86_400_000, gates } as const;
  const policy = { ...base, ...(watch !== undefined && { watch }), ...(changes !== undefined && { changes }) };
  const manifest = { v: 1, artifact, parts } as const;
  const provenance = {
    kind: 'upload',
    uploader: builder,
    authors: [],
    ...(commit !== undefined && { commit }),
  } as const;
  const frozen = { id: candidate, version: artifact.slice(7, 14), manifestDigest: artifact, manifest, provenance };
  await submit(builder, { kind: 'FreezeCandidate', prototype, candidate: frozen });
  await submit(policyOwner, { kind: 'PublishPolicy', policyId, policy, digest: artifact, author: policyOwner });
  await submit(builder, { kind: 'OpenPromotion', promotion, prototype, candidate, policyId });
  return promotion;
}

function approvalOf({ state }: PromotionView): Command {
  const gate = state.gates.find((one) => one.name === 'approval');
  if (gate?.evidenceDigest == null) throw new Error('expected an open approval gate');
  const { attempt, evidenceDigest } = gate;
  const artifact = artifactOf(state);
  const decision = idFrom('dec', randomUUID());
  const vote = { gate: 'approval', attempt, decision, verdict: 'approve', artifact, evidenceDigest } as const;
  return { kind: 'Decide', promotion: state.id, ...vote };
}

async function peopleOf({ workspace, submit }: Pick<World, 'workspace' | 'submit'>, people: People): Promise<void> {
  const founder = builtinPrincipals.founder.id;
  await submit(founder, { kind: 'OpenWorkspace', workspace, name: 'test' });
  const bindings = {
    builder: [{ role: 'builder' }],
    approver: [{ role: 'approver', group: 'security' }],
    operator: [{ role: 'operator' }],
    policyOwner: [{ role: 'policy-owner' }],
  } as const;
  for (const [name, person] of Object.entries(people) as [keyof typeof people, PersonId][]) {
    await submit(founder, { kind: 'AddPerson', person, principal: 'human', bindings: bindings[name] });
  }
}

/** Real sandboxes and tools; packages come from nowhere unless a test says so. */
async function builderIn(folder: string): Promise<Builder> {
  const nowhere = 'http://127.0.0.1:9/';
  return {
    isolation: await findIsolation(),
    tools: await findPackageTools(process.env.PATH ?? ''),
    cache: openPackageCache(folder, { bytesMax: 10_000_000, now: Date.now }),
    registries: { npm: nowhere, pypi: nowhere, certificates: null },
    origin: 'test',
  };
}

function portsOf(parts: {
  journal: Journal;
  edge: RehearsalEdge;
  lines: string[];
  evidenceFolder: string;
  builder: Builder;
}): WorkerPorts {
  const note = (fields: Readonly<Record<string, unknown>>, event: string): void => {
    parts.lines.push(`${event} ${JSON.stringify(fields)}`);
  };
  const log: Log = { info: note, warn: note, error: note };
  return {
    journal: parts.journal,
    evidence: folderStore(parts.evidenceFolder),
    edge: localTarget({ controlUrl: parts.edge.controlUrl, token: 'token', fetchTimeoutMs: 2_000 }),
    routerUrl: parts.edge.routerUrl,
    gatePass: 'gate-pass',
    workFolder: `${parts.evidenceFolder}-work`,
    isolated: isolatedChild(parts.builder.isolation, `${parts.evidenceFolder}-work`),
    builder: parts.builder,
    builds: openBuildQueue(1),
    prometheus: new Map(),
    clock: hurriedClock(),
    drawId: randomUUID,
    fault: noFault,
    log,
  };
}

/** Time passes by waiting for it and by nothing else, a hundred times as fast as the wall's. */
export function hurriedClock(): WorkerPorts['clock'] {
  let passedMs = 0;
  return {
    now: () => Date.now() + passedMs,
    pause: async (durationMs, signal) => {
      await pause(durationMs / 100, undefined, { signal });
      passedMs += durationMs;
    },
  };
}

/** A call of an activity, as the worker would make it. */
export function turn(more: Partial<Turn> = {}): Turn {
  const quiet = (): void => undefined;
  return {
    claimant: `run/${randomUUID()}/1`,
    signal: new AbortController().signal,
    beginnings: 0,
    begin: quiet,
    ...more,
  };
}
