import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordHistories } from './record.contract.ts';

// Run by hand when the story changes on purpose: `node libs/workflow/src/histories.generate.ts`. The old histories stay in
// git, and a change that breaks them is a decision to let open runs start anew.
const folder = join(import.meta.dirname, '../histories');
mkdirSync(folder, { recursive: true });
for (const { name, json } of await recordHistories()) writeFileSync(join(folder, `${name}.json`), json);
