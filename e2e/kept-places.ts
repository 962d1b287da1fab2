import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Stage } from './stage.ts';

/** Every table of the journal as text, read as the superuser: no policy hides a row. */
export async function tablesText(superuserUrl: string): Promise<readonly (readonly [string, string])[]> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  const { rows: tables } = await client.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'proviso' where c.relkind = 'r'`,
  );
  const found: [string, string][] = [];
  for (const { name } of tables) {
    const { rows } = await client.query<Record<string, unknown>>(`select * from proviso.${name}`);
    const text = rows.map((row) => Object.values(row).map(textOf).join(' ')).join('\n');
    found.push([`table ${name}`, text]);
  }
  await client.end();
  return found;
}

function textOf(value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Every file in a folder, at any depth. */
export function filesBelow(top: string): readonly string[] {
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The histories with their payloads decoded. */
export function historiesOf({ binary, address }: Stage['temporal']): readonly (readonly [string, string])[] {
  const temporal = (...args: string[]) =>
    execFileSync(binary, [...args, '--address', address, '-o', 'json'], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
  const runs = JSON.parse(temporal('workflow', 'list')) as { execution: { workflowId: string } }[];
  return runs.map(({ execution }) => {
    const text = temporal('workflow', 'show', '-w', execution.workflowId);
    const payloads = [...text.matchAll(/"data":\s*"([A-Za-z0-9+/=]+)"/g)].map(([, data]) =>
      Buffer.from(data ?? '', 'base64'),
    );
    return [`history ${execution.workflowId}`, text + payloads.join('\n')] as const;
  });
}
