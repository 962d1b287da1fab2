// The build step: the server with its page put in, and the page's script under a name of its content.
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

rmSync('build', { recursive: true, force: true });
mkdirSync('build/assets', { recursive: true });
const script = readFileSync('src/client.js');
const name = `client-${createHash('sha256').update(script).digest('hex').slice(0, 8)}.js`;
writeFileSync(`build/assets/${name}`, script);
writeFileSync('build/assets.json', JSON.stringify({ script: `/assets/${name}` }));
cpSync('src/server.mjs', 'build/server.mjs');
cpSync('src/notes.mjs', 'build/notes.mjs');
cpSync('src/page.mjs', 'build/page.mjs');
console.log(`built ${name}`);
