import type { FolderView } from './folder-view.ts';
import type { RunDraft } from './run-draft.ts';
import type { ProcessStart } from './start-words.ts';

/** What is known of a Python prototype's packages. */
export interface PythonPackages {
  readonly names: readonly string[];
  /** The file that names them; null when none does. */
  readonly file: string | null;
}

/** Deeper modules are no entry points. */
const moduleDepthMax = 3;
const entryFiles = ['app.py', 'main.py', 'server.py', 'wsgi.py', 'asgi.py'];

/** The names in `pyproject.toml`, loosely read: they only tell which framework is used. */
export function projectPackages(text: string): readonly string[] {
  const list = /^dependencies\s*=\s*\[([^\]]*)\]/m.exec(text)?.[1] ?? '';
  return [...list.matchAll(/["']([A-Za-z0-9][\w.-]*)/g)].map(([, name]) => (name ?? '').toLowerCase());
}

/** How a Python program is started: by its framework, else as the script that it is. */
export function draftPython(view: FolderView, packages: PythonPackages): RunDraft | null {
  const has = (name: string) => packages.names.some((each) => each.toLowerCase() === name);
  const found = django(view, has) ?? fastapi(view, has) ?? flask(view, has) ?? script(view);
  if (found === null) return null;
  const { start, from, doubts } = found;
  const run: ProcessStart = { kind: 'python', start, environment: {} };
  const build = packages.names.length > 0 ? ({ install: 'auto' } as const) : null;
  return { run: { ...run, memoryMbMax: 256 }, build, from, doubts };
}

type Has = (name: string) => boolean;
type Found = Pick<RunDraft, 'from' | 'doubts'> & { readonly start: readonly string[] };

function django(view: FolderView, has: Has): Found | null {
  const settings = /DJANGO_SETTINGS_MODULE["'],\s*["']([\w.]+)["']/.exec(view.text('manage.py') ?? '')?.[1];
  if (settings === undefined) return null;
  const project = settings.replace(/\.settings(\.\w+)?$/, '');
  const from = 'manage.py';
  if (has('gunicorn')) return { start: ['-m', 'gunicorn', `${project}.wsgi`], from, doubts: [] };
  const doubts = ["it is started with Django's development server; add gunicorn to the packages for users"];
  return { start: ['manage.py', 'runserver', '--noreload', '$PORT'], from, doubts };
}

function fastapi(view: FolderView, has: Has): Found | null {
  const found = applicationIn(view, 'FastAPI');
  if (found === null) return null;
  const doubts = has('uvicorn') || has('fastapi') ? [] : ['uvicorn starts it and is in no list of packages'];
  return { start: ['-m', 'uvicorn', found.name, '--port', '$PORT'], from: `FastAPI in ${found.file}`, doubts };
}

function flask(view: FolderView, has: Has): Found | null {
  const found = applicationIn(view, 'Flask');
  if (found === null) return null;
  const from = `Flask in ${found.file}`;
  if (has('gunicorn')) return { start: ['-m', 'gunicorn', found.name], from, doubts: [] };
  const doubts = ["it is started with Flask's development server; add gunicorn to the packages for users"];
  return { start: ['-m', 'flask', '--app', found.name, 'run', '--port', '$PORT'], from, doubts };
}

function script(view: FolderView): Found | null {
  const file = entryFiles.find((name) => view.has(name));
  if (file === undefined) return null;
  const doubts =
    view.text(file)?.includes('PORT') === true ? [] : ['whether it listens on the port in the variable PORT'];
  return { start: [file], from: `the file ${file}`, doubts };
}

/** The module and the variable that hold an application, such as `src.app:app`. */
function applicationIn(view: FolderView, maker: string): { readonly name: string; readonly file: string } | null {
  const modules = view.paths.filter(
    (path) => /^(\w+\/)*\w+\.py$/.test(path) && path.split('/').length <= moduleDepthMax,
  );
  // The usual names come first: a test may make an application too.
  const rank = (path: string) =>
    entryFiles.includes(path) ? 0 : entryFiles.includes(path.split('/').at(-1) ?? '') ? 1 : 2;
  for (const file of modules.sort((a, b) => rank(a) - rank(b))) {
    const variable = new RegExp(`^(\\w{1,40})(?::\\s*\\w+)?\\s*=\\s*${maker}\\(`, 'm').exec(view.text(file) ?? '')?.[1];
    if (variable === undefined) continue;
    return { name: `${file.replace(/\.py$/, '').replaceAll('/', '.')}:${variable}`, file };
  }
  return null;
}
