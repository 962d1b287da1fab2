import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, type Leashed, LOOPBACK, startLeashed } from '@proviso/servers';
import { findProgram } from './found-program.ts';

/** A real Prometheus on loopback that ends with this process. */
export interface RunningPrometheus {
  readonly url: string;
  /** SIGKILL, as a crash would. */
  readonly kill: () => Promise<void>;
  /** At the same address, with what it had collected. */
  readonly startAgain: () => Promise<void>;
  /** Ends it and removes its folder. */
  readonly stop: () => Promise<void>;
}

/** A small process's metrics page, as Prometheus scrapes it. */
export interface Exporter {
  readonly port: number;
  /** Called at each scrape, for what it finds in the text format. */
  page: () => string;
  readonly close: () => Promise<void>;
}

/** It replays its log at the start; on two busy cores that has taken some seconds. */
const readyMsMax = 30_000;
const pollMs = 50;

/**
 * The program, on the path or as `.ci/run` has fetched it; null where there is none. In CI that is a failure: a run that
 * never met the real thing must not be green.
 */
export function findPrometheus(): string | null {
  const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
  const found = findProgram(['prometheus'], [join(root, '.cache', 'prometheus', 'usr', 'bin')]);
  if (found !== null) return found;
  const missing =
    'expected the program prometheus, got none: install the package prometheus, or run tools/prometheus.mjs';
  if (process.env['CI'] === 'true') throw new Error(missing);
  process.stderr.write(`nothing was asked of a real Prometheus: ${missing}\n`);
  return null;
}

/** Starts one that scrapes these ports, each as a job of its own, and nothing else. */
export async function startPrometheus(
  program: string,
  { ports, scrapeMs }: { readonly ports: readonly number[]; readonly scrapeMs: number },
): Promise<RunningPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'proviso-prometheus-'));
  const jobs = ports.map((port) => ({
    job_name: `exporter-${port}`,
    static_configs: [{ targets: [`${LOOPBACK}:${port}`] }],
  }));
  const times = { scrape_interval: `${scrapeMs}ms`, scrape_timeout: `${scrapeMs}ms` };
  // JSON is YAML.
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify({ global: times, scrape_configs: jobs }));
  const port = await freePort();
  const url = `http://${LOOPBACK}:${port}`;
  const start = async () => {
    const child = await startLeashed({
      command: program,
      args: [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=${LOOPBACK}:${port}`,
        '--log.level=error',
      ],
      env: { PATH: '/usr/bin:/bin', TZ: 'UTC' },
      cwd: folder,
    });
    await untilReady(url, child);
    return child;
  };
  let running = await start();
  return {
    url,
    kill: async () => await running.kill(),
    startAgain: async () => {
      running = await start();
    },
    stop: async () => {
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilReady(url: string, child: Leashed): Promise<void> {
  const giveUpAt = Date.now() + readyMsMax;
  let hasEnded = false;
  void child.exited.then(() => {
    hasEnded = true;
  });
  for (;;) {
    if (hasEnded) throw new Error('expected Prometheus to run, got its end at the start');
    const answer = await fetch(`${url}/-/ready`).catch(() => null);
    if (answer?.status === 200) return;
    if (Date.now() > giveUpAt) await child.kill();
    if (Date.now() > giveUpAt) throw new Error(`expected Prometheus to be ready at ${url} within ${readyMsMax} ms`);
    await delay(pollMs);
  }
}

/** Opens a metrics page; on a given port it is the one of before, come back. */
export async function startExporter(port = 0): Promise<Exporter> {
  const server = createServer((_request, answer) => {
    answer.setHeader('content-type', 'text/plain; version=0.0.4');
    answer.end(exporter.page());
  });
  await new Promise<void>((resolveListening) => {
    server.listen(port, LOOPBACK, resolveListening);
  });
  const exporter: Exporter = {
    port: (server.address() as AddressInfo).port,
    page: () => '',
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolveClosed) => {
        server.close(resolveClosed);
      });
    },
  };
  return exporter;
}
