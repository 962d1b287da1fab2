import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { tarOf } from './tarball.ts';
import { zipOf } from './zip.ts';

/** A package of npm as it was published: its manifest is put together from these. */
export type FakePackage = {
  readonly name: string;
  readonly version: string;
  readonly files: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
};

/** A wheel with one module of its own name. */
export type FakeWheel = { readonly name: string; readonly version: string; readonly module: string };

/** A running fake: one address for both kinds, what it was asked, and the switch that takes it out of order. */
export type FakeRegistry = {
  readonly npm: string;
  readonly pypi: string;
  readonly requests: readonly string[];
  /** What a lock file says about a package, without its address. */
  lockEntry(name: string): Readonly<Record<string, unknown>>;
  hashOf(wheel: string): string;
  setBroken(status: number | undefined): void;
  close(): Promise<void>;
};

type Served = { readonly type: string; readonly body: Buffer | string };

/** The registry of npm (packument and tarball) and the index of PyPI (simple page and wheel), over HTTP. */
export async function startFakeRegistry(
  packages: readonly FakePackage[],
  wheels: readonly FakeWheel[] = [],
): Promise<FakeRegistry> {
  const requests: string[] = [];
  let broken: number | undefined;
  let served = new Map<string, Served>();
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://fake').pathname;
    requests.push(path);
    answer(response, broken === undefined ? served.get(path) : undefined, broken ?? 404);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  const url = `http://127.0.0.1:${address.port}`;
  served = new Map([...packages.flatMap((each) => ofPackage(each, url)), ...wheels.flatMap(ofWheel)]);
  return {
    npm: `${url}/npm/`,
    pypi: `${url}/simple/`,
    requests,
    lockEntry: (name) => lockEntryOf(found(packages, name)),
    hashOf: (name) => sha256(wheelOf(found(wheels, name))),
    setBroken: (status) => {
      broken = status;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(response: ServerResponse, served: Served | undefined, missing: number): void {
  if (served === undefined) return void response.writeHead(missing, { 'content-type': 'application/json' }).end('{}');
  response.writeHead(200, { 'content-type': served.type }).end(served.body);
}

function found<Item extends { readonly name: string }>(items: readonly Item[], name: string): Item {
  const item = items.find((each) => each.name === name);
  if (item === undefined) throw new Error(`expected a package ${name}`);
  return item;
}

function ofPackage(each: FakePackage, url: string): readonly (readonly [string, Served])[] {
  const tarball = `/npm/${each.name}/-/${each.name.split('/').at(-1)}-${each.version}.tgz`;
  const dist = { tarball: url + tarball, integrity: integrityOf(each) };
  const packument = {
    name: each.name,
    'dist-tags': { latest: each.version },
    versions: { [each.version]: { ...manifestOf(each), dist } },
  };
  return [
    [`/npm/${each.name}`, { type: 'application/json', body: JSON.stringify(packument) }],
    [tarball, { type: 'application/octet-stream', body: tarballOf(each) }],
  ];
}

function manifestOf({ name, version, scripts, bin }: FakePackage): Readonly<Record<string, unknown>> {
  return { name, version, main: 'index.js', ...(scripts && { scripts }), ...(bin && { bin }) };
}

function tarballOf(each: FakePackage): Buffer {
  const files = { ...each.files, 'package.json': JSON.stringify(manifestOf(each)) };
  const entries = Object.entries(files).map(([path, text]) => ({
    path: `package/${path}`,
    content: Buffer.from(text),
  }));
  return gzipSync(tarOf(entries));
}

function integrityOf(each: FakePackage): string {
  return `sha512-${createHash('sha512').update(tarballOf(each)).digest('base64')}`;
}

function lockEntryOf(each: FakePackage): Readonly<Record<string, unknown>> {
  const install = each.scripts === undefined ? {} : { hasInstallScript: true };
  return { version: each.version, integrity: integrityOf(each), ...install, ...(each.bin && { bin: each.bin }) };
}

function ofWheel(wheel: FakeWheel): readonly (readonly [string, Served])[] {
  const file = `${wheel.name}-${wheel.version}-py3-none-any.whl`;
  const page = `<!DOCTYPE html><a href="/wheels/${file}#sha256=${sha256(wheelOf(wheel))}">${file}</a>`;
  return [
    [`/simple/${wheel.name}/`, { type: 'text/html', body: page }],
    [`/wheels/${file}`, { type: 'application/octet-stream', body: wheelOf(wheel) }],
  ];
}

function wheelOf({ name, version, module }: FakeWheel): Buffer {
  const info = `${name}-${version}.dist-info`;
  const files = {
    [`${name}.py`]: module,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: fake\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${info}/RECORD`]: `${name}.py,,\n${info}/METADATA,,\n${info}/WHEEL,,\n${info}/RECORD,,\n`,
  };
  return zipOf(Object.entries(files).map(([path, text]) => ({ path, content: Buffer.from(text) })));
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
