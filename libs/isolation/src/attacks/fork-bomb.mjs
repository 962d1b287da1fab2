// A prototype that starts a thousand processes and says how many it got, then keeps them.
import './inside.mjs';
import { spawn } from 'node:child_process';

const wanted = 1_000;
let got = 0;
let asked = 0;
for (; asked < wanted; asked += 1) {
  await new Promise((resolve) => {
    try {
      const child = spawn('sleep', ['1000'], { stdio: 'ignore', detached: true });
      child.once('spawn', () => {
        got += 1;
        resolve();
      });
      child.once('error', resolve);
    } catch {
      resolve();
    }
  });
}
console.log(JSON.stringify({ asked, got }));
setInterval(() => undefined, 1_000);
