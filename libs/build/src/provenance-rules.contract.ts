// The published rules, each as a check of its own: in-toto Statement v1 with its field types (DigestSet, ResourceURI,
// TypeURI, Timestamp, ResourceDescriptor), and the predicate SLSA provenance v1. For tests: a MUST or a SHOULD that a
// statement does not keep is a breach, named by its place.

type Fields = Readonly<Record<string, unknown>>;
type Breaches = string[];

/** What a statement breaks, by place; empty when it keeps every rule. */
export function breachesOf(statement: unknown): readonly string[] {
  const found: Breaches = [];
  const whole = fieldsOf(statement, '', found, ['_type', 'subject', 'predicateType', 'predicate']);
  expectThat(whole['_type'] === 'https://in-toto.io/Statement/v1', '_type', found);
  expectThat(whole['predicateType'] === 'https://slsa.dev/provenance/v1', 'predicateType', found);
  const subjects = listOf(whole['subject'], 'subject', found);
  expectThat(subjects.length > 0, 'subject', found);
  for (const [index, subject] of subjects.entries()) {
    checkDescriptor(subject, `subject[${index}]`, found);
    // Subjects are matched by their digests and by nothing else.
    expectThat(digestsOf(subject) > 0, `subject[${index}].digest`, found);
  }
  const names = subjects.map((subject) => (isFields(subject) ? subject['name'] : undefined));
  expectThat(new Set(names).size === names.length, 'subject names', found);
  const predicate = fieldsOf(whole['predicate'], 'predicate', found, ['buildDefinition', 'runDetails']);
  checkDefinition(predicate['buildDefinition'], found);
  checkRun(predicate['runDetails'], found);
  return found;
}

function checkDefinition(definition: unknown, found: Breaches): void {
  const known = ['buildType', 'externalParameters', 'internalParameters', 'resolvedDependencies'];
  const fields = fieldsOf(definition, 'buildDefinition', found, known);
  expectThat(isUri(fields['buildType']), 'buildType', found);
  expectThat(isFields(fields['externalParameters']), 'externalParameters', found);
  expectThat(isFields(fields['internalParameters']), 'internalParameters', found);
  const [external, internal] = [fields['externalParameters'] ?? {}, fields['internalParameters'] ?? {}];
  const shared = Object.keys(external).filter((name) => Object.hasOwn(internal, name));
  expectThat(shared.length === 0, 'names of parameters', found);
  for (const [index, each] of listOf(fields['resolvedDependencies'], 'resolvedDependencies', found).entries())
    checkDescriptor(each, `resolvedDependencies[${index}]`, found);
}

function checkRun(run: unknown, found: Breaches): void {
  const fields = fieldsOf(run, 'runDetails', found, ['builder', 'metadata', 'byproducts']);
  const builder = fieldsOf(fields['builder'], 'builder', found, ['id', 'builderDependencies', 'version']);
  expectThat(isUri(builder['id']), 'builder.id', found);
  const versions = builder['version'];
  const areTexts = isFields(versions) && Object.values(versions).every((each) => typeof each === 'string');
  expectThat(versions === undefined || areTexts, 'builder.version', found);
  const metadata = fieldsOf(fields['metadata'], 'metadata', found, ['invocationId', 'startedOn', 'finishedOn']);
  const { invocationId, startedOn, finishedOn } = metadata;
  expectThat(typeof invocationId === 'string' && invocationId !== '', 'invocationId', found);
  expectThat(isTimestamp(startedOn), 'startedOn', found);
  expectThat(isTimestamp(finishedOn), 'finishedOn', found);
  expectThat(String(startedOn) <= String(finishedOn), 'startedOn before finishedOn', found);
}

const descriptorFields = ['name', 'uri', 'digest', 'content', 'downloadLocation', 'mediaType', 'annotations'];
/** Digits in hexadecimal of each named algorithm that we use or could meet in a lock file. */
const digestDigits: Readonly<Record<string, number>> = { sha1: 40, sha256: 64, sha384: 96, sha512: 128, md5: 32 };

function checkDescriptor(value: unknown, place: string, found: Breaches): void {
  const fields = fieldsOf(value, place, found, descriptorFields);
  const { uri, digest, content, name } = fields;
  expectThat(
    [uri, digest, content].some((each) => each !== undefined),
    place,
    found,
  );
  expectThat(uri === undefined || isUri(uri), `${place}.uri`, found);
  expectThat(name === undefined || (typeof name === 'string' && name !== ''), `${place}.name`, found);
  if (digest === undefined) return;
  expectThat(digestsOf(value) > 0, `${place}.digest`, found);
  for (const [algorithm, text] of Object.entries(isFields(digest) ? digest : {})) {
    const isHex = typeof text === 'string' && /^[0-9a-f]+$/.test(text) && text.length === digestDigits[algorithm];
    expectThat(isHex, `${place}.digest.${algorithm}`, found);
  }
}

function digestsOf(value: unknown): number {
  const digest = isFields(value) ? value['digest'] : undefined;
  return isFields(digest) ? Object.keys(digest).length : 0;
}

/** RFC 3986 in its characters, with a scheme in lower case; the authority, where there is one, too. */
function isUri(value: unknown): boolean {
  if (typeof value !== 'string' || !/^[a-z][a-z0-9+.-]*:(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})+$/.test(value))
    return false;
  const authority = /^[^:]+:\/\/([^/?]*)/.exec(value)?.[1] ?? '';
  return authority === authority.toLowerCase();
}

/** RFC 3339 in UTC. */
function isTimestamp(value: unknown): boolean {
  const fits = typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value);
  return fits && !Number.isNaN(Date.parse(value));
}

/** The fields of an object; a name of no field would have to hold an underscore, as extensions do. */
function fieldsOf(value: unknown, place: string, found: Breaches, known: readonly string[]): Fields {
  if (!isFields(value)) {
    found.push(`${place}: expected an object`);
    return {};
  }
  for (const name of Object.keys(value))
    if (!known.includes(name) && !name.includes('_')) found.push(`${place}: unknown field ${name}`);
  return value;
}

function listOf(value: unknown, place: string, found: Breaches): readonly unknown[] {
  if (Array.isArray(value)) return value;
  found.push(`${place}: expected a list`);
  return [];
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function expectThat(holds: boolean, place: string, found: Breaches): void {
  if (!holds) found.push(place);
}
