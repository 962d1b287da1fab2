// The build of a prototype that is up to no good: it attacks, tells its log what came of it, and fails.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

const SCRIPT_MS_MAX = 30_000;
for (const [name, wish] of JSON.parse(readFileSync('attacks.json', 'utf8'))) {
  if (name === 'flood') await flood();
  console.error(`HOSTILE ${name} ${JSON.stringify(await outputOf(name, wish))}`);
}
process.exit(3);

// Never done: whoever runs it has to end it.
function flood() {
  const line = `${'x'.repeat(65_536)}\n`;
  return new Promise(() => {
    const pour = () => {
      while (process.stderr.write(line));
      process.stderr.once('drain', pour);
    };
    pour();
  });
}

// By way of a shell that ends at once, as the attacks want it; some go on for ever and are left behind.
function outputOf(name, wish) {
  const words = ['-c', '(sleep 0.3; exec "$@") &', 'sh', process.execPath, `./${name}.mjs`, wish];
  const child = spawn('/bin/sh', words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      resolve(output.slice(0, 20_000));
    };
    const timer = setTimeout(end, SCRIPT_MS_MAX);
    const hear = (part) => {
      output += part;
      if (/[.}]\s*$/.test(output)) end();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('error', end).on('close', end);
  });
}
