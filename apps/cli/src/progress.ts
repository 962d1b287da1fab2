/** Where progress goes while something runs. Results never go here: they belong to stdout. */
export interface Progress {
  /** A line that stays. */
  say(line: string): void;
  /** What is going on right now: one line that changes on a terminal, a plain line at each change elsewhere. */
  now(line: string): void;
  /** Takes the changing line away. */
  done(): void;
}

interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Progress with the seconds since the start before each line. */
export function openProgress(output: Output, clockMs: () => number): Progress {
  const startedMs = clockMs();
  const elapsed = () => `${((clockMs() - startedMs) / 1_000).toFixed(1).padStart(6)} s`;
  const terminal = output.isTTY === true;
  let shown = '';
  const clear = () => {
    if (terminal && shown !== '') output.write('\r\x1b[2K');
  };
  return {
    say: (line) => {
      if (!terminal) shown = line;
      clear();
      output.write(`${elapsed()}  ${line}\n`);
      if (terminal && shown !== '') output.write(fitted(shown, output.columns));
    },
    now: (line) => {
      if (line === shown && !terminal) return;
      clear();
      shown = line;
      output.write(terminal ? fitted(`${elapsed()}  ${line}`, output.columns) : `${elapsed()}  ${line}\n`);
    },
    done: () => {
      clear();
      shown = '';
    },
  };
}

/** A line that wraps could not be taken away again. */
function fitted(line: string, columns = 80): string {
  return line.length < columns ? line : `${line.slice(0, columns - 2)}…`;
}
