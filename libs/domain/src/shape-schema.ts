import { type GroupNode, type Shape, type ShapeNode, durationPattern } from './shape.ts';

/** The JSON Schema (2020-12) of a shape, for editors and for the API's description. */
export function toJsonSchema(shape: Shape<unknown>, title: string): Record<string, unknown> {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title, ...schemaOf(shape) };
}

function schemaOf(shape: ShapeNode): Record<string, unknown> {
  const about = shape.about === undefined ? {} : { description: shape.about };
  const byDefault = shape.preset === undefined ? {} : { default: shape.preset };
  return { ...bareSchemaOf(shape), ...about, ...byDefault };
}

function bareSchemaOf(shape: ShapeNode): Record<string, unknown> {
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
      return { type: 'array', items: schemaOf(shape.of), minItems: shape.min, maxItems: shape.max };
    case 'record': {
      const names = shape.keyPattern === undefined ? {} : { propertyNames: { pattern: shape.keyPattern } };
      return { type: 'object', additionalProperties: schemaOf(shape.of), maxProperties: shape.max, ...names };
    }
    case 'group':
      return groupSchemaOf(shape, {});
    case 'one-of':
      return {
        oneOf: Object.entries(shape.cases).map(([word, of]) => groupSchemaOf(of, { [shape.key]: { const: word } })),
      };
  }
}

function groupSchemaOf(shape: GroupNode, tag: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields = Object.entries({ ...shape.required, ...shape.optional });
  const properties = { ...tag, ...Object.fromEntries(fields.map(([name, field]) => [name, schemaOf(field)])) };
  const required = [...Object.keys(tag), ...Object.keys(shape.required)];
  return { type: 'object', properties, required, additionalProperties: false };
}
