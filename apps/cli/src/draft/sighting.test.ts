import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Sighting, sightFolder } from './sighting.ts';

type Files = Readonly<Record<string, string>>;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proviso-sighting-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function sight(files: Files): Promise<Sighting> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return await sightFolder(folder);
}

/** Kind and start, or root, as one line. */
function runOf({ draft: { run } }: Sighting): string {
  return run.kind === 'static' ? `static ${run.root ?? ''}`.trim() : `${run.kind} ${run.start.join(' ')}`;
}

function buildOf({ draft: { build } }: Sighting): string {
  return build === null ? 'none' : [build.install, ...(build.command ?? []), build.output ?? ''].join(' ').trim();
}

const manifest = (value: object): Files => ({ 'package.json': JSON.stringify(value) });
const vite = { dependencies: { react: '19' }, devDependencies: { vite: '7' } };
const next = { dependencies: { next: '15' }, scripts: { build: 'next build', start: 'next start' } };
const express = {
  dependencies: { express: '5' },
  scripts: { build: 'tsc', start: 'NODE_ENV=production node dist/a.js' },
};

test.each<[string, Files, string, string]>([
  ['an empty folder', {}, 'node server.js', 'none'],
  ['Vite without a build script', { ...manifest(vite), 'index.html': '' }, 'static', 'auto npx vite build dist'],
  [
    'Vite with a build script and pnpm',
    { ...manifest({ ...vite, scripts: { build: 'tsc && vite build' } }), 'index.html': '', 'pnpm-lock.yaml': '' },
    'static',
    'auto pnpm run build dist',
  ],
  [
    'Vite that builds into a folder of its own',
    { ...manifest(vite), 'index.html': '', 'vite.config.ts': "build: { outDir: './site/' }" },
    'static',
    'auto npx vite build site',
  ],
  [
    'Vite that builds beside the folder',
    { ...manifest(vite), 'index.html': '', 'vite.config.ts': "build: { outDir: '../site' }" },
    'static',
    'auto npx vite build dist',
  ],
  [
    'Vite with a server of its own',
    { ...manifest({ ...express, devDependencies: { vite: '7' } }), 'index.html': '' },
    'node dist/a.js',
    'auto npm run build',
  ],
  ['Next', manifest(next), 'node node_modules/next/dist/bin/next start --port $PORT', 'auto npm run build'],
  [
    'Next that exports files',
    { ...manifest(next), 'next.config.mjs': "output: 'export'" },
    'static',
    'auto npm run build out',
  ],
  [
    'Next on its own',
    { ...manifest(next), 'next.config.ts': 'output: "standalone"' },
    'node .next/standalone/server.js',
    'auto sh -c npm run build && cp -r .next/static .next/standalone/.next/ && if [ -d public ]; then cp -r public .next/standalone/; fi',
  ],
  ['a server with packages', manifest(express), 'node dist/a.js', 'auto npm run build'],
  [
    'a plain script of node',
    manifest({ scripts: { start: 'node src/server.js --quiet' } }),
    'node src/server.js --quiet',
    'none',
  ],
  [
    'a start that needs a shell',
    manifest({ scripts: { start: 'PORT=3000 vite preview && echo done' } }),
    'command npm start',
    'none',
  ],
  [
    'a build script without packages',
    manifest({ scripts: { build: 'node make.js', start: 'node a.js' } }),
    'node a.js',
    'none npm run build',
  ],
  ['a main file', { ...manifest({ main: './lib/main.js' }), 'lib/main.js': '' }, 'node lib/main.js', 'none'],
  [
    'a main file that lies elsewhere',
    { ...manifest({ main: '../main.js' }), 'server.mjs': '' },
    'node server.mjs',
    'none',
  ],
  [
    'a Procfile',
    { Procfile: 'web: gunicorn app:app --bind 0.0.0.0:$PORT\n', 'app.py': '' },
    'python -m gunicorn app:app',
    'none',
  ],
  ['a Procfile with a port', { Procfile: 'web: ./serve --port=$PORT\n' }, 'command ./serve --port $PORT', 'none'],
  ['a Procfile that needs a shell', { Procfile: 'web: cd app && ./serve' }, 'command sh -c cd app && ./serve', 'none'],
  [
    'Replit with a deployment',
    { '.replit': 'run = "npm run dev"\n[deployment]\nrun = ["sh", "-c", "python3 main.py"]\n', 'main.py': '' },
    'python main.py',
    'none',
  ],
  ['Replit with an entry point', { '.replit': 'entrypoint = "bot.py"\n', 'bot.py': '' }, 'python bot.py', 'none'],
  [
    'Replit that leaves it to npm',
    { '.replit': 'run = "npm run start"\n', ...manifest({ scripts: { start: 'node a.js' } }) },
    'node a.js',
    'none',
  ],
  [
    'FastAPI',
    { 'src/main.py': 'from fastapi import FastAPI\napi = FastAPI()\n', 'requirements.txt': 'fastapi==0.115.0\n' },
    'python -m uvicorn src.main:api --port $PORT',
    'auto',
  ],
  [
    'Flask',
    { 'app.py': 'app = Flask(__name__)', 'requirements.txt': 'flask' },
    'python -m flask --app app:app run --port $PORT',
    'auto',
  ],
  [
    'Flask with gunicorn',
    { 'app.py': 'app = Flask(__name__)', 'requirements.txt': 'flask\ngunicorn' },
    'python -m gunicorn app:app',
    'auto',
  ],
  [
    'Django',
    {
      'manage.py': "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')",
      'requirements.txt': 'django\ngunicorn',
    },
    'python -m gunicorn shop.wsgi',
    'auto',
  ],
  [
    'a project file of Python',
    { 'app.py': '', 'pyproject.toml': '[project]\ndependencies = [\n  "httpx>=0.27",\n]\n' },
    'python app.py',
    'auto',
  ],
  ['a script of Python', { 'main.py': '' }, 'python main.py', 'none'],
  ['a page', { 'index.html': '' }, 'static', 'none'],
  ['a page in its folder', { 'public/index.html': '' }, 'static public', 'none'],
])('sees %s', async (_, files, run, build) => {
  const seen = await sight(files);
  expect([runOf(seen), buildOf(seen)]).toEqual([run, build]);
});

