import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { askerOf } from './caller.ts';
import { breakageOf } from './log.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOfProblem, httpStatusOf, problemOf } from './problem.ts';
import { isForPeople, sendProblemPage } from './problem-page.ts';
import { loggedAs } from './trace.ts';

/** Everything that was thrown, wherever, leaves here as a problem; what is our fault is logged once, here. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    answerProblem(this.#parts, error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }
}

/** Answers one problem; nothing is said when the answer has begun already. */
export function answerProblem(
  parts: Pick<Parts, 'log' | 'metrics' | 'summary'>,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const problem = problemOf(error);
  const status = httpStatusOf(problem.code);
  if (status >= 500) parts.log.error({ ...loggedAs(request), code: problem.code, ...breakageOf(error) }, 'broke');
  parts.metrics.refused(problem.code);
  const asker = askerOf(request);
  if (status < 500 && asker !== undefined && !problem.more.recorded) parts.summary.note(asker, problem.code);
  if (reply.sent || reply.raw.headersSent) return;
  if (problem.more.retryAfterSeconds !== undefined) reply.header('retry-after', problem.more.retryAfterSeconds);
  if (isForPeople(request)) return sendProblemPage(problem, request, reply);
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="proviso"');
  // Serialised here: the body of an error must not depend on which schema the route has for its success.
  const body = JSON.stringify(bodyOfProblem(problem, loggedAs(request)));
  void reply.code(status).type('application/problem+json; charset=utf-8').send(body);
}
