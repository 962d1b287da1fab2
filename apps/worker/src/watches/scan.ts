import { type Digest, type Reason, findGate } from '@proviso/domain';
import { type Advisory, advisoriesKind, newAdvisories, readAdvisories } from '@proviso/gates';
import { scan as scanVersion } from '../steps/scan.ts';
import { type Measured, type WatchErrand, unseen } from '../watching.ts';
import { broughtFor } from './brought.ts';

/** The codes under which the scan reports a finding; its other reasons say what it has looked at. */
const findingCodes: ReadonlySet<string> = new Set(['secret_found', 'service_role_key_found']);

/**
 * Everything that was not known when the release was let through: secrets that today's rules see in its files, and
 * advisories of reports that were brought since. Whatever cannot be read is nothing seen, unless the rest was enough.
 */
export async function scan(errand: WatchErrand): Promise<Measured> {
  const acted = await scanVersion(errand);
  if (acted.kind !== 'report') return unseen('tool_broke', 'the scan has told nothing');
  const { verdict, reasons, evidence } = acted.outcome;
  const secrets = newFindings(findGate(errand.state, 'scan')?.reasons ?? [], reasons);
  const advisories = await advisoriesSince(errand);
  const found = [...secrets, ...advisories.fresh.map(reasonOf)];
  const all = [...evidence, ...advisories.read.map((digest) => ({ kind: 'advisories', digest }))];
  const blind = verdict === 'inconclusive' || advisories.unreadable > 0;
  if (found.length > 0 || !blind) return { figure: found.length, reasons: found, evidence: all };
  const why = verdict === 'inconclusive' ? reasons : [unreadable];
  return { figure: null, reasons: why, evidence: all };
}

/** What is found now and was not then, at its place in its file. */
function newFindings(then: readonly Reason[], now: readonly Reason[]): readonly Reason[] {
  const nameOf = ({ code, file, line }: Reason): string => `${code} ${file ?? ''} ${line ?? ''}`;
  const known = new Set(then.map(nameOf));
  return now.filter((reason) => findingCodes.has(reason.code) && !known.has(nameOf(reason)));
}

const unreadable: Reason = {
  code: 'advisories_unreadable',
  message: 'a report of advisories that was brought is not of the form that is known: bring it again',
};

async function advisoriesSince(errand: WatchErrand) {
  const { before, since } = await broughtFor(errand, advisoriesKind);
  const [then, now] = await Promise.all([readAll(errand, before), readAll(errand, since)]);
  return {
    fresh: newAdvisories(then.advisories, now.advisories),
    unreadable: now.unreadable,
    read: since,
  };
}

async function readAll({ ports }: WatchErrand, digests: readonly Digest[]) {
  const advisories: Advisory[] = [];
  let unreadableCount = 0;
  for (const digest of digests) {
    const read = readAdvisories(await ports.evidence.get(digest));
    if (read.ok) advisories.push(...read.advisories);
    else unreadableCount += 1;
  }
  return { advisories, unreadable: unreadableCount };
}

function reasonOf({ id, package: name, severity }: Advisory): Reason {
  const how = severity === null ? '' : `, ${severity} of 10`;
  return { code: 'advisory_new', message: `${id} is known about ${name}${how}` };
}
