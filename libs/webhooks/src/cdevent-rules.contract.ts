import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** A published schema of an event, as far as it is looked at here. */
interface EventSchema {
  readonly $id: string;
  readonly properties?: {
    readonly context?: { readonly properties: { readonly type: { readonly enum: readonly string[] } } };
  };
}

// The schemas of CDEvents 0.5.1 for the types that we send, and of the links in them, word by word as they are published
// (github.com/cdevents/spec, tag v0.5.1, Apache-2.0). They come as files and in no package.
const published = JSON.parse(
  readFileSync(new URL('cdevents.schemas.json', import.meta.url), 'utf8'),
) as readonly EventSchema[];

// Their own words that are no rules, such as defaults, are let be.
const ajv = new Ajv2020({
  ...{ allErrors: true, strict: false, schemas: [...published] },
  formats: {
    'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
    uri: (text: string) => URL.canParse(text),
    'uri-reference': (text: string) => URL.canParse(text, 'https://example.org/') && !/\s/.test(text),
  },
});

/** Every rule that an event breaks, in words; empty when it keeps them all. */
export function brokenRules(data: Readonly<Record<string, unknown>>): readonly string[] {
  const type = textAt(data, 'context', 'type');
  const schema = published.find(({ properties }) => properties?.context?.properties.type.enum.includes(type));
  const isValid = schema === undefined ? undefined : ajv.getSchema(schema.$id);
  if (isValid === undefined) return [`an unknown type ${type}`];
  isValid(data);
  const artifact = textAt(data, 'subject', 'content', 'artifactId');
  return [
    ...(isValid.errors ?? []).map(({ instancePath, message, params }) =>
      [instancePath, message, params['additionalProperty']].filter(Boolean).join(' '),
    ),
    // What their documents ask for and their schemas do not.
    ...(artifact === '' || artifact.startsWith('pkg:') ? [] : ['/subject/content/artifactId is no package URL']),
  ];
}

function textAt(data: unknown, ...path: readonly string[]): string {
  const found = path.reduce<unknown>(
    (inside, name) => (typeof inside === 'object' && inside !== null ? Reflect.get(inside, name) : undefined),
    data,
  );
  return typeof found === 'string' ? found : '';
}
