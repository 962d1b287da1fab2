import { type FSWatcher, existsSync, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';

/** Processes of ours that are started again when their sources change; the names are those of the deployment. */
export const watchedParts = ['API', 'worker', 'edge'] as const;
/** One of them. */
export type WatchedPart = (typeof watchedParts)[number];

/** An editor writes in several steps and a change of branch touches many files: all of it is one restart. */
const QUIET_MS = 300;
/** What is no part of a running process. */
const unwatched = /\.(test|contract)\.ts$|(^|\/)\.|~$/;

/**
 * Tells which parts must start again when sources change: an app's own folder concerns that app, a lib concerns all.
 * `node --watch` cannot do it, since it crashes a Temporal worker. Nothing is lost when a change is missed: the person
 * who edits sees old behaviour and starts again by hand.
 */
export function watchSources(
  projectRoot: string,
  changed: (parts: ReadonlySet<WatchedPart>) => void,
): { readonly close: () => void } {
  let gathered = new Set<WatchedPart>();
  let timer: NodeJS.Timeout | undefined;
  const gather = (parts: readonly WatchedPart[]) => (_event: string, file: string | null) => {
    if (file !== null && unwatched.test(file)) return;
    for (const part of parts) gathered.add(part);
    clearTimeout(timer);
    timer = setTimeout(() => {
      const parts = gathered;
      gathered = new Set();
      changed(parts);
    }, QUIET_MS);
  };
  const watchers: FSWatcher[] = [];
  const look = (folder: string, parts: readonly WatchedPart[]) => {
    if (existsSync(folder)) watchers.push(watch(folder, { recursive: true }, gather(parts)));
  };
  for (const part of watchedParts) look(join(projectRoot, 'apps', part.toLowerCase(), 'src'), [part]);
  for (const lib of readdirSync(join(projectRoot, 'libs'))) look(join(projectRoot, 'libs', lib, 'src'), watchedParts);
  return {
    close: () => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}
