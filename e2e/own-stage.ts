import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from './project-root.ts';
import { openStage, type Stage, type StageOptions } from './stage.ts';

/** A stage with a folder that goes with it. */
export interface OwnStage extends Stage {
  readonly folder: string;
}

/** Opens a stage of the code as it is here, on a new folder; `name` is the test's. */
export async function openOwnStage(
  name: string,
  options: Omit<StageOptions, 'codeRoot' | 'projectRoot' | 'folder'>,
): Promise<OwnStage> {
  const folder = mkdtempSync(join(tmpdir(), `proviso-${name}-`));
  const stage = await openStage({ ...options, codeRoot: projectRoot, projectRoot, folder });
  return {
    ...stage,
    folder,
    close: async () => {
      await stage.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
