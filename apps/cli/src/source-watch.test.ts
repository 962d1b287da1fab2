import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type WatchedPart, watchSources } from './source-watch.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'proviso-watch-'));
  for (const folder of ['apps/api/src', 'apps/worker/src', 'apps/edge/src', 'libs/domain/src']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test.each([
  { files: ['apps/worker/src/steps.ts'], parts: ['worker'] },
  { files: ['apps/edge/src/router.test.ts', 'apps/api/src/guard.ts'], parts: ['API'] },
  { files: ['libs/domain/src/lane.ts'], parts: ['API', 'worker', 'edge'] },
  { files: ['apps/edge/src/split.ts', 'apps/worker/src/clerk.ts'], parts: ['edge', 'worker'] },
])('a change of $files starts $parts again, once', async ({ files, parts }) => {
  const told = Promise.withResolvers<ReadonlySet<WatchedPart>>();
  const watching = watchSources(root, told.resolve);
  for (const file of files) writeFileSync(join(root, file), '// changed\n');
  const changed = await told.promise;
  watching.close();
  expect([...changed].sort()).toEqual(parts.toSorted());
});
