import { type Id, type IdKind, isId } from '@proviso/domain';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { queries } from './forms.ts';
import { Problem, type ProblemDetail } from './problem.ts';

/** Enough to mend a body at once; a hostile one could have thousands. */
const detailsMax = 20;

/** The body in the domain's types, or 422 with a pointer to each mistake. */
export function bodyOf<Schema extends z.ZodType>(request: FastifyRequest, schema: Schema): z.output<Schema> {
  return parsed(request.body, schema, '');
}

/** The query in the domain's types; an unknown parameter is a mistake that would otherwise be ignored in silence. */
export function queryOf<Schema extends z.ZodType>(request: FastifyRequest, schema: Schema): z.output<Schema> {
  return parsed({ ...(request.query as object) }, schema, '/query');
}

/** Which page is asked for. */
export function pageIn(request: FastifyRequest): { limit: number; after?: string } {
  const { after, limit } = queryOf(request, queries.page);
  return after === undefined ? { limit } : { after, limit };
}

/** Any value against a schema. */
export function parsed<Schema extends z.ZodType>(value: unknown, schema: Schema, at: string): z.output<Schema> {
  const found = schema.safeParse(value);
  if (found.success) return found.data;
  const errors = found.error.issues.flatMap((issue) => detailsOf(issue, at)).slice(0, detailsMax);
  throw new Problem(
    'invalid',
    `expected another ${at === '' ? 'body' : at.slice(1)}, got ${errors.length} ${errors.length === 1 ? 'mistake' : 'mistakes'}`,
    {
      errors,
    },
  );
}

/** Unknown fields are told one by one, each with its own pointer. */
function detailsOf(issue: z.core.$ZodIssue, at: string): readonly ProblemDetail[] {
  const path = `${at}${issue.path.map((step) => `/${escaped(String(step))}`).join('')}`;
  if (issue.code !== 'unrecognized_keys') return [{ pointer: path, code: issue.code, message: issue.message }];
  return issue.keys.map((key) => ({
    pointer: `${path}/${escaped(key.slice(0, 100))}`,
    code: 'unknown_field',
    message: 'expected no such field',
  }));
}

function escaped(step: string): string {
  return step.replaceAll('~', '~0').replaceAll('/', '~1').toWellFormed();
}

/** An id in the path. What could not be an id is answered like one that does not exist: there is no oracle in its form. */
export function idIn<Kind extends IdKind>(request: FastifyRequest, kind: Kind): Id<Kind> {
  const text = paramOf(request, 'id');
  if (isId(kind, text)) return text;
  throw notFound();
}

/** A parameter of the path as the server decoded it. */
export function paramOf(request: FastifyRequest, name: string): string {
  const { [name]: value } = request.params as Record<string, unknown>;
  return typeof value === 'string' ? value : '';
}

/** The thing that was read, or 404: of another workspace and of none look alike. */
export function found<Thing>(thing: Thing | null | undefined): Thing {
  if (thing === null || thing === undefined) throw notFound();
  return thing;
}

/** The one 404. */
export function notFound(): Problem {
  return new Problem('not_found', 'expected a known thing');
}
