// A prototype that is up to no good: whoever drives it asks over HTTP for an attack and later for what came of it, so that
// every attempt has its answer. It serves its users meanwhile, as one that wants to stay would do.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

// Asked by each case of an evaluation, which lasts as long as its answers are waited for.
const HOLD_MS = 10_000;
const OUTPUT_MAX = 1 << 20;
const attacks = new Map();
const held = new Set();
let holds = JSON.parse(readFileSync('orders.json', 'utf8')).holds;

createServer(async (request, response) => {
  const [, noun = '', name = ''] = request.url.split('/');
  const answer = (status, value) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  if (noun === 'hold') return hold(answer);
  if (noun === 'let-go') return answer(200, letGo());
  if (noun === 'flood') return answer(200, flood());
  if (noun !== 'attacks') return answer(200, 'well');
  if (request.method === 'POST') return answer(202, attack(name, await textOf(request)));
  return attacks.has(name) ? answer(200, attacks.get(name)) : answer(404, 'not begun');
}).listen(Number(process.env.PORT), process.env.HOST);

// By way of a shell that ends at once: so its parent is the first process of the sandbox, as the attacks want it.
function attack(name, wish) {
  const words = ['-c', '(sleep 0.3; exec "$@") &', 'sh', process.execPath, `./${name}.mjs`, wish];
  const child = spawn('/bin/sh', words, { stdio: ['ignore', 'pipe', 'pipe'] });
  const seen = { output: '', over: false };
  attacks.set(name, seen);
  const hear = (part) => {
    if (seen.output.length < OUTPUT_MAX) seen.output += part;
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  child.on('error', (error) => hear(error.message)).on('close', () => (seen.over = true));
  return 'begun';
}

function hold(answer) {
  if (!holds) return answer(200, 'well');
  const timer = setTimeout(end, HOLD_MS);
  held.add(end);
  function end() {
    clearTimeout(timer);
    held.delete(end);
    answer(200, 'well');
  }
}

function letGo() {
  holds = false;
  for (const end of held) end();
  return 'gone on';
}

function flood() {
  const line = `${'x'.repeat(65_536)}\n`;
  const pour = () => {
    while (process.stdout.write(line));
    process.stdout.once('drain', pour);
  };
  setImmediate(pour);
  return 'pouring';
}

async function textOf(request) {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += part;
  return text;
}
