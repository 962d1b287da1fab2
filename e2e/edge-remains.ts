import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { endProcess } from '@proviso/isolation';
import { openStateFile } from '@proviso/targets';

/** Ends what the runs of an edge that is gone still hold on this machine, and says what that was. */
export async function endRemains(edgeFolder: string): Promise<readonly string[]> {
  const runs = openStateFile(join(edgeFolder, 'state.json')).runs();
  for (const run of runs) {
    await endProcess(run, 0);
    if (run.runFolder !== null) rmSync(run.runFolder, { recursive: true, force: true });
  }
  return runs.map(({ pid, marker }) => `process ${pid ?? 'unknown'} of ${marker}`);
}
