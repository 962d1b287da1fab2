import { readJournal } from '../clerk.ts';
import { type Measured, type WatchErrand, unseen } from '../watching.ts';

/** Names whoever answers for the prototype; whether they still may is looked up under the locks of both rows. */
export async function owner({ ports, subject, state }: WatchErrand): Promise<Measured> {
  const found = await readJournal(ports, subject, async (reads) => await reads.prototype(state.prototype));
  const person = found?.state.owner ?? null;
  if (person === null) return unseen('owner_missing', 'nobody was ever said to answer for it');
  return { figure: null, reasons: [], evidence: [], owner: { prototype: state.prototype, person } };
}
