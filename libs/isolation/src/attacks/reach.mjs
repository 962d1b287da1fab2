// A prototype that tries to reach what is not its own, and says of each "reached" or what was in the way: one line of
// JSON on its output. What to try is its argument, as JSON: { tcp: ["host:port"], proxied: ["host:port"], proxy:
// "host:port", unix: [path], abstract: [name], files: [path], names: [host], pids: [number] }. It connects, looks and
// reads only, so it may also be run bare, to show that what a sandbox keeps away is really there.
import dgram from 'node:dgram';
import dns from 'node:dns/promises';
import fs from 'node:fs';
import net from 'node:net';

const wish = {
  tcp: [],
  proxied: [],
  unix: [],
  abstract: [],
  files: [],
  names: [],
  pids: [],
  ...JSON.parse(process.argv[2]),
};
const WAIT_MS = 1_500;
const found = {};

await Promise.all([
  ...wish.tcp.map((each) => tryOut(`tcp ${each}`, () => connects(addressOf(each)))),
  ...wish.proxied.map((each) => tryOut(`proxied ${each}`, () => asksProxyFor(each))),
  ...wish.unix.map((path) => tryOut(`unix ${path}`, () => connects({ path }))),
  ...wish.abstract.map((name) => tryOut(`abstract ${name}`, () => connects({ path: `\0${name}` }))),
  ...wish.files.map((path) => tryOut(`read ${path}`, () => fs.readFileSync(path).length > 0)),
  ...wish.files.map((path) => tryOut(`read by link ${path}`, () => readsByLink(path))),
  ...wish.names.map((name) => tryOut(`dns ${name}`, async () => (await dns.lookup(name)).address !== undefined)),
  ...wish.names.map((name) => tryOut(`resolver ${name}`, async () => (await dns.resolve4(name)).length > 0)),
  // Signal 0 asks only whether one could.
  ...wish.pids.map((pid) => tryOut(`signal ${pid}`, () => process.kill(pid, 0))),
  ...wish.pids.map((pid) => tryOut(`environ ${pid}`, () => fs.readFileSync(`/proc/${pid}/environ`).length > 0)),
  ...wish.pids.map((pid) => tryOut(`root of ${pid}`, () => fs.readdirSync(`/proc/${pid}/root/`).length > 0)),
  ...wish.pids.map((pid) => tryOut(`descriptors of ${pid}`, () => fs.readdirSync(`/proc/${pid}/fd`).length > 0)),
  tryOut('udp dns', () => asksByUdp('8.8.8.8')),
  tryOut('parent environ', () => fs.readFileSync(`/proc/${process.ppid}/environ`).length > 0),
  tryOut('control group', () => fs.readdirSync('/sys/fs/cgroup').length > 0),
]);
process.stdout.write(`${JSON.stringify(found)}\n`, () => process.exit(0));

async function tryOut(name, attack) {
  try {
    found[name] = (await within(attack())) === true ? 'reached' : 'nothing there';
  } catch (error) {
    found[name] = error.code ?? error.message;
  }
}

function within(answer) {
  const late = new Promise((_resolve, reject) => setTimeout(() => reject(new Error('timed out')), WAIT_MS));
  return Promise.race([answer, late]);
}

function addressOf(text) {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at), port: Number(text.slice(at + 1)) };
}

function connects(target) {
  return new Promise((resolve, reject) => {
    net.connect(target, () => resolve(true)).on('error', reject);
  });
}

// By the way out that a sandbox is offered.
function asksProxyFor(target) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(addressOf(wish.proxy));
    socket.on('error', reject).on('end', () => reject(new Error('no answer')));
    socket.once('data', (answer) => {
      const [status = ''] = /\d{3}/.exec(String(answer)) ?? [];
      if (status === '200') resolve(true);
      else reject(new Error(`status ${status}`));
    });
    socket.write(`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n\r\n`);
  });
}

function readsByLink(path) {
  const link = `/tmp/proviso-attack-${process.pid}-${Math.random()}`;
  fs.symlinkSync(path, link);
  try {
    return fs.readFileSync(link).length > 0;
  } finally {
    fs.unlinkSync(link);
  }
}

function asksByUdp(server) {
  const question = Buffer.from('abcd01000001000000000000076578616d706c6503636f6d0000010001', 'hex');
  return new Promise((resolve, reject) => {
    const socket = dgram.createSocket('udp4');
    socket.on('message', () => resolve(true));
    socket.on('error', reject);
    socket.send(question, 53, server, (error) => error && reject(error));
  });
}
