import { Controller, Get, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { callerOf } from './caller.ts';
import { bodies, queries } from './forms.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, queryOf } from './parsing.ts';
import { tokenView, usesOf } from './prototype-view.ts';
import { intentOf } from './submission.ts';
import { tokenFor } from './token-issue.ts';

/** The tokens of whoever asks: narrower ones for programs, without an administrator. */
@Controller('v1/me/tokens')
export class OwnTokensController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Get()
  async list(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { person, reads } = callerOf(request);
    const uses = await usesOf(reads, [person]);
    return { items: person.tokens.map((token) => tokenView(token, uses)), next: null };
  }

  @Post()
  async issue(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { validDays, scopes } = bodyOf(request, bodies.issueOwnToken);
    const intent = intentOf(this.#parts, request);
    const person = intent.caller.person.id;
    const { record, shown } = tokenFor(this.#parts, intent, { person, validDays, scopes });
    await intent.submit({ kind: 'IssueOwnToken', person, token: record });
    return shown;
  }

  @Post('revoke')
  @HttpCode(200)
  async revoke(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { token } = bodyOf(request, bodies.revokeToken);
    const { caller, submit } = intentOf(this.#parts, request);
    await submit({ kind: 'RevokeToken', person: caller.person.id, token });
    return { id: token };
  }
}
