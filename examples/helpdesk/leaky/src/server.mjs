import { createServer } from 'node:http';
import { answerQuestion } from './answer.mjs';
import { notifyTeam } from './mail.mjs';
import { page } from './page.mjs';
import { describeTicket, openTickets } from './tickets.mjs';

const bodyBytesMax = 64 * 1024;

async function readJson(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > bodyBytesMax) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}

function send(response, status, body, type = 'application/json') {
  response.writeHead(status, { 'content-type': `${type}; charset=utf-8` });
  response.end(type === 'application/json' ? JSON.stringify(body) : body);
}

async function postAnswer(request, response) {
  const input = await readJson(request);
  const question = input?.question;
  if (typeof question !== 'string' || question.trim() === '') {
    return send(response, 400, { error: 'expected a question' });
  }
  const found = answerQuestion(question);
  if (found === undefined) {
    notifyTeam(question);
    return send(response, 200, { answer: 'I do not know. A colleague will write to you.', source: null });
  }
  const ticket = input.ticketId === undefined ? undefined : describeTicket(input.ticketId);
  return send(response, 200, { answer: found.answer, source: found.source, ...(ticket && { ticket }) });
}

async function handle(request, response) {
  const path = new URL(request.url, 'http://localhost').pathname;
  const route = `${request.method} ${path}`;
  if (route === 'GET /') return send(response, 200, page, 'text/html');
  if (route === 'GET /healthz') return send(response, 200, { status: 'ok' });
  if (route === 'GET /tickets') return send(response, 200, { tickets: openTickets() });
  if (route === 'POST /answer') return postAnswer(request, response);
  return send(response, 404, { error: 'not found' });
}

const server = createServer((request, response) => {
  handle(request, response).catch(() => send(response, 500, { error: 'something went wrong' }));
});

server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
