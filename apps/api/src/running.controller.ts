import { Controller, Get, Inject, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { callerOf } from './caller.ts';
import { edgeReport } from './edge-report.ts';
import { queries } from './forms.ts';
import { PARTS, type Parts } from './parts.ts';
import { queryOf } from './parsing.ts';

/** What runs where: the edges' own word, and the places that candidates run in. */
@Controller('v1/running')
export class RunningController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Get()
  async read(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { workspace, reads } = callerOf(request);
    const [reports, places] = await Promise.all([this.#parts.journal.edgeReports(workspace), reads.places()]);
    const that = (waits: boolean) => places.filter((place) => place.waits === waits).map(({ promotion }) => promotion);
    return { edges: reports.map(edgeView), places: { running: that(false), waiting: that(true) } };
  }
}

function edgeView({ edge, report, ageMs }: { edge: string; report: unknown; ageMs: number }) {
  // As it was stored by whichever version of us: what is not of today's form is passed over.
  const read = edgeReport.safeParse(report);
  const { isolation, lanes } = read.success ? read.data : { isolation: undefined, lanes: [] };
  const releases = lanes.flatMap(({ lane, releases: each }) =>
    each.map(({ release, state, pid, port, restarts, isolation: way }) => ({
      ...{ lane, release, state, restarts },
      ...{ pid: pid ?? null, port: port ?? null, isolation: way ?? null },
    })),
  );
  return {
    ...{ edge, ageMs, releases },
    isolation: isolation === undefined ? null : { way: isolation.way, limits: isolation.limits },
  };
}