test('variables, secrets and hosts are told apart by name and by place', async () => {
  const { needs } = await sight({
    ...manifest({ dependencies: { express: '5', openai: '5' }, scripts: { start: 'node a.js' } }),
    'a.js': `const key = process.env.OPENAI_API_KEY, level = process.env['LOG_LEVEL'], port = process.env.PORT;
      fetch('https://API.weather.dev:8443/v1'); fetch("https://10.0.0.1/x"); fetch('http://localhost:3000');
      // see https://docs.comment.dev
      const schema = 'http://www.w3.org/2000/svg';`,
    'b.py': "os.environ['DATABASE_URL']; os.getenv('REGION')",
    'page.tsx': '<a href="https://linked.dev">x</a>; import.meta.env.VITE_TITLE',
    'a.test.js': 'process.env.ONLY_IN_TESTS',
    'node_modules/x/index.js': 'process.env.NOT_OURS',
  });
  const named = (list: readonly { name: string; file: string }[]) => list.map(({ name, file }) => `${name} ${file}`);
  expect(named(needs.secrets)).toEqual(['DATABASE_URL b.py', 'OPENAI_API_KEY a.js']);
  expect(named(needs.variables)).toEqual(['LOG_LEVEL a.js', 'REGION b.py']);
  expect(named(needs.publicVariables)).toEqual(['VITE_TITLE page.tsx']);
  expect(named(needs.hosts)).toEqual(['api.openai.com package.json', 'api.weather.dev:8443 a.js']);
});

test.each<[string, Files, RegExp]>([
  [
    'a secret that every visitor could read',
    { ...manifest(vite), 'index.html': '', 'src/a.ts': 'import.meta.env.VITE_SERVICE_SECRET' },
    /VITE_SERVICE_SECRET in src\/a.ts looks like a secret, and every visitor/,
  ],
  [
    'a host that only a variable knows',
    manifest({ dependencies: { '@supabase/supabase-js': '2' }, scripts: { start: 'node a.js' } }),
    /the host of your own project/,
  ],
  ['a health probe that was not seen', { 'server.js': '' }, /health probe/],
  ['programs of Replit', { 'replit.nix': '', 'main.py': '' }, /replit.nix/],
  ['pages beside everything else', { 'index.html': '' }, /every file of the folder is served/],
])('leaves to a person: %s', async (_, files, words) => {
  expect((await sight(files)).doubts.join('\n')).toMatch(words);
});

test('a key that is meant to be public is no doubt', async () => {
  const files = { ...manifest(vite), 'index.html': '', 'a.ts': 'import.meta.env.VITE_SUPABASE_ANON_KEY' };
  expect((await sight(files)).doubts).toEqual([]);
});

test('test questions, a runbook and a health path that are there are named', async () => {
  const seen = await sight({
    'tests/cases.yaml': '',
    'README.md': '',
    'server.js': "if (path === '/api/health') ok()",
  });
  expect(seen).toMatchObject({
    cases: { path: 'tests/cases.yaml', exists: true },
    runbook: 'README.md',
    health: '/api/health',
  });
});
