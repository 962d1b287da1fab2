import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Parts } from './parts.ts';
import { bodyOfProblem, httpStatusOf, problemOf } from './problem.ts';
import { requestIdOf } from './trace.ts';

/** Bytes that could not be read as a request are told so in the form of every other no; then the connection ends. */
export function answerUnreadable({ metrics }: Pick<Parts, 'metrics'>, error: { code?: string }, socket: Socket): void {
  // Whoever went away hears nothing.
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const problem = problemOf({ statusCode: error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400 });
  const status = httpStatusOf(problem.code);
  const body = JSON.stringify(bodyOfProblem(problem, { requestId: requestIdOf(randomUUID()) }));
  metrics.refused(problem.code);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}
