// The rules of style that a machine can hold, each with a failing test in tidy.test.ts. `--root` checks another tree.
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findUntidiness } from './tidy/run.ts';

const { values } = parseArgs({ options: { root: { type: 'string' } } });
const root = resolve(values.root ?? dirname(dirname(fileURLToPath(import.meta.url))));
const findings = findUntidiness(root);
for (const { path, line, rule, message } of findings) console.error(`${path}:${line} ${rule}: ${message}`);
console.error(`tidy: ${findings.length} findings`);
process.exitCode = findings.length > 0 ? 1 : 0;
