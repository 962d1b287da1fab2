// A prototype that leaves a process behind which has forked twice, has a session and no marker of its own, ignores every
// request to end, and writes on as long as it lives.
import './inside.mjs';
import { spawn } from 'node:child_process';

const stubborn =
  "process.on('SIGTERM', () => {}); process.on('SIGHUP', () => {}); setInterval(() => process.stdout.write('.'), 20);";
const middle = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(stubborn)}], { detached: true, env: {}, stdio: ['ignore', 'inherit', 'ignore'] }).unref(); process.exit(0);`;
spawn(process.execPath, ['-e', middle], { detached: true, env: {}, stdio: ['ignore', 'inherit', 'ignore'] });
process.on('SIGTERM', () => undefined);
setInterval(() => undefined, 1_000);
