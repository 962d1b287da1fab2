import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const module = join(import.meta.dirname, 'fault.ts');

/** Comes to a point in a process of its own, since that process may not survive it. */
function comeTo(point: string, named: string, onceFile: string): { status: number | null; signal: string | null } {
  const code = `import { faultAt } from ${JSON.stringify(module)}; faultAt(${JSON.stringify(named)}, ${JSON.stringify(onceFile)})(${JSON.stringify(point)});`;
  const { status, signal } = spawnSync(process.execPath, ['--input-type=module', '--eval', code]);
  return { status, signal };
}

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proviso-fault-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a fault', () => {
  it('kills its process at the point that was named, once over restarts, and at no other point', () => {
    const onceFile = join(folder, 'once');
    expect(comeTo('before_report', 'inside_look', onceFile)).toEqual({ status: 0, signal: null });
    expect(comeTo('inside_look', 'inside_look', onceFile)).toEqual({ status: null, signal: 'SIGKILL' });
    expect(comeTo('inside_look', 'inside_look', onceFile)).toEqual({ status: 0, signal: null });
  });
});
