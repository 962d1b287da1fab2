import {
  bindSecret,
  type Configuration,
  previewPromotion,
  readConfiguration,
  rotateSecret,
  setVariable,
  unbindSecret,
  unsetVariable,
} from '@proviso/client';
import type { Environment } from '@proviso/domain';
import type { Api, WriteOptions } from '../api.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { expectPrototype } from '../reading.ts';
import type { Session } from '../session.ts';
import { plainLine, table } from '../table.ts';
import { Trouble } from '../trouble.ts';

/** Which name of which lane. */
export interface Configured {
  readonly prototype: string;
  readonly lane: Environment;
  readonly name: string;
}

type Reference = Configuration['secrets'][number]['reference'];

/** Says where the value of a secret lies. What is no place is refused here already, and printed nowhere. */
export async function bind(session: Session, what: Configured, place: string): Promise<ExitCode> {
  const reference = referenceOf(place);
  const { name } = what;
  return await change(session, what, {
    send: (api, path) => api.write((options) => bindSecret({ ...options, path, body: { name, reference } })),
    done: `${name} of ${what.lane} comes from ${placeOf(reference)}: its releases start anew with it.`,
  });
}

/** Takes a secret from a lane. */
export async function unbind(session: Session, what: Configured): Promise<ExitCode> {
  const send = byName(what, unbindSecret);
  return await change(session, what, { send, done: `${what.lane} has no value for ${what.name} any more.` });
}

/** Another value lies there now: releases start anew with it, and nothing is promoted. */
export async function rotate(session: Session, what: Configured): Promise<ExitCode> {
  const done = `${what.name} of ${what.lane} is read again: the new process takes over when it is ready.`;
  return await change(session, what, { send: byName(what, rotateSecret), done });
}

/** Sets a plain variable. */
export async function set(session: Session, what: Configured, value: string): Promise<ExitCode> {
  const { name } = what;
  return await change(session, what, {
    send: (api, path) => api.write((options) => setVariable({ ...options, path, body: { name, value } })),
    done: `${name} of ${what.lane} is set: its releases start anew with it.`,
  });
}

/** Takes a plain variable away. */
export async function unset(session: Session, what: Configured): Promise<ExitCode> {
  const send = byName(what, unsetVariable);
  return await change(session, what, { send, done: `${what.lane} sets no ${what.name} any more.` });
}

/** What both lanes have, by whom and since when: of secrets their places and never a value. */
export async function list(
  session: Session,
  prototype: string,
  { noun }: { readonly noun: 'secrets' | 'variables' },
): Promise<ExitCode> {
  const api = session.api();
  const { lanes } = await expectPrototype(api, prototype);
  const read = async (id: string) => await api.read((options) => readConfiguration({ ...options, path: { id } }));
  const both = [await read(lanes.staging), await read(lanes.production)];
  if (session.json) {
    const items = both.map(({ lane, environment, revision, [noun]: held }) => ({
      ...{ lane, environment, revision, [noun]: held },
    }));
    session.print(JSON.stringify({ prototype, items }));
    return exitCodes.ok;
  }
  const rows = both.flatMap((lane) => (noun === 'secrets' ? secretRows(lane) : variableRows(lane)));
  const head = ['lane', 'name', noun === 'secrets' ? 'comes from' : 'value', 'by', 'since'];
  session.print(rows.length === 0 ? `${prototype} has no ${noun} in its lanes.` : table(head, rows));
  return exitCodes.ok;
}

/** A link to the version in staging: for whoever asked, once. */
export async function preview(session: Session, id: string): Promise<ExitCode> {
  const link = await session.api().read((options) => previewPromotion({ ...options, path: { id } }));
  if (session.json) session.print(JSON.stringify({ promotion: id, ...link }));
  else {
    session.progress.say(`Opens once, until ${link.expiresAt.slice(11, 16)} UTC:`);
    session.print(link.url);
  }
  return exitCodes.ok;
}

interface Path {
  readonly id: string;
}

async function change(
  session: Session,
  { prototype, lane }: Configured,
  { send, done }: { readonly send: (api: Api, path: Path) => Promise<Configuration>; readonly done: string },
): Promise<ExitCode> {
  const api = session.api();
  const { lanes } = await expectPrototype(api, prototype);
  const configuration = await send(api, { id: lanes[lane] });
  session.print(session.json ? JSON.stringify(configuration) : done);
  return exitCodes.ok;
}

type NameOnly = (
  options: WriteOptions & { readonly path: Path; readonly body: { readonly name: string } },
) => ReturnType<typeof unbindSecret>;

function byName({ name }: Configured, call: NameOnly): (api: Api, path: Path) => Promise<Configuration> {
  return async (api, path) => await api.write((options) => call({ ...options, path, body: { name } }));
}

function referenceOf(place: string): Reference {
  const at = place.indexOf(':');
  const [from, rest] = [place.slice(0, Math.max(0, at)), place.slice(at + 1)];
  if (from === 'environment' && /^[A-Z][A-Z0-9_]{0,199}$/.test(rest)) return { from, name: rest };
  if ((from === 'file' || from === 'vault') && /^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/.test(rest))
    return { from, path: rest };
  throw new Trouble('expected the place of a value, as environment:NAME or file:path, got something else', {
    advice:
      'A value is never typed here: put it on the machine of the edge, and say where. If what you typed was the value, change it, since your shell may remember it.',
  });
}

function placeOf(reference: Reference): string {
  return reference.from === 'environment' ? `environment:${reference.name}` : `${reference.from}:${reference.path}`;
}

function secretRows({ environment, secrets }: Configuration): readonly string[][] {
  return secrets.map(({ name, reference, by, since }) => [
    ...[environment, name, placeOf(reference)],
    ...[by.name ?? by.id, since.slice(0, 16)],
  ]);
}

function variableRows({ environment, variables }: Configuration): readonly string[][] {
  return variables.map(({ name, value, by, since }) => [
    ...[environment, name, plainLine(value)],
    ...[by.name ?? by.id, since.slice(0, 16)],
  ]);
}
