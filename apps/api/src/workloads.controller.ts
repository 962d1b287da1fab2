import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { authorise } from '@proviso/authority';
import { type PrototypeId, type WorkloadCommand, idFrom } from '@proviso/domain';
import { digestOf } from '@proviso/evidence';
import type { PrototypeView } from '@proviso/journal';
import type { FastifyRequest } from 'fastify';
import { type Caller, asViewer, callerOf } from './caller.ts';
import { bodies, queries } from './forms.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, found, idIn, queryOf } from './parsing.ts';
import { Problem } from './problem.ts';
import { prototypeOffered } from './offering.ts';
import { intentOf } from './submission.ts';
import { exchange } from './workload-exchange.ts';

/** Pipelines outside: who trusts them, how they come in, and what they bring. */
@Controller('v1')
export class WorkloadsController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Post('prototypes/:id/workloads')
  async trust(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { name, workflow, promotes, ...told } = bodyOf(request, bodies.trustWorkload);
    const prototype = idIn(request, 'pro');
    const { caller, draw, submit } = intentOf(this.#parts, request);
    const service = idFrom('psn', draw('workload'));
    const rule = { service, ...told, ...(workflow && { workflow }), ...(promotes && { promotes }) };
    const command = { kind: 'TrustWorkload', prototype, rule } as const;
    // Rights first: who may not do it at all learns only that.
    if (!this.#parts.workloadKeys.isListed(told.issuer) && (await mayDo(caller, command)))
      throw notListed(this.#parts.config.workloadIssuers);
    await submit(command, { personal: { name } });
    return shown(request, prototype);
  }

  @Post('prototypes/:id/workloads/distrust')
  @HttpCode(200)
  async distrust(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { service } = bodyOf(request, bodies.distrustWorkload);
    const prototype = idIn(request, 'pro');
    await intentOf(this.#parts, request).submit({ kind: 'DistrustWorkload', prototype, service });
    return shown(request, prototype);
  }

  @Post('prototypes/:id/evidence')
  async bring(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { kind, commit, candidate: named, contentBase64 } = bodyOf(request, bodies.addEvidence);
    const prototype = idIn(request, 'pro');
    const { caller, submit } = intentOf(this.#parts, request);
    const bytes = Buffer.from(contentBase64, 'base64');
    const digest = digestOf(bytes);
    const candidate = named ?? candidateFor(await caller.reads.prototype(prototype), commit);
    const command = {
      kind: 'AddEvidence',
      prototype,
      candidate,
      document: { kind, digest, bytes: bytes.length },
      commit,
    } as const;
    // Nobody fills the store with what they may not bring; that no is the journal's to give and to record.
    if (await mayDo(caller, command)) await this.#parts.store.put(bytes);
    const { replayed } = await submit(command);
    return { candidate, digest, receipt: replayed ? ('replayed' as const) : ('recorded' as const) };
  }

  @Post('workload/token')
  async exchange(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    return exchange(this.#parts, bodyOf(request, bodies.exchangeWorkload));
  }
}

/** True when the prototype is there and this caller may; the journal looks again under its locks. */
async function mayDo(caller: Caller, command: WorkloadCommand): Promise<boolean> {
  const { prototype } = command;
  if (authorise({ ...asViewer(caller), command, prototype }) !== null) return false;
  return (await caller.reads.prototype(prototype)) !== null;
}

/** The newest candidate of a commit; where there is none the journal says so, to whoever may hear it. */
function candidateFor(view: PrototypeView | null, commit: string): `cnd_${string}` {
  const fitting = view?.state.candidates.findLast(({ provenance }) => provenance.commit === commit);
  return fitting?.id ?? `cnd_${'0'.repeat(32)}`;
}

async function shown(request: FastifyRequest, id: PrototypeId) {
  const caller = callerOf(request);
  return prototypeOffered(caller, found(await caller.reads.prototype(id)));
}

function notListed(issuers: readonly string[]): Problem {
  const message = `expected one of the issuers that this deployment lists (${issuers.join(', ') || 'none'})`;
  return new Problem('invalid', message, { errors: [{ pointer: '/issuer', code: 'invalid', message }] });
}
