import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** A process whose processor time is measured. */
export interface Child {
  readonly child: ChildProcess;
  /** The first line it printed, as JSON: the ports it listens on. */
  readonly ports: readonly number[];
  /** Ends it by closing its input; gives the last line it printed. */
  readonly end: () => Promise<string>;
}

/** Starts one of our scripts under this Node. */
export async function startScript(script: string, words: readonly string[]): Promise<Child> {
  const flags = process.execArgv;
  const child = spawn(process.execPath, [...flags, script, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
  let last = '';
  const first = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      last = line;
      resolve(line);
    });
    child.once('exit', (code) => reject(new Error(`expected ports, got exit code ${code}`)));
  });
  return {
    child,
    ports: JSON.parse(await first),
    end: async () => {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end();
      await exited;
      return last;
    },
  };
}

/** User and system time that a process has had so far, children not included. */
export function processorMsOf(pid: number): number {
  // Behind the name in brackets, which may hold anything: fields 14 and 15 of proc(5).
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond();
}

function ticksPerSecond(): number {
  return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
}
