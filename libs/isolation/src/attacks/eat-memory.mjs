// A prototype that takes ten gigabytes, and says how far it came after each part.
import './inside.mjs';
const kept = [];
for (let megabytes = 0; megabytes < 10_240; megabytes += 32) {
  kept.push(Buffer.alloc(32 << 20, 1));
  console.log(megabytes + 32);
}
console.log('all of it', kept.length);
