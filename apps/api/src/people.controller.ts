import { createHmac } from 'node:crypto';
import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { type Binding, type PersonId, type PersonState, idFrom } from '@proviso/domain';
import type { Reads } from '@proviso/journal';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from './caller.ts';
import { type BindingForm, bodies, queries } from './forms.ts';
import { hashOfToken } from './guard.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, found, idIn, pageIn, queryOf } from './parsing.ts';
import { Problem } from './problem.ts';
import { timeOf } from './person-ref.ts';
import { personView } from './prototype-view.ts';
import { intentOf } from './submission.ts';

const dayMs = 86_400_000;

/** Principals, their roles and their tokens. */
@Controller('v1')
export class PeopleController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Get('me')
  async me(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { workspace, person, reads } = callerOf(request);
    const [name, shown] = await Promise.all([reads.workspaceName(), personShown(reads, person.id)]);
    return { workspace: { id: workspace, name }, person: shown };
  }

  @Get('workspaces')
  async workspaces(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { workspace, reads } = callerOf(request);
    return { items: [{ id: workspace, name: await reads.workspaceName() }], next: null };
  }

  @Get('people')
  async list(@Req() request: FastifyRequest) {
    const { reads } = callerOf(request);
    const { items, next } = await reads.people(pageIn(request));
    const names = await reads.names(items.map((person) => person.id));
    return { items: items.map((person) => personView(person, names)), next };
  }

  @Get('people/:id')
  async read(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    return personShown(callerOf(request).reads, idIn(request, 'psn'));
  }

  @Post('people')
  async add(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    queryOf(request, queries.none);
    const { name, email, kind, actsFor, roles } = bodyOf(request, bodies.addPerson);
    const { caller, draw, submit } = intentOf(this.#parts, request);
    const person = idFrom('psn', draw('person'));
    const acts = actsFor === undefined ? {} : { actsFor };
    if (actsFor !== undefined) expectHuman(found(await caller.reads.person(actsFor)));
    await submit(
      { kind: 'AddPerson', person, principal: kind, bindings: roles.map(bindingFrom), ...acts },
      { personal: { name, ...(email === undefined ? {} : { email }) } },
    );
    reply.header('location', `/v1/people/${person}`);
    return personShown(caller.reads, person);
  }

  @Post('people/:id/roles')
  @HttpCode(200)
  async grant(@Req() request: FastifyRequest) {
    return this.#change(request, 'GrantRole');
  }

  @Post('people/:id/roles/revoke')
  @HttpCode(200)
  async revoke(@Req() request: FastifyRequest) {
    return this.#change(request, 'RevokeRole');
  }

  @Post('people/:id/tokens')
  async issue(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { validDays } = bodyOf(request, bodies.issueToken);
    const person = idIn(request, 'psn');
    const { caller, key, draw, submit } = intentOf(this.#parts, request);
    // Out of our key and the sender's: a retry whose first answer was lost gets the same token, and nothing is stored.
    const secret = createHmac('sha256', Buffer.from(this.#parts.config.vaultKeyHex, 'hex'))
      .update(`token ${caller.workspace} ${caller.person.id} ${person} ${key}`)
      .digest('base64url');
    const token = `prv_${secret}`;
    // To the end of a day, so that a retry asks for the very same thing.
    const expiresAt = (Math.floor(this.#parts.now() / dayMs) + 1 + validDays) * dayMs;
    const id = idFrom('tok', draw(`token ${person}`));
    await submit({ kind: 'IssueToken', person, token: { id, hash: hashOfToken(token), expiresAt } });
    return { id, token, expiresAt: timeOf(expiresAt) };
  }

  @Post('people/:id/tokens/revoke')
  @HttpCode(200)
  async revokeToken(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { token } = bodyOf(request, bodies.revokeToken);
    const person = idIn(request, 'psn');
    const { caller, submit } = intentOf(this.#parts, request);
    await submit({ kind: 'RevokeToken', person, token });
    return personShown(caller.reads, person);
  }

  @Post('people/:id/disable')
  @HttpCode(200)
  async disable(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    bodyOf(request, bodies.empty);
    const person = idIn(request, 'psn');
    const { caller, submit } = intentOf(this.#parts, request);
    await submit({ kind: 'DisablePerson', person });
    return personShown(caller.reads, person);
  }

  async #change(request: FastifyRequest, kind: 'GrantRole' | 'RevokeRole') {
    queryOf(request, queries.none);
    const binding = bindingFrom(bodyOf(request, bodies.role));
    const person = idIn(request, 'psn');
    const { caller, submit } = intentOf(this.#parts, request);
    await submit({ kind, person, binding });
    return personShown(caller.reads, person);
  }
}

/** Through an agent of an agent the human at its end would stay unknown, and could decide on their own work. */
function expectHuman({ kind }: PersonState): void {
  if (kind === 'human') return;
  const message = `expected a human, got a principal of kind ${kind}`;
  throw new Problem('invalid', message, { errors: [{ pointer: '/actsFor', code: 'invalid', message }] });
}

async function personShown(reads: Reads, id: PersonId) {
  const [person, names] = await Promise.all([reads.person(id), reads.names([id])]);
  return personView(found(person), names);
}

function bindingFrom({ role, group, prototype, environment }: BindingForm): Binding {
  return {
    role,
    ...(group === undefined ? {} : { group }),
    ...(prototype === undefined ? {} : { prototype }),
    ...(environment === undefined ? {} : { environment }),
  };
}
