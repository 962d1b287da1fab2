import { erasePerson, readPersonal } from '@proviso/client';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { expectPerson } from '../reading.ts';
import type { Session } from '../session.ts';
import { Trouble } from '../trouble.ts';

/** Destroys what is held about a person. Nothing brings it back, so it is said twice. */
export async function erase(session: Session, who: string, yes: boolean): Promise<ExitCode> {
  const api = session.api();
  const { id, name } = await expectPerson(api, who);
  if (!yes)
    throw new Trouble(`expected --yes: nothing brings back what is destroyed about ${name ?? id}`, {
      advice: 'Their entries stay valid and are said to be of an erased person.',
    });
  const erased = await api.write((options) => erasePerson({ ...options, path: { id } }));
  if (session.json) session.print(JSON.stringify(erased));
  else session.print(`${id} is erased: name, address and reasons are gone, roles and tokens have ended.`);
  return exitCodes.ok;
}

/** All that is held about a person, as JSON; that it was read is an entry of theirs. */
export async function exportPersonal(session: Session, who: string | undefined): Promise<ExitCode> {
  const api = session.api();
  const { id } = await expectPerson(api, who);
  const held = await api.read((options) => readPersonal({ ...options, path: { id } }));
  session.print(session.json ? JSON.stringify(held) : JSON.stringify(held, null, 2));
  return exitCodes.ok;
}
