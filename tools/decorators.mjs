// Lets Node run apps/api from source: Nest's decorators are the one syntax there that stripping types cannot leave standing.
import { registerHooks } from 'node:module';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';

const room = new URL('../apps/api/src/', import.meta.url).href;
const jsc = {
  target: 'es2024',
  parser: { syntax: 'typescript', decorators: true },
  transform: { legacyDecorator: true, decoratorMetadata: false },
};

registerHooks({
  load(url, context, next) {
    if (!url.startsWith(room) || !url.endsWith('.ts')) return next(url, context);
    const filename = fileURLToPath(url);
    const options = { filename, swcrc: false, configFile: false, module: { type: 'es6' }, jsc, sourceMaps: 'inline' };
    const { code } = transformSync(readFileSync(filename, 'utf8'), options);
    return { format: 'module', source: code, shortCircuit: true };
  },
});
