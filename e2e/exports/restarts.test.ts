import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../project-root.ts';
import { restarts } from './restarts.ts';

/** Alone it takes twenty seconds; other tests may keep both cores busy meanwhile. */
const testMsMax = 240_000;
const folder = mkdtempSync(join(tmpdir(), 'proviso-restarts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it(
  'an edge that is killed again and again loses no release and leaves nothing that belongs to nobody',
  async () => {
    const stage = { codeRoot: projectRoot, projectRoot, folder };
    const { lost, ownerless, stable } = await restarts({ stage, kills: 3, say: () => undefined });
    expect({ lost, ownerless, failed: stable.failed }).toEqual({ lost: [], ownerless: [], failed: [] });
    expect(stable.downtimes).toHaveLength(3);
    expect(stable.asked).toBeGreaterThan(100);
  },
  testMsMax,
);
