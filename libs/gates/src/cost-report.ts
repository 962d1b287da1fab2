import { type Of, group, list, number, read, text } from '@proviso/domain';

/** The kind under which such a report is brought for a candidate. */
export const costKind = 'cost';

const costShape = group({
  currency: text({ pattern: '^[A-Z]{3}$', meaning: 'three capital letters' }),
  days: list(
    group({
      day: text({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$', meaning: 'a day such as 2026-12-19' }),
      amount: number({ min: 0, max: 1e12 }),
    }),
    { min: 1, max: 400 },
  ),
});

/** What a prototype cost, day by day, as somebody's bill says it. */
export type CostReport = Of<typeof costShape>;

const bytesMax = 256 * 1024;

/** Reads a report of costs; null for whatever else it is. */
export function readCostReport(bytes: Uint8Array): CostReport | null {
  if (bytes.byteLength > bytesMax) return null;
  const found = read(costShape, parsed(bytes));
  return found.ok && found.value.days.every(({ day }) => !Number.isNaN(Date.parse(day))) ? found.value : null;
}

/** The newest day of a report with what it cost. */
export function newestDay({ days }: CostReport): CostReport['days'][number] | null {
  return days.toSorted((one, other) => one.day.localeCompare(other.day)).at(-1) ?? null;
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
}
