// Prints libs/client's generated files, made from the committed OpenAPI document; `npm run generate` writes or compares them.
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@hey-api/openapi-ts';
import { root } from './pinned-node.mjs';

const folder = mkdtempSync(join(tmpdir(), 'proviso-client-'));
try {
  await createClient({
    input: join(root, 'apps/api/openapi.json'),
    output: { path: folder, importFileExtension: '.ts', indexFile: false },
    plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
    logs: { level: 'silent', file: false },
  });
  const files = globSync('**/*.ts', { cwd: folder }).sort();
  const texts = files.map((file) => [`libs/client/src/generated/${file.replaceAll('\\', '/')}`, textOf(file)]);
  process.stdout.write(JSON.stringify(Object.fromEntries(texts)));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The bundled runtime is not written for our strictest switches; what is made from our document is. */
function textOf(file) {
  const text = readFileSync(join(folder, file), 'utf8');
  return /^(core|client)[/\\]/.test(file) ? `// @ts-nocheck\n${text}` : text;
}
