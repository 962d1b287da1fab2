import { type GroupNode, type Shape, type ShapeNode, durationPattern } from './shape.ts';

/** The JSON Schema (2020-12) of a shape, for editors and for the API's description. */
export function toJsonSchema(shape: Shape<unknown>, title: string): Record<string, unknown> {
  const defs: Definitions = {};
  const schema = schemaOf(shape, defs);
  const $defs = Object.keys(defs).length === 0 ? {} : { $defs: defs };
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title, ...schema, ...$defs };
}

/** The schemas of named shapes, filled while the document is walked. */
type Definitions = Record<string, Record<string, unknown>>;

function schemaOf(shape: ShapeNode, defs: Definitions): Record<string, unknown> {
  const about = shape.about === undefined ? {} : { description: shape.about };
  const byDefault = shape.preset === undefined ? {} : { default: shape.preset };
  return {
    ...(shape.name === undefined ? bareSchemaOf(shape, defs) : refTo(shape.name, shape, defs)),
    ...about,
    ...byDefault,
  };
}

function refTo(name: string, shape: ShapeNode, defs: Definitions): Record<string, unknown> {
  defs[name] ??= bareSchemaOf(shape, defs);
  return { $ref: `#/$defs/${name}` };
}

function bareSchemaOf(shape: ShapeNode, defs: Definitions): Record<string, unknown> {
  switch (shape.kind) {
    case 'text': {
      const pattern = shape.pattern === undefined ? {} : { pattern: shape.pattern };
      return { type: 'string', minLength: shape.min, maxLength: shape.max, ...pattern };
    }
    case 'integer':
    case 'number':
      return shape.exclusive === true
        ? { type: shape.kind, exclusiveMinimum: shape.min, exclusiveMaximum: shape.max }
        : { type: shape.kind, minimum: shape.min, maximum: shape.max };
    case 'flag':
      return { type: 'boolean' };
    case 'choice':
      return { enum: shape.choices };
    case 'duration':
      return { type: 'string', pattern: durationPattern };
    case 'list':
      return { type: 'array', items: schemaOf(shape.of, defs), minItems: shape.min, maxItems: shape.max };
    case 'record': {
      const names = shape.keyPattern === undefined ? {} : { propertyNames: { pattern: shape.keyPattern } };
      return { type: 'object', additionalProperties: schemaOf(shape.of, defs), maxProperties: shape.max, ...names };
    }
    case 'group':
      return groupSchemaOf(shape, {}, defs);
    case 'one-of':
      return {
        oneOf: Object.entries(shape.cases).map(([word, of]) =>
          groupSchemaOf(of, { [shape.key]: { const: word } }, defs),
        ),
      };
    case 'by-key':
      return { oneOf: Object.values(shape.cases).map((of) => groupSchemaOf(of, {}, defs)) };
  }
}

function groupSchemaOf(
  shape: GroupNode,
  tag: Readonly<Record<string, unknown>>,
  defs: Definitions,
): Record<string, unknown> {
  const fields = Object.entries({ ...shape.required, ...shape.optional });
  const properties = { ...tag, ...Object.fromEntries(fields.map(([name, field]) => [name, schemaOf(field, defs)])) };
  const required = [...Object.keys(tag), ...Object.keys(shape.required)];
  return { type: 'object', properties, required, additionalProperties: false };
}
