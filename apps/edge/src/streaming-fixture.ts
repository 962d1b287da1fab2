import { connect, type Socket } from 'node:net';

// For tests only: a prototype that streams and talks, and a visitor on a bare socket who sees every byte.

/** Answers pages, an event stream under /events and WebSockets under /echo; /refused answers 403 to a handshake. */
export const streamingSource = `
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
const name = process.env.NAME;
const server = createServer((request, response) => {
  response.setHeader('x-name', name);
  if (request.url === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    const beat = setInterval(() => response.write('data: ' + name + '\\n\\n'), 50);
    return response.on('close', () => clearInterval(beat));
  }
  if (request.url === '/silent-events') return response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  if (request.url === '/slow') return setTimeout(() => response.end(name), 300);
  response.end(name);
});
server.on('upgrade', (request, socket, head) => {
  socket.on('error', () => socket.destroy());
  if (request.url !== '/echo') return socket.end('HTTP/1.1 403 Forbidden\\r\\ncontent-length: 2\\r\\nconnection: close\\r\\n\\r\\nno');
  const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nconnection: upgrade\\r\\nupgrade: websocket\\r\\nsec-websocket-accept: ' + accept + '\\r\\nx-name: ' + name + '\\r\\nx-for: ' + request.headers['x-forwarded-for'] + '\\r\\n\\r\\n');
  const hear = (part) => {
    for (let at = 0; at + 6 <= part.length; ) {
      const length = part[at + 1] & 127;
      const text = Buffer.from(part.subarray(at + 6, at + 6 + length).map((byte, index) => byte ^ part[at + 2 + (index % 4)]));
      if ((part[at] & 15) === 8) return socket.end(Buffer.concat([Buffer.from([0x88, text.length]), text]));
      if (String(text) === 'die') process.exit(1);
      if (String(text) === 'drop') return socket.destroy();
      const answer = Buffer.from(name + ':' + text);
      socket.write(Buffer.concat([Buffer.from([0x81, answer.length]), answer]));
      at += 6 + length;
    }
  };
  if (head.length > 0) hear(head);
  socket.on('data', hear);
});
server.listen(Number(process.env.PORT), process.env.HOST);
`;

/** A visitor on a bare socket. */
export interface BareVisitor {
  readonly socket: Socket;
  /** All bytes so far, a letter each. */
  readonly heard: () => string;
  readonly isClosed: () => boolean;
  readonly say: (text: string) => void;
}

/** Connects and sends these bytes. */
export function bareVisitor(port: number, first: string): BareVisitor {
  let [heard, closed] = ['', false];
  const socket = connect(port, '127.0.0.1');
  socket.on('data', (part) => {
    heard += part.toString('latin1');
  });
  socket
    .on('error', () => socket.destroy())
    .on('close', () => {
      closed = true;
    });
  socket.write(first, 'latin1');
  return { socket, heard: () => heard, isClosed: () => closed, say: (text) => socket.write(frameOf(1, text)) };
}

/** A handshake for a WebSocket, with more fields when a test has some. */
export function handshakeOf(host: string, path = '/echo', more = ''): string {
  const fields = `connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n`;
  return `GET ${path} HTTP/1.1\r\nhost: ${host}\r\n${fields}${more}\r\n`;
}

/** A short masked frame, as a browser sends it. */
export function frameOf(opcode: number, text: string): Buffer {
  const mask = Buffer.from([1, 2, 3, 4]);
  const payload = Buffer.from(Buffer.from(text).map((byte, index) => byte ^ (mask[index % 4] ?? 0)));
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), mask, payload]);
}

/** The close frame that says "going away". */
export const goingAway = '\x88\x02\x03\xe9';
