import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { type Binding, type PersonId, type PersonState, idFrom } from '@proviso/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Caller, callerOf } from './caller.ts';
import { type BindingForm, bodies, queries } from './forms.ts';
import { offering, personOffered } from './offering.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, found, idIn, pageIn, queryOf } from './parsing.ts';
import { Problem } from './problem.ts';
import { usesOf } from './prototype-view.ts';
import { intentOf } from './submission.ts';
import { tokenFor } from './token-issue.ts';

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
    const caller = callerOf(request);
    const [workspace, person] = await Promise.all([workspaceShown(caller), personShown(caller, caller.person.id)]);
    return { workspace, person };
  }

  @Get('workspaces')
  async workspaces(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    return { items: [await workspaceShown(callerOf(request))], next: null };
  }

  @Get('people')
  async list(@Req() request: FastifyRequest) {
    const caller = callerOf(request);
    const { reads } = caller;
    const { items, next } = await reads.people(pageIn(request));
    const [names, uses] = await Promise.all([reads.names(items.map((person) => person.id)), usesOf(reads, items)]);
    return { items: items.map((person) => personOffered(caller, person, { names, uses })), next };
  }

  @Get('people/:id')
  async read(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    return personShown(callerOf(request), idIn(request, 'psn'));
  }

  @Post('people')
  async add(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    queryOf(request, queries.none);
    const { name, email, kind, actsFor, roles } = bodyOf(request, bodies.addPerson);
    const { caller, draw, submit } = intentOf(this.#parts, request);
    const person = idFrom('psn', draw('person'));
    const acts = actsFor === undefined ? {} : { actsFor };
    if (actsFor !== undefined) expectHuman(found(await caller.reads.person(actsFor)));
    if (kind !== 'human') expectAccountable(kind, actsFor);
    await submit(
      { kind: 'AddPerson', person, principal: kind, bindings: roles.map(bindingFrom), ...acts },
      { personal: { name, ...(email === undefined ? {} : { email }) } },
    );
    reply.header('location', `/v1/people/${person}`);
    return personShown(caller, person);
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
    const { validDays, scopes } = bodyOf(request, bodies.issueToken);
    const person = idIn(request, 'psn');
    const intent = intentOf(this.#parts, request);
    const { record, shown } = tokenFor(this.#parts, intent, { person, validDays, scopes });
    await intent.submit({ kind: 'IssueToken', person, token: record });
    return shown;
  }

  @Post('people/:id/tokens/revoke')
  @HttpCode(200)
  async revokeToken(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { token } = bodyOf(request, bodies.revokeToken);
    const person = idIn(request, 'psn');
    const { caller, submit } = intentOf(this.#parts, request);
    await submit({ kind: 'RevokeToken', person, token });
    return personShown(caller, person);
  }

  @Get('people/:id/personal')
  async personal(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const person = idIn(request, 'psn');
    const { caller, submit } = intentOf(this.#parts, request);
    // Recorded before anything is shown: whoever was refused or cut off has seen nothing, and nobody sees unrecorded.
    const { replayed } = await submit({ kind: 'ReadPersonal', person });
    if (replayed) throw new Problem('key_conflict', 'expected a key of its own for each reading, got one used before');
    const [shown, held] = await Promise.all([personShown(caller, person), caller.reads.personal(person)]);
    return { person: shown, ...held, texts: [...held.texts] };
  }

  @Post('people/:id/erase')
  @HttpCode(200)
  async erase(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    bodyOf(request, bodies.empty);
    const person = idIn(request, 'psn');
    const { caller, submit } = intentOf(this.#parts, request);
    await submit({ kind: 'ErasePerson', person });
    return personShown(caller, person);
  }

  @Post('people/:id/disable')
  @HttpCode(200)
  async disable(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    bodyOf(request, bodies.empty);
    const person = idIn(request, 'psn');
    const { caller, submit } = intentOf(this.#parts, request);
    await submit({ kind: 'DisablePerson', person });
    return personShown(caller, person);
  }

  async #change(request: FastifyRequest, kind: 'GrantRole' | 'RevokeRole') {
    queryOf(request, queries.none);
    const binding = bindingFrom(bodyOf(request, bodies.role));
    const person = idIn(request, 'psn');
    const { caller, submit } = intentOf(this.#parts, request);
    await submit({ kind, person, binding });
    return personShown(caller, person);
  }
}

/** Through an agent of an agent the human at its end would stay unknown, and could decide on their own work. */
function expectHuman({ kind, disabled }: PersonState): void {
  if (kind === 'human' && !disabled) return;
  const got = disabled ? 'one who was shut out' : `a principal of kind ${kind}`;
  const message = `expected an active human, got ${got}`;
  throw new Problem('invalid', message, { errors: [{ pointer: '/actsFor', code: 'invalid', message }] });
}

/** A machine does nothing by itself: a human answers for it, and has no vote on what it had a hand in. */
function expectAccountable(kind: PersonState['kind'], actsFor: PersonId | undefined): void {
  if (actsFor !== undefined) return;
  const message = `expected the human who answers for this ${kind}, got nobody`;
  throw new Problem('invalid', message, { errors: [{ pointer: '/actsFor', code: 'invalid', message }] });
}

async function workspaceShown(caller: Caller) {
  const name = await caller.reads.workspaceName();
  return offering({ id: caller.workspace, name }, caller, { noun: 'workspace' });
}

async function personShown(caller: Caller, id: PersonId) {
  const { reads } = caller;
  const [known, names] = await Promise.all([reads.person(id), reads.names([id])]);
  const person = found(known);
  return personOffered(caller, person, { names, uses: await usesOf(reads, [person]) });
}

function bindingFrom({ role, group, prototype, environment }: BindingForm): Binding {
  return {
    role,
    ...(group === undefined ? {} : { group }),
    ...(prototype === undefined ? {} : { prototype }),
    ...(environment === undefined ? {} : { environment }),
  };
}
