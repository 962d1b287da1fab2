/** Where progress goes while something runs. Results never go here: they belong to stdout. */
export interface Progress {
  /** A line that stays. */
  say(line: string): void;
  /** What is going on right now: one line that changes on a terminal, a plain line at each change elsewhere. */
  now(line: string): void;
  /** Takes the changing line or picture away. */
  done(): void;
  /** Where several lines can be drawn over again; absent elsewhere than on a terminal. */
  readonly screen?: Screen;
}

/** A terminal's lower end. */
export interface Screen {
  /** As it is now: windows are pulled about. */
  size(): { readonly columns: number; readonly rows: number };
  /** Draws these lines in place of the last ones; a line is cut where it would wrap, and so are lines that do not fit. */
  draw(lines: readonly string[]): void;
}

interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** What terminals that do not tell are taken for. */
const usual = { columns: 80, rows: 24 } as const;

/** Progress with the seconds since the start before each line. */
export function openProgress(output: Output, clockMs: () => number): Progress {
  const startedMs = clockMs();
  const elapsed = () => `${((clockMs() - startedMs) / 1_000).toFixed(1).padStart(6)} s`;
  const terminal = output.isTTY === true;
  let shown: readonly string[] = [];
  const clear = () => {
    if (!terminal || shown.length === 0) return;
    // The cursor stands in the last of them.
    output.write(shown.length === 1 ? '\r\x1b[2K' : `\r\x1b[${shown.length - 1}A\x1b[0J`);
  };
  const size = () => ({ columns: output.columns ?? usual.columns, rows: output.rows ?? usual.rows });
  const draw = (lines: readonly string[]) => {
    clear();
    const { columns, rows } = size();
    shown = lines.slice(0, rows - 1).map((line) => fitted(line, columns));
    output.write(shown.join('\n'));
  };
  return {
    say: (line) => {
      if (!terminal) shown = [line];
      clear();
      output.write(`${elapsed()}  ${line}\n`);
      if (terminal && shown.length > 0) output.write(shown.join('\n'));
    },
    now: (line) => {
      if (terminal) return draw([`${elapsed()}  ${line}`]);
      if (line === shown[0]) return;
      shown = [line];
      output.write(`${elapsed()}  ${line}\n`);
    },
    done: () => {
      clear();
      shown = [];
    },
    ...(terminal && { screen: { size, draw } }),
  };
}

/** Colours take no room. */
const colours = /\x1b\[\d+m/gu;

/** A line that wraps could not be taken away again. */
function fitted(line: string, columns: number): string {
  if (line.replace(colours, '').length < columns) return line;
  return `${line.replace(colours, '').slice(0, columns - 2)}…`;
}
