import { Controller, Get, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { authorise } from '@proviso/authority';
import type { PersonId } from '@proviso/domain';
import type { FastifyRequest } from 'fastify';
import { type Caller, asViewer, callerOf } from './caller.ts';
import { bodies, queries } from './forms.ts';
import { recorded } from './guard.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, found, idIn, queryOf } from './parsing.ts';
import { problemOfRefusal } from './problem.ts';
import { timeOf } from './person-ref.ts';
import { intentOf } from './submission.ts';

/** Browsers in which people are signed in: one's own, or anybody's for who may sign them out. */
@Controller('v1/people/:id/sessions')
export class SessionsController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Get()
  async list(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const caller = callerOf(request);
    const person = idIn(request, 'psn');
    const command = { kind: 'EndSessions', person } as const;
    const refused = authorise({ ...asViewer(caller), command });
    if (refused !== null) {
      const door = 'GET /v1/people/:id/sessions';
      throw await recorded(this.#parts, caller, { door, refused: problemOfRefusal(refused) });
    }
    found(await caller.reads.person(person));
    return this.#shown(caller, person);
  }

  @Post('end')
  @HttpCode(200)
  async end(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    bodyOf(request, bodies.empty);
    const person = idIn(request, 'psn');
    const { caller, submit } = intentOf(this.#parts, request);
    await submit({ kind: 'EndSessions', person });
    return this.#shown(caller, person);
  }

  async #shown({ workspace }: Caller, person: PersonId) {
    const sessions = await this.#parts.journal.sessions.of(workspace, person);
    return {
      items: sessions.map(({ id, openedAt, seenAt, authenticatedAt }) => ({
        id,
        openedAt: timeOf(openedAt),
        seenAt: timeOf(seenAt),
        authenticatedAt: authenticatedAt === null ? null : timeOf(authenticatedAt),
      })),
    };
  }
}
