import { Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodies, queries } from '../forms.ts';
import { breakageOf } from '../log.ts';
import { PARTS, type Parts } from '../parts.ts';
import { bodyOf, queryOf } from '../parsing.ts';
import { Problem } from '../problem.ts';
import { loggedAs } from '../trace.ts';
import { expectNoSession } from './agent-door.ts';
import { answerMessage } from './agent-protocol.ts';
import { callTool, type CallPorts } from './tool-call.ts';
import { toolHeader } from './tool-mark.ts';

/** What of a message's headers the protocol reads. */
const protocolHeaders = ['accept', 'content-type', 'mcp-protocol-version', 'mcp-method', 'mcp-name'] as const;

/** The door of agents: the Model Context Protocol over HTTP. */
@Controller('mcp')
export class McpController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Post()
  async hear(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    expectNoSession(request);
    const message = bodyOf(request, bodies.agentMessage);
    const headers = protocolHeaders.flatMap((name): [string, string][] => {
      const value = request.headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    });
    const asked = new Request(new URL('/mcp', this.#parts.config.publicUrl), { method: 'POST', headers });
    const answer = await answerMessage(asked, message, async (tool, args) =>
      callTool(tool, args, this.#portsFor(request, reply, tool.name)),
    );
    const type = answer.headers.get('content-type');
    if (type !== null) reply.type(type);
    return reply.code(answer.status).send(await answer.text());
  }

  /** Clients ask whether there is a stream to listen to. */
  @Get()
  listen(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    queryOf(request, queries.none);
    reply.header('allow', 'POST');
    throw new Problem('method_not_allowed', 'expected POST: nothing is streamed here');
  }

  /** A tool asks the API as its agent would, with the very same token, so that every rule is asked that would be asked. */
  #portsFor(request: FastifyRequest, reply: FastifyReply, tool: string): CallPorts {
    const { toolMark, log } = this.#parts;
    const own = {
      authorization: request.headers.authorization ?? '',
      [toolHeader]: toolMark.of(tool),
      traceparent: String(reply.getHeader('traceresponse') ?? ''),
    };
    return {
      dispatch: async ({ method, url, body, headers }) => {
        const sent = { method, url, headers: { ...headers, ...own }, ...(body === undefined ? {} : { payload: body }) };
        const { statusCode: status, body: text } = await request.server.inject(sent);
        return { status, body: JSON.parse(text) as unknown };
      },
      requestId: request.id,
      broke: (error) => log.error({ ...loggedAs(request), tool, ...breakageOf(error) }, 'a tool broke'),
    };
  }
}
