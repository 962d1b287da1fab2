import type { ToldAbout, ToldEntry } from './told-entry.ts';

/** The version of CDEvents whose schemas these events keep. */
const specversion = '0.5.1';

/** What an event of CDEvents is: its context, its subject, and our own data beside them. */
export interface CdeventData extends Readonly<Record<string, unknown>> {
  readonly context: Readonly<Record<string, unknown>>;
  readonly subject: { readonly id: string; readonly source: string; readonly content: object };
  readonly customData: object;
}

const types = {
  deployed: 'dev.cdevents.service.deployed.0.3.0',
  rolledBack: 'dev.cdevents.service.rolledback.0.3.0',
  removed: 'dev.cdevents.service.removed.0.3.0',
  incident: 'dev.cdevents.incident.detected.0.3.0',
  suiteFinished: 'dev.cdevents.testsuiterun.finished.0.3.0',
  buildFinished: 'dev.cdevents.build.finished.0.3.0',
} as const;

type CdeventType = (typeof types)[keyof typeof types];

/** Every type of CDEvents that something here fits. */
export const cdeventTypes: readonly string[] = Object.values(types);

/** The type of CDEvents that means what an entry says; null where none does. Votes have none before its 0.6. */
export function cdeventType({ kind, body }: ToldEntry): CdeventType | null {
  switch (kind) {
    case 'promotion_ended':
      if (body['outcome'] === 'live') return types.deployed;
      return body['outcome'] === 'rolled_back' || body['outcome'] === 'demoted' ? types.rolledBack : null;
    case 'release_retired':
      return types.removed;
    case 'canary_condemned':
      return types.incident;
    // A breach is one incident, told when something is done about it, and not again at each look.
    case 'watch_reported':
      return body['action'] == null ? null : types.incident;
    case 'gate_reported':
      return types.suiteFinished;
    case 'artifact_built':
      return types.buildFinished;
    default:
      return null;
  }
}

/** What is needed beside the entry. */
interface Around {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly about: ToldAbout;
  readonly own: object;
}

/** The data of an event of CDEvents; its binding asks for the whole event once more inside of the CloudEvent. */
export function cdeventData(entry: ToldEntry, { id, source, type, about, own }: Around): CdeventData {
  const chain = about.promotion === undefined ? {} : { chainId: about.promotion };
  return {
    context: { specversion, id, source, type, timestamp: entry.at, ...chain },
    subject: { ...subjectOf(entry, type as CdeventType, about), source },
    customData: own,
    customDataContentType: 'application/json',
  };
}

function subjectOf(
  { body, streamId, sseq }: ToldEntry,
  type: CdeventType,
  about: ToldAbout,
): { readonly id: string; readonly content: object } {
  const service = { id: about.prototype?.name ?? streamId };
  const environment = { id: about.environment ?? 'production' };
  const artifactId = packageUrlOf(about);
  const artifact = artifactId === null ? {} : { artifactId };
  switch (type) {
    case types.deployed:
    case types.rolledBack:
      return { id: service.id, content: { environment, ...artifact } };
    case types.removed:
      return { id: service.id, content: { environment } };
    case types.incident:
      return {
        id: `${streamId}/${sseq}`,
        content: { description: incidentWords(body), environment, service, ...artifact },
      };
    case types.suiteFinished: {
      const gate = String(body['gate']);
      const outcome = outcomes[String(body['verdict'])] ?? 'error';
      return {
        id: `${streamId}/${gate}/${String(body['attempt'])}`,
        content: { environment, testSuite: { id: gate }, outcome },
      };
    }
    case types.buildFinished:
      return { id: `${streamId}/build/${String(body['attempt'])}`, content: artifact };
  }
}

/** Of our own words alone: what a check says in reasons may be a stranger's text. */
function incidentWords({ check }: ToldEntry['body']): string {
  return typeof check === 'string' ? `what is live was breached in ${check}` : 'the canary was condemned';
}

/** Inconclusive is no failure: nobody could tell. */
const outcomes: Readonly<Record<string, string>> = { pass: 'success', waived: 'success', fail: 'failure' };

/** A version as a package URL; null where the entry is about none. */
function packageUrlOf({ prototype, candidate, artifact }: ToldAbout): string | null {
  if (prototype === undefined || candidate === undefined) return null;
  const url = `pkg:generic/${encodeURIComponent(prototype.name)}@${encodeURIComponent(candidate.version)}`;
  return artifact === undefined ? url : `${url}?checksum=${encodeURIComponent(artifact)}`;
}
