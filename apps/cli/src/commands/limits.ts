import { type Limits, readLimits, setLimits } from '@proviso/client';
import { bytesWords, type LimitName, limitBounds } from '@proviso/domain';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';
import { Trouble } from '../trouble.ts';

/** What the workspace may take, and what it takes. */
export async function showLimits(session: Session): Promise<ExitCode> {
  return print(session, await session.api().read((options) => readLimits(options)));
}

/** Sets limits by `name=value`; `name=` falls back to the default, and what is not named stays. */
export async function changeLimits(session: Session, words: readonly string[]): Promise<ExitCode> {
  const api = session.api();
  const { set, revision } = await api.read((options) => readLimits(options));
  const changes = words.map(changeOf);
  const body = Object.fromEntries([
    ...Object.entries(set).filter(([name]) => changes.every((change) => change.name !== name)),
    ...changes.flatMap(({ name, value }) => (value === null ? [] : [[name, value] as const])),
  ]);
  // Bound to what was read: of two operators the second looks again.
  const condition = { 'If-Match': `"${revision}"` };
  const changed = await api.write((options) =>
    setLimits({ ...options, headers: { ...options.headers, ...condition }, body }),
  );
  return print(session, changed);
}

function changeOf(word: string): { readonly name: LimitName; readonly value: number | null } {
  const [, name = '', text = ''] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
  if (!isLimit(name))
    throw new Trouble(`expected <limit>=<value>, got ${word}`, {
      advice: `Limits are ${Object.keys(limitBounds).join(', ')}; sizes may end in kB, MB, GB or TB.`,
    });
  if (text === '') return { name, value: null };
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kMGT]B)?$/.exec(text) ?? [];
  const value = Number(digits) * (units[unit] ?? 1);
  const { min, max } = limitBounds[name];
  const fits = digits !== '' && (isSize(name) || (unit === '' && Number.isInteger(value)));
  if (fits && value >= min && value <= max) return { name, value: Math.round(value) };
  throw new Trouble(`expected ${name} from ${sayLimit(name, min)} to ${sayLimit(name, max)}, got ${text}`);
}

const units: Readonly<Record<string, number>> = { kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 };

function isLimit(name: string): name is LimitName {
  return Object.hasOwn(limitBounds, name);
}

function isSize(name: LimitName): boolean {
  return name.endsWith('BytesMax');
}

function print(session: Session, shown: Limits): ExitCode {
  const { limits, set, usage } = shown;
  if (session.json) session.print(JSON.stringify(shown));
  else {
    const taken: Partial<Record<LimitName, string>> = {
      ...{ diskBytesMax: bytesWords(usage.diskBytes), prototypesMax: String(usage.prototypes) },
      ...{ runsAtOnceMax: String(usage.runs), buildsPerDayMax: String(usage.builds) },
    };
    const rows = Object.keys(limitBounds)
      .filter(isLimit)
      .map((name) => [
        ...[name, taken[name] ?? '', sayLimit(name, limits[name])],
        set[name] === undefined ? 'default' : 'an operator',
      ]);
    session.print(table(['limit', 'takes', 'may take', 'set by'], rows));
  }
  return exitCodes.ok;
}

function sayLimit(name: LimitName, value: number): string {
  return isSize(name) ? bytesWords(value) : String(value);
}
