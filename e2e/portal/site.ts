import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

/** A web server with the page and the published client, as somebody else would put it up. */
export interface Site {
  readonly origin: string;
  close(): Promise<void>;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** Packs the client, unpacks it beside a copy of the page, and serves both. */
export async function openSite(projectRoot: string, folder: string): Promise<Site> {
  const [made, pages] = [join(folder, 'package'), join(folder, 'pages')];
  run(process.execPath, ['tools/client-package.mjs', made], projectRoot);
  const [told] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts'], made)) as readonly {
    readonly filename: string;
  }[];
  if (told === undefined) throw new Error('expected npm to tell what it packed, got nothing');
  cpSync(join(projectRoot, 'examples/portal'), pages, { recursive: true });
  mkdirSync(join(pages, 'client'), { recursive: true });
  run('tar', ['-xzf', join(made, told.filename), '--strip-components=1', '-C', join(pages, 'client')], folder);
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://site').pathname).replace(/\/$/, '/index.html');
    try {
      const bytes = readFileSync(join(pages, path));
      response.writeHead(200, { 'content-type': contentTypes[extname(path)] ?? 'application/octet-stream' }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`expected ${command} ${args[0] ?? ''} to end well, got ${String(status)}: ${stderr}`);
  return stdout;
}
