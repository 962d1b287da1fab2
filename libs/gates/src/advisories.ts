import { excerpt } from './redaction.ts';

/** One known weakness of one package, however many names it has. */
export interface Advisory {
  readonly id: string;
  readonly package: string;
  /** As the report says it: a number out of ten, as text; null where it says none. */
  readonly severity: string | null;
}

/** The advisories of a report, or what was expected of it. */
export type AdvisoriesRead =
  | { readonly ok: true; readonly advisories: readonly Advisory[] }
  | { readonly ok: false; readonly problem: string };

/** The kind under which such a report is brought for a candidate. */
export const advisoriesKind = 'osv';

/** More groups than this in one report are not a prototype's. */
const advisoriesMax = 10_000;
const bytesMax = 8 * 1024 * 1024;

/**
 * Reads a report of osv-scanner (`--format json`). Groups are counted, not ids: one weakness has several names. Whatever
 * is not of that form makes the whole report unreadable, since a part of it would pass for all of it.
 */
export function readAdvisories(bytes: Uint8Array): AdvisoriesRead {
  if (bytes.byteLength > bytesMax) return problem(`at most ${bytesMax} bytes, got ${bytes.byteLength}`);
  const found: Advisory[] = [];
  for (const result of listIn(parsed(bytes), 'results') ?? [null]) {
    for (const item of listIn(result, 'packages') ?? [null]) {
      const name = textIn(fieldOf(item, 'package'), 'name');
      const groups = listIn(item, 'groups');
      if (name === null || groups === null) return problem('results with packages, their names and groups');
      for (const group of groups) {
        const id = listIn(group, 'ids')?.[0];
        if (typeof id !== 'string') return problem('groups with ids');
        found.push({ id: excerpt(id, 60), package: excerpt(name, 80), severity: textIn(group, 'max_severity') });
      }
      if (found.length > advisoriesMax) return problem(`at most ${advisoriesMax} groups`);
    }
  }
  return { ok: true, advisories: found };
}

/** What the newer reports name and the older ones did not, each once. */
export function newAdvisories(before: readonly Advisory[], now: readonly Advisory[]): readonly Advisory[] {
  const known = new Set(before.map(nameOf));
  const fresh = new Map(now.filter((one) => !known.has(nameOf(one))).map((one) => [nameOf(one), one]));
  return [...fresh.values()];
}

function nameOf({ id, package: name }: Advisory): string {
  return `${id} ${name}`;
}

function problem(what: string): AdvisoriesRead {
  return { ok: false, problem: `expected a report of osv-scanner: ${what}` };
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
}

function fieldOf(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null && Object.hasOwn(holder, name)
    ? Reflect.get(holder, name)
    : undefined;
}

function listIn(holder: unknown, name: string): readonly unknown[] | null {
  const value = fieldOf(holder, name);
  return Array.isArray(value) ? value : null;
}

function textIn(holder: unknown, name: string): string | null {
  const value = fieldOf(holder, name);
  return typeof value === 'string' && value !== '' ? excerpt(value, 80) : null;
}
