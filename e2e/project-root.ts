import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout that is played with: its code, examples and policies. */
export const projectRoot = resolve(fileURLToPath(new URL('..', import.meta.url)));
