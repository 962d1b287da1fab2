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
  readonly policies: Readonly<Record<string, { readonly id: string }>>;
}

const people = [
  { key: 'bea', principal: 'human', bindings: [{ role: 'builder' }, { role: 'approver', group: 'security' }] },
  { key: 'sam', principal: 'human', bindings: [{ role: 'approver', group: 'security' }] },
  { key: 'olga', principal: 'human', bindings: [{ role: 'operator' }] },
  { key: 'pia', principal: 'human', bindings: [{ role: 'policy-owner' }, { role: 'administrator' }] },
  { key: 'edge', principal: 'service', bindings: [{ role: 'edge' }] },
] as const;

/** Runs the API's own one-shot process: migrations, the workspace, its people and the policy. */
export async function foundCast(order: {
  readonly folder: string;
  readonly workspace: string;
  readonly policy: string;
  readonly environment: Readonly<Record<string, string>>;
}): Promise<Cast> {
  const child = spawn(process.execPath, ['--import', './tools/decorators.mjs', 'apps/api/src/bootstrap.ts'], {
    cwd: order.folder,
    env: order.environment,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  child.stdin.end(
    JSON.stringify({
      workspace: { id: order.workspace, name: 'e2e' },
      people: people.map((person) => ({ ...person, name: person.key, token: true })),
      policies: [{ source: order.policy }],
    }),
  );
  const code = await new Promise((resolve) => child.once('close', resolve));
  const [output, errors] = await said;
  if (code !== 0) throw new Error(`expected the founding to succeed, got code ${String(code)}: ${errors}`);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Cast;
}
