import { Controller, Get, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { type ConfigurationCommand, configurationOf } from '@proviso/domain';
import type { LaneView, Reads } from '@proviso/journal';
import type { FastifyRequest } from 'fastify';
import { type Caller, callerOf } from './caller.ts';
import { bodies, queries } from './forms.ts';
import { offering } from './offering.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, found, idIn, queryOf } from './parsing.ts';
import { personRef, timeOf } from './person-ref.ts';
import type { ConfigurationResource } from './resources.ts';
import { intentOf } from './submission.ts';

type NameOnly = Extract<ConfigurationCommand['kind'], 'UnsetVariable' | 'UnbindSecret' | 'RotateSecret'>;

/** What lanes give to their releases: variables, and the places of secrets. No value of a secret comes by here. */
@Controller('v1/lanes')
export class ConfigurationController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Get(':id/configuration')
  async read(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { reads } = callerOf(request);
    return configurationOffered(callerOf(request), found(await reads.lane(idIn(request, 'lane'))));
  }

  @Post(':id/variables')
  @HttpCode(200)
  async set(@Req() request: FastifyRequest) {
    return this.#change(request, { kind: 'SetVariable', ...bodyOf(request, bodies.setVariable) });
  }

  @Post(':id/variables/unset')
  @HttpCode(200)
  async unset(@Req() request: FastifyRequest) {
    return this.#byName(request, 'UnsetVariable');
  }

  @Post(':id/secrets')
  @HttpCode(200)
  async bind(@Req() request: FastifyRequest) {
    return this.#change(request, { kind: 'BindSecret', ...bodyOf(request, bodies.bindSecret) });
  }

  @Post(':id/secrets/unbind')
  @HttpCode(200)
  async unbind(@Req() request: FastifyRequest) {
    return this.#byName(request, 'UnbindSecret');
  }

  @Post(':id/secrets/rotate')
  @HttpCode(200)
  async rotate(@Req() request: FastifyRequest) {
    return this.#byName(request, 'RotateSecret');
  }

  #byName(request: FastifyRequest, kind: NameOnly) {
    return this.#change(request, { kind, ...bodyOf(request, bodies.configured) });
  }

  async #change(request: FastifyRequest, change: WithoutLane<ConfigurationCommand>) {
    queryOf(request, queries.none);
    const lane = idIn(request, 'lane');
    const { caller, submit } = intentOf(this.#parts, request);
    await submit({ ...change, lane });
    return configurationOffered(caller, found(await caller.reads.lane(lane)));
  }
}

type WithoutLane<Command> = Command extends unknown ? Omit<Command, 'lane'> : never;

async function configurationOffered(caller: Caller, lane: LaneView) {
  const { prototype, environment } = lane.state;
  const shown = await configurationView(lane, caller.reads);
  return offering(shown, caller, { noun: 'configuration', prototype, environment });
}

async function configurationView({ state }: LaneView, reads: Reads): Promise<ConfigurationResource> {
  const { revision, variables, secrets } = configurationOf(state);
  const told = [...Object.values(variables), ...Object.values(secrets)];
  const names = await reads.names([...new Set(told.map(({ by }) => by))]);
  return {
    lane: state.id,
    environment: state.environment,
    revision,
    variables: Object.entries(variables).map(([name, { value, by, at }]) => {
      return { name, value, by: personRef(by, names), since: timeOf(at) };
    }),
    secrets: Object.entries(secrets).map(([name, { reference, by, at }]) => {
      return { name, reference, by: personRef(by, names), since: timeOf(at) };
    }),
  };
}
