import type { Aim } from './aims.ts';

/** Where an attack is made; `bare` is the same script without isolation, to show that the attack itself works. */
export const phases = ['bare', 'build', 'evaluation', 'release'] as const;
/** One of them. */
export type Phase = (typeof phases)[number];

/** What came of one attack. */
export interface Attack {
  readonly label: string;
  readonly phase: Phase;
  readonly outcome: string;
  /** `unproven`: nothing was learned, which is never a success. */
  readonly verdict: 'kept away' | 'reached' | 'unproven';
  /** Whether the machine has such a thing, so that the bare attack must succeed. */
  readonly real?: boolean;
}

const words: Readonly<Record<string, string>> = {
  ...{ ECONNREFUSED: 'refused', ECONNRESET: 'refused', 'status 403': 'refused (403)', 'status 400': 'refused (400)' },
  ...{ ENOENT: 'not visible', ESRCH: 'not visible', ENOTDIR: 'not visible' },
  ...{ ENETUNREACH: 'no network', EHOSTUNREACH: 'no network', ENETDOWN: 'no network' },
  ...{ EACCES: 'not permitted', EPERM: 'not permitted' },
  ...{ EAI_AGAIN: 'no resolver', ENOTFOUND: 'no resolver', ETIMEOUT: 'no resolver' },
};

/** What a script said about the aims: one attack for each, which is reached when any of its keys was. */
export function attacksOf(
  phase: Phase,
  aims: readonly Aim[],
  found: Readonly<Record<string, string>> | null,
): readonly Attack[] {
  return aims.map(({ label, keys, real }) => {
    const said = keys.map((key) => found?.[key] ?? 'no answer');
    // A thing with several ways to it is reached when one of them leads there.
    const outcome = said.includes('reached')
      ? 'reached'
      : [...new Set(said.map((each) => words[each] ?? each))].join(', ');
    return { label, phase, outcome, verdict: verdictOf(said), real };
  });
}

function verdictOf(said: readonly string[]): Attack['verdict'] {
  if (said.includes('reached')) return 'reached';
  return said.includes('no answer') ? 'unproven' : 'kept away';
}

/** Attacks by phases, a line each. */
export function tableText(attacks: readonly Attack[]): string {
  const labels = [...new Set(attacks.map(({ label }) => label))];
  const cell = (label: string, phase: Phase): string => {
    const found = attacks.find((each) => each.label === label && each.phase === phase);
    if (found === undefined) return '–';
    const mark = { 'kept away': '', reached: '!', unproven: '?' }[found.verdict];
    return phase === 'bare' ? found.outcome : mark + found.outcome;
  };
  const rows = [['', ...phases], ...labels.map((label) => [label, ...phases.map((phase) => cell(label, phase))])];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
