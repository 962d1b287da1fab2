import { join } from 'node:path';
import { type Builder, findPackageTools, missingTools, openPackageCache } from '@proviso/build';
import type { Isolation } from '@proviso/isolation';
import type { WorkerConfig } from './config.ts';
import type { Clock, Log } from './ports.ts';

/** What this worker builds with, looked up once; what is missing is said now and not at the first build. */
export async function openBuilder(
  config: Pick<WorkerConfig, 'workFolder' | 'packageCacheMb' | 'registries' | 'origin'>,
  parts: { readonly isolation: Isolation; readonly clock: Clock; readonly log: Log; readonly path: string },
): Promise<Builder> {
  const { isolation, clock, log, path } = parts;
  const tools = await findPackageTools(path);
  const missing = missingTools(tools);
  if (missing !== null) log.warn({ missing }, 'builds.tools_missing');
  const { registries, origin } = config;
  const bytesMax = config.packageCacheMb * 1024 * 1024;
  const cache = openPackageCache(join(config.workFolder, 'packages'), { bytesMax, now: clock.now });
  return { isolation, tools, cache, registries, origin };
}
