/**
 * What CDEvents 0.5.1 asks of the events that we send, written down by us from its specification: required and allowed
 * fields of the context, of each subject, and of its content. The published schemas say the same in more words.
 */
const contents: Readonly<
  Record<string, { readonly required: readonly string[]; readonly allowed: readonly string[] }>
> = {
  'dev.cdevents.service.deployed.0.3.0': exactly(['environment', 'artifactId']),
  'dev.cdevents.service.rolledback.0.3.0': exactly(['environment', 'artifactId']),
  'dev.cdevents.service.removed.0.3.0': { required: [], allowed: ['environment'] },
  'dev.cdevents.incident.detected.0.3.0': {
    required: ['environment'],
    allowed: ['description', 'environment', 'service', 'artifactId'],
  },
  'dev.cdevents.testsuiterun.finished.0.3.0': {
    required: ['outcome', 'environment'],
    allowed: ['outcome', 'environment', 'testSuite', 'severity', 'reason'],
  },
  'dev.cdevents.build.finished.0.3.0': { required: [], allowed: ['artifactId'] },
};

function exactly(fields: readonly string[]) {
  return { required: fields, allowed: fields };
}

const context = {
  required: ['specversion', 'id', 'source', 'type', 'timestamp'],
  more: ['schemaUri', 'chainId', 'links'],
};
const outcomes = ['success', 'failure', 'cancel', 'error'];

type Part = Readonly<Record<string, unknown>>;

/** Every rule that an event breaks, in words; empty when it keeps them all. */
export function brokenRules(data: Part): readonly string[] {
  const told = part(data['context']);
  const subject = part(data['subject']);
  const content = part(subject['content']);
  const rule = contents[String(told['type'])];
  if (rule === undefined) return [`an unknown type ${String(told['type'])}`];
  return [
    ...fieldsOf('event', data, { required: ['context', 'subject'], allowed: ['customData', 'customDataContentType'] }),
    ...fieldsOf('context', told, { required: context.required, allowed: context.more }),
    ...fieldsOf('subject', subject, { required: ['id', 'content'], allowed: ['source'] }),
    ...fieldsOf('content', content, rule),
    ...context.required
      .filter((name) => typeof told[name] !== 'string' || told[name] === '')
      .map((name) => `empty ${name}`),
    ...(typeof subject['id'] === 'string' && subject['id'] !== '' ? [] : ['empty subject.id']),
    ...(Number.isNaN(Date.parse(String(told['timestamp']))) ? ['timestamp is no time'] : []),
    ...['environment', 'service', 'testSuite']
      .filter((name) => name in content)
      .flatMap((name) => referenceIn(name, content)),
    ...('outcome' in content && !outcomes.includes(String(content['outcome'])) ? ['outcome is none'] : []),
    ...('artifactId' in content && !String(content['artifactId']).startsWith('pkg:')
      ? ['artifactId is no package URL']
      : []),
  ];
}

function fieldsOf(
  what: string,
  value: Part,
  { required, allowed }: { readonly required: readonly string[]; readonly allowed: readonly string[] },
): readonly string[] {
  const missing = required.filter((name) => !(name in value)).map((name) => `${what} without ${name}`);
  const more = Object.keys(value).filter((name) => ![...required, ...allowed].includes(name));
  return [...missing, ...more.map((name) => `${what} with ${name}`)];
}

function referenceIn(name: string, content: Part): readonly string[] {
  const { id } = part(content[name]);
  return typeof id === 'string' && id !== '' ? [] : [`${name} without id`];
}

function part(value: unknown): Part {
  return typeof value === 'object' && value !== null ? (value as Part) : {};
}
