// A prototype that writes into every folder it can find until nothing more fits, and says how many bytes it got rid of.
import './inside.mjs';
import fs from 'node:fs';

const part = Buffer.alloc(1 << 20, 'x');
// More than any sandbox of ours may keep in one folder.
const enough = 2 ** 31;
const written = {};
for (const folder of [
  '/tmp',
  '/dev/shm',
  '/dev',
  '/',
  '/app',
  '/run',
  '/var/tmp',
  '/opt',
  '/run/proviso',
  process.cwd(),
]) {
  written[folder] = 0;
  for (let file = 0; file < 100 && written[folder] < enough; file += 1) {
    try {
      const handle = fs.openSync(`${folder}/fill-${process.pid}-${file}`, 'w');
      for (let count = 0; count < 32; count += 1) written[folder] += fs.writeSync(handle, part);
    } catch {
      // Full, too large or not writable: the next one.
    }
  }
}
console.log(JSON.stringify(written));
