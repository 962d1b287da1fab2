import type { FolderView } from './folder-view.ts';

/** How a process is started, and what it needs in its environment for that. */
export interface ProcessStart {
  readonly kind: 'node' | 'python' | 'command';
  readonly start: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** How it is started, and which file says so. */
export interface StartSeen extends ProcessStart {
  readonly from: string;
}

/** The contract's own bound for one item of a start. */
const itemLengthMax = 500;
const itemsMax = 30;
const pythonPrograms = ['gunicorn', 'uvicorn', 'flask', 'hypercorn', 'waitress-serve'];

/** What the `Procfile` of a platform starts for the web. */
export function startOfProcfile(view: FolderView): StartSeen | null {
  const line = /^web:[ \t]*(\S.*)$/m.exec(view.text('Procfile') ?? '')?.[1];
  const start = line === undefined ? null : startOf(line);
  return start && { ...start, from: 'the line "web" in Procfile' };
}

/** What Replit starts: its deployment first, as the other line is often a development server. */
export function startOfReplit(view: FolderView): StartSeen | null {
  const text = view.text('.replit') ?? '';
  const [top = '', ...sections] = text.split(/^\[/m);
  const deployment = sections.find((section) => section.startsWith('deployment]')) ?? '';
  for (const [words, from] of [
    [commandIn(deployment), 'the deployment in .replit'],
    [commandIn(top), 'the line "run" in .replit'],
  ] as const) {
    // What npm starts is read from the scripts themselves, and a development server is nothing to be promoted.
    const start = words === null || /\b(dev|npm|yarn|pnpm|bun)\b/.test(words) ? null : startOf(words);
    if (start !== null) return { ...start, from };
  }
  const entry = /^entrypoint\s*=\s*"([\w./-]+)"/m.exec(top)?.[1];
  if (entry === undefined || !view.has(entry)) return null;
  const kind = entry.endsWith('.py') ? 'python' : /\.[cm]?js$/.test(entry) ? 'node' : null;
  return kind && { kind, start: [entry], environment: {}, from: 'the line "entrypoint" in .replit' };
}

/** A line that a person would type, as a start without a shell; with one when it needs it. Null: too long to be one. */
export function startOf(line: string): ProcessStart | null {
  const plain = plainStart(line.trim());
  if (plain !== null) return plain;
  if (line.length > itemLengthMax || /\p{Cc}/u.test(line)) return null;
  return { kind: 'command', start: ['sh', '-c', line.trim()], environment: {} };
}

/** Words without quotes, variables and chains; those need a shell. */
export function plainStart(line: string): ProcessStart | null {
  // A port glued to its flag is the same as two words, and a bound address is left to the variable that both read.
  const spread = line
    .replaceAll(/(--[\w-]+)=(\$\{?PORT\}?)(?=\s|$)/g, '$1 $2')
    .replaceAll(/\s(--bind|-b)[\s=]\S*:\$\{?PORT\}?(?=\s|$)/g, '');
  const words = spread.split(/\s+/).filter((word) => word !== '');
  const environment: Record<string, string> = {};
  while (words[0] !== undefined && /^[A-Z_][A-Z0-9_]{0,80}=[\w.:/-]*$/.test(words[0])) {
    const [name = '', ...value] = words.shift()?.split('=') ?? [];
    if (name !== 'PORT') environment[name] = value.join('=');
  }
  const [program, ...rest] = words;
  const isPlain = words.every((word) => /^([\w@./:=,+-]+|\$\{?PORT\}?)$/.test(word) && word.length <= itemLengthMax);
  if (program === undefined || !isPlain || words.length >= itemsMax || Object.keys(environment).length > itemsMax) {
    return null;
  }
  const [first] = rest;
  if (program === 'node') {
    return first === undefined || first.startsWith('-') ? null : { kind: 'node', start: rest, environment };
  }
  if (/^python3?$/.test(program)) return first === undefined ? null : { kind: 'python', start: rest, environment };
  if (pythonPrograms.includes(program)) return { kind: 'python', start: ['-m', program, ...rest], environment };
  return { kind: 'command', start: words, environment };
}

function commandIn(section: string): string | null {
  const list = /^run\s*=\s*\[([^\]]*)\]/m.exec(section)?.[1];
  if (list === undefined) return /^run\s*=\s*"([^"\n]+)"/m.exec(section)?.[1] ?? null;
  const words = [...list.matchAll(/"([^"]*)"/g)].map(([, word]) => word ?? '');
  return words[0] === 'sh' && words[1] === '-c' ? (words[2] ?? null) : words.join(' ') || null;
}
