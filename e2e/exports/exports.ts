import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Order } from '../order.ts';
import { type Outcome, outcomes, outcomesText, registryMissing } from './outcomes.ts';
import { restarts, type RestartsResult, restartsText } from './restarts.ts';
import { type SwitchResult, switchText, switchUnderLoad } from './switch.ts';

/** What became of the exports, and of releases while everything around them changes. */
export interface ExportsResult {
  readonly restarts: RestartsResult;
  /** Null in the quick profile. */
  readonly change: SwitchResult | null;
  /** Null when they were not tried. */
  readonly outcomes: readonly Outcome[] | null;
  /** Why they could not be tried on this machine. */
  readonly impossible: string | null;
  readonly passed: boolean;
}

const kills = { quick: 3, full: 20 };

/**
 * The storm of restarts, the change of releases, and every export from `init` to its end, each on a stage of its own;
 * three kills of the edge and nothing else when it is to be quick.
 */
export async function exports({ projectRoot, quick, say }: Order): Promise<ExportsResult> {
  const top = mkdtempSync(join(tmpdir(), 'proviso-exports-'));
  const stageIn = (name: string) => {
    const folder = join(top, name);
    mkdirSync(folder);
    return { codeRoot: projectRoot, projectRoot, folder };
  };
  try {
    const stormy = await restarts({ stage: stageIn('restarts'), kills: quick ? kills.quick : kills.full, say });
    if (quick) return { restarts: stormy, change: null, outcomes: null, impossible: null, passed: stormy.passed };
    say('changing releases under load');
    const change = await switchUnderLoad({ ...stageIn('switch') });
    const impossible = await registryMissing(projectRoot);
    if (impossible !== null) return { restarts: stormy, change, outcomes: null, impossible, passed: false };
    say('promoting every export');
    const found = await outcomes(stageIn('outcomes'));
    const passed = stormy.passed && change.passed && found.every((each) => each.passed);
    return { restarts: stormy, change, outcomes: found, impossible, passed };
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

/** The whole as text. */
export function exportsText({ restarts: stormy, change, outcomes: found, impossible, passed }: ExportsResult): string {
  return [
    restartsText(stormy),
    ...(change === null ? [] : [switchText(change)]),
    ...(found === null ? [] : [outcomesText(found)]),
    ...(impossible === null ? [] : [impossible]),
    passed ? 'passed' : 'FAILED',
  ].join('\n');
}
