import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { listMarked } from '@proviso/isolation';

/** A run as an edge remembers it, the part that outlives the edge. */
interface Run {
  readonly key: string;
  readonly marker: string;
  readonly port: number;
  /** Null when it runs without a sandbox, on a port of this machine. */
  readonly runFolder: string | null;
}

/** Everything that releases of one edge ever had on this machine. */
export interface Belongings {
  /** Remembers what is there now; called before whatever may lose it. */
  readonly note: () => void;
  /** What is still there of runs that the edge knows no more, in words; files of releases only while the edge runs. */
  readonly ownerless: (edge: 'running' | 'stopped') => Promise<readonly string[]>;
}

/** Watches the folder of an edge. */
export function belongingsOf(edgeFolder: string): Belongings {
  const noted = new Map<string, Run>();
  const runsNow = (): readonly Run[] => {
    const state: { runs: readonly Run[] } = JSON.parse(readFileSync(join(edgeFolder, 'state.json'), 'utf8'));
    return state.runs;
  };
  const note = (): void => {
    for (const run of runsNow()) noted.set(run.marker, run);
  };
  return {
    note,
    ownerless: async (edge) => {
      const known = runsNow();
      const gone = [...noted.values()].filter(({ marker }) => !known.some((run) => run.marker === marker));
      const left = await Promise.all(gone.map(leftOf));
      const trees = edge === 'running' ? readdirSync(join(edgeFolder, 'releases')) : [];
      const foreign = trees.filter((key) => !known.some((run) => run.key === key));
      return [...left.flat(), ...foreign.map((key) => `folder ${key}`)];
    },
  };
}

async function leftOf({ marker, port, runFolder }: Run): Promise<readonly string[]> {
  const found = listMarked(marker).map((pid) => `process ${pid}`);
  if (runFolder !== null) return existsSync(runFolder) ? [...found, `folder ${runFolder}`] : found;
  return (await takesConnections(port)) ? [...found, `port ${port}`] : found;
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false)).once('connect', () => resolve(true));
    socket.once('connect', () => socket.destroy());
  });
}
