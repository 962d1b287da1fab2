import { z } from 'zod';
import { resourceNames } from './named-schema.ts';
import { problemResource } from './resources.ts';
import type { Route } from './route.ts';
import { routes } from './routes.ts';

type Json = Readonly<Record<string, unknown>>;

let text: string | null = null;

/** The description as sent; made once, since it depends on nothing but the code. */
export function openapiText(): string {
  text ??= `${JSON.stringify(openapiDocument(), null, 2)}\n`;
  return text;
}

/** OpenAPI 3.1 out of the same table that the guard goes by and the same schemas that parse bodies. */
function openapiDocument(): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes.filter(isForPrograms)) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Proviso', version: '1', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: componentSchemas(),
    },
  };
}

/**
 * Pages are for browsers, what is signed is for its sender, and agents have a protocol of their own: in the description of what programs may call they would
 * only become functions of a client.
 */
function isForPrograms({ access, answers, takes }: Route): boolean {
  return (
    takes.signedBy === undefined &&
    access.kind !== 'agent' &&
    !Object.values(answers).some((answer) => answer === 'text/html' || answer === 'text/javascript')
  );
}

function componentSchemas(): Json {
  const { schemas } = z.toJSONSchema(resourceNames, { uri: (id) => `#/components/schemas/${id}`, io: 'output' });
  const entries = Object.entries(schemas).filter(([name]) => !name.startsWith('__'));
  return Object.fromEntries(entries.map(([name, schema]) => [name, bare(schema)]));
}

function operationOf(route: Route): Json {
  const answers = Object.entries(route.answers).map(([status, answer]) => [status, answerOf(answer)] as const);
  // No 500 among them: it is never an answer that anybody may count on, so whoever sees one has found a fault of ours.
  const problem = {
    description: 'no, as a problem (RFC 9457)',
    content: { 'application/problem+json': { schema: refTo(problemResource) } },
  };
  const body = bodyOf(route);
  return {
    operationId: route.name,
    summary: route.summary,
    ...(route.access.kind === 'public' ? { security: [] } : {}),
    parameters: [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)],
    ...(body === null ? {} : { requestBody: body }),
    responses: { ...Object.fromEntries(answers), ...unchangedOf(route), '4XX': problem, '503': problem },
  };
}

/** What is read as JSON has a tag; whoever sends it back is told in a line that nothing has changed. */
function unchangedOf({ method, answers }: Route): Record<string, Json> {
  const isTagged = method === 'GET' && answers[200] !== undefined && typeof answers[200] !== 'string';
  return isTagged ? { '304': { description: 'not changed since the tag in If-None-Match' } } : {};
}

function answerOf(answer: z.ZodType | string): Json {
  if (typeof answer !== 'string')
    return { description: 'done', content: { 'application/json': { schema: refTo(answer) } } };
  const types = answer.split(', ').map((type) => [type, { schema: plainSchemaOf(type) }] as const);
  return { description: 'done', content: Object.fromEntries(types) };
}

function plainSchemaOf(type: string): Json {
  if (type === 'application/json') return { type: 'object' };
  return type === 'application/octet-stream' ? { type: 'string', format: 'binary' } : { type: 'string' };
}

function bodyOf({ takes }: Route): Json | null {
  const archive = {
    type: 'object',
    properties: { version: { type: 'string' }, archive: { type: 'string', format: 'binary' } },
    required: ['version', 'archive'],
  };
  const content = {
    ...(takes.json === undefined ? {} : { 'application/json': { schema: inputOf(takes.json) } }),
    ...(takes.yaml ? { 'text/yaml': { schema: { type: 'string' } } } : {}),
    ...(takes.archive ? { 'multipart/form-data': { schema: archive } } : {}),
  };
  if (Object.keys(content).length === 0) return null;
  return { required: takes.json?.safeParse(undefined).success !== true, content };
}

function pathParameters({ path }: Route): readonly Json[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters({ takes }: Route): readonly Json[] {
  const { properties = {} } = inputOf(takes.query ?? z.strictObject({})) as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: false, schema }));
}

function headerParameters({ method, access, takes }: Route): readonly Json[] {
  if (method === 'GET' || access.kind !== 'command') return [];
  const key = header('Idempotency-Key', 'the same key and body replays the answer', { minLength: 1, maxLength: 200 });
  const condition =
    'the ETag of the prototype or policy that was looked at; when it has changed since, 412 stale_revision';
  return takes.condition ? [key, header('If-Match', condition)] : [key];
}

function header(name: string, description: string, more: Json = {}): Json {
  return { name, in: 'header', required: false, description, schema: { type: 'string', ...more } };
}

function inputOf(schema: z.ZodType): Json {
  return bare(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
}

/** A component's own address says nothing inside the document. */
function bare(schema: object): Json {
  const { $schema: _schema, $id: _id, ...rest } = schema as Record<string, unknown>;
  return rest;
}

function refTo(schema: z.ZodType): Json {
  const id = resourceNames.get(schema)?.id;
  if (id === undefined) throw new Error('expected a named schema for an answer, got one without a name');
  return { $ref: `#/components/schemas/${id}` };
}
