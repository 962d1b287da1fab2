import { readFile } from 'node:fs/promises';
import { addEvidence, distrustWorkload, type Prototype, trustWorkload } from '@proviso/client';
import { isId } from '@proviso/domain';
import type { Api } from '../api.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { apiOfRun } from '../pipeline-run.ts';
import { type ProfileFlags, addressOf } from '../profile.ts';
import { expectPrototype } from '../reading.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';
import { Trouble } from '../trouble.ts';

/** Which runs are trusted. */
export interface TrustFlags {
  readonly name: string;
  readonly issuer: string;
  readonly audience: string;
  readonly repository: string;
  readonly ref: string;
  readonly workflow?: string;
  readonly promotes?: true;
}

/** Trusts the runs of a pipeline to bring evidence for a prototype, or to promote it too. */
export async function trustPipeline(session: Session, prototype: string, flags: TrustFlags): Promise<ExitCode> {
  const api = session.api();
  const { id } = await expectPrototype(api, prototype);
  const { name, issuer, audience, repository, ref, workflow, promotes } = flags;
  const more = { ...(workflow !== undefined && { workflow }), ...(promotes === true && { promotes }) };
  const body = { name, issuer, audience, repository, ref, ...more };
  const shown = await api.write((options) => trustWorkload({ ...options, path: { id }, body }));
  return print(session, shown);
}

/** Ends that trust, and every token of its runs. */
export async function distrustPipeline(session: Session, prototype: string, service: string): Promise<ExitCode> {
  const api = session.api();
  const { id } = await expectPrototype(api, prototype);
  const shown = await api.write((options) => distrustWorkload({ ...options, path: { id }, body: { service } }));
  return print(session, shown);
}

/** The pipelines that are trusted. */
export async function listPipelines(session: Session, prototype: string): Promise<ExitCode> {
  return print(session, await expectPrototype(session.api(), prototype));
}

/** What one document is about. */
export interface EvidenceFlags extends ProfileFlags {
  readonly kind: string;
  readonly commit: string;
  /** Given in a run of a pipeline, which knows no other way to say where it belongs. */
  readonly workspace?: string;
  readonly audience: string;
}

/** Brings a file as evidence. A run may read nothing, so it names its prototype by id. */
export async function bringEvidence(
  session: Session,
  prototype: string,
  { file, ...flags }: EvidenceFlags & { readonly file: string },
): Promise<ExitCode> {
  const { kind, commit } = flags;
  const contentBase64 = await readFile(file, 'base64').catch((error: unknown) => {
    throw new Trouble(`expected a file at ${file}, got none that can be read`, { cause: error });
  });
  const api = flags.workspace === undefined ? session.api() : await inRun(session, prototype, flags);
  const id = isId('pro', prototype) ? prototype : (await expectPrototype(api, prototype)).id;
  const body = { kind, commit, contentBase64 };
  const added = await api.write((options) => addEvidence({ ...options, path: { id }, body }));
  if (session.json) session.print(JSON.stringify(added));
  else session.print(`${kind} ${added.digest} stands with ${added.candidate}.`);
  return exitCodes.ok;
}

async function inRun(session: Session, prototype: string, flags: EvidenceFlags): Promise<Api> {
  const { workspace = '', audience } = flags;
  if (!isId('pro', prototype))
    throw new Trouble(`expected the id of a prototype (pro_…), since a run reads no names, got ${prototype}`);
  const { config, interruption } = session;
  const order = { workspace, prototype, audience, pipeline: config.pipeline, signal: interruption.signal };
  return await apiOfRun({ ...order, url: addressOf(flags, config) });
}

function print(session: Session, { name, workloads }: Prototype): ExitCode {
  if (session.json) session.print(JSON.stringify({ prototype: name, workloads }));
  else if (workloads.length === 0) session.print(`${name} trusts no pipeline.`);
  else {
    const rows = workloads.map(({ service, issuer, repository, ref, workflow, promotes }) => [
      ...[service, repository, ref],
      ...[workflow ?? 'any', promotes ? 'promotes' : 'evidence', issuer],
    ]);
    session.print(table(['service', 'repository', 'ref', 'workflow', 'may', 'issuer'], rows));
  }
  return exitCodes.ok;
}
