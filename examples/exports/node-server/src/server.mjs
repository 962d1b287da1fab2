import { createReadStream, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { addNote, allNotes, onNote } from './notes.mjs';
import { page } from './page.mjs';

const here = new URL('.', import.meta.url);
const { script } = JSON.parse(readFileSync(new URL('assets.json', here), 'utf8'));
const title = process.env.TEAM_NAME ?? 'the team';

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  const send = (status, type, body) => response.writeHead(status, { 'content-type': type }).end(body);
  const json = (status, body) => send(status, 'application/json', JSON.stringify(body));
  if (pathname === '/') return send(200, 'text/html; charset=utf-8', page(allNotes(), script));
  if (pathname === '/healthz') return json(200, { status: 'ok' });
  if (pathname === script) {
    response.writeHead(200, { 'content-type': 'text/javascript' });
    return createReadStream(new URL(`.${script}`, here)).pipe(response);
  }
  if (pathname === '/api/notes' && request.method === 'GET') return json(200, { team: title, notes: allNotes() });
  if (pathname === '/api/notes' && request.method === 'POST') return receive(request, json);
  if (pathname === '/api/events') return events(request, response);
  return json(404, { error: 'not found' });
});

function receive(request, json) {
  let body = '';
  request.on('data', (part) => {
    body += part;
    if (body.length > 10_000) request.destroy();
  });
  request.on('end', () => {
    try {
      const { who, text } = JSON.parse(body);
      if (typeof who !== 'string' || typeof text !== 'string') return json(400, { error: 'expected who and text' });
      return json(201, addNote({ who, text }));
    } catch {
      return json(400, { error: 'expected JSON' });
    }
  });
}

function events(request, response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.write(`event: hello\ndata: ${allNotes().length}\n\n`);
  const stop = onNote((note) => response.write(`event: note\ndata: ${JSON.stringify(note)}\n\n`));
  request.on('close', stop);
}

const sockets = new WebSocketServer({ server, path: '/api/socket' });
sockets.on('connection', (socket) => {
  const stop = onNote((note) => socket.send(JSON.stringify(note)));
  socket.on('message', (data) => socket.send(JSON.stringify({ echo: String(data).slice(0, 200) })));
  socket.on('close', stop);
});

server.listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? '127.0.0.1');
