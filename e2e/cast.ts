import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** Everybody who speaks to the API. */
export const personKeys = ['bea', 'sam', 'olga', 'pia', 'edge'] as const;
/** One of them. */
export type PersonKey = (typeof personKeys)[number];

/** A workspace with its people, their tokens and its policy. */
export interface Cast {
  readonly workspace: string;
  readonly people: Readonly<Record<PersonKey, { readonly id: string; readonly token: string }>>;
  /** Whom the stage was asked to have beside them, by their keys. */
  readonly extras: Readonly<Record<string, { readonly id: string; readonly token: string }>>;
  readonly policies: Readonly<Record<string, { readonly id: string }>>;
}

/** A human beside the cast; keys are lower-case words joined by hyphens. */
export interface Extra {
  readonly key: string;
  readonly bindings: readonly { readonly role: string; readonly group?: string }[];
}

const people = [
  { key: 'bea', principal: 'human', bindings: [{ role: 'builder' }, { role: 'approver', group: 'security' }] },
  { key: 'sam', principal: 'human', bindings: [{ role: 'approver', group: 'security' }] },
  { key: 'olga', principal: 'human', bindings: [{ role: 'operator' }, { role: 'approver', group: 'product' }] },
  { key: 'pia', principal: 'human', bindings: [{ role: 'policy-owner' }, { role: 'administrator' }] },
  { key: 'edge', principal: 'service', bindings: [{ role: 'edge' }] },
] as const;

/** A founding takes a hundred people at once; some of those are the cast. */
const extrasAtOnce = 90;

interface Founding {
  readonly folder: string;
  readonly workspace: string;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Runs the API's own one-shot process: migrations, the workspace, its people and the policies; more runs for more people.
 * Policies come last: one that too few people could meet would be refused.
 */
export async function foundCast(
  order: Founding & { readonly policies: readonly string[]; readonly extras?: readonly Extra[] },
): Promise<Cast> {
  const extras: Record<string, { id: string; token: string }> = {};
  const wanted = order.extras ?? [];
  for (let from = 0; from < wanted.length; from += extrasAtOnce) {
    const some = wanted.slice(from, from + extrasAtOnce).map((one) => ({ ...one, principal: 'human' }));
    Object.assign(extras, (await founded(order, { people: some, policies: [] })).people);
  }
  const cast = await founded(order, { people, policies: order.policies.map((source) => ({ source })) });
  return { ...cast, extras };
}

async function founded(
  { folder, workspace, environment }: Founding,
  form: { readonly people: readonly { readonly key: string }[]; readonly policies: readonly object[] },
): Promise<Omit<Cast, 'extras'>> {
  const child = spawn(process.execPath, ['--import', './tools/decorators.mjs', 'apps/api/src/bootstrap.ts'], {
    cwd: folder,
    env: environment,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  child.stdin.end(
    JSON.stringify({
      workspace: { id: workspace, name: 'e2e' },
      people: form.people.map((person) => ({ ...person, name: person.key, token: true })),
      policies: form.policies,
    }),
  );
  const code = await new Promise((resolve) => child.once('close', resolve));
  const [output, errors] = await said;
  if (code !== 0) throw new Error(`expected the founding to succeed, got code ${String(code)}: ${errors}`);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Omit<Cast, 'extras'>;
}
