import { builtinOf, type PersonId } from '@proviso/domain';
import type { Reads } from '../port.ts';
import { statement } from '../statement.ts';
import { nameRef } from '../vault/vault.ts';
import type { Query } from './query.ts';

const readTokenUses = statement(
  'read.token_uses',
  `select hash, to_char(used_on, 'YYYY-MM-DD') as day from proviso.token where workspace = $1 and hash = any($2::text[]) and used_on is not null`,
);
const readErased = statement(
  'read.erased',
  `select id from proviso.stream where workspace = $1 and kind = 'person' and id = any($2::text[]) and (state->>'erased')::boolean`,
);

/** What a person is called whose name nobody can read any more. */
const erasedName = 'erased person';

/** Decisions of many years; whoever wrote more is told that there is more. */
const textsMax = 5_000;

/** The vault as one workspace's reads see it. */
interface Opening {
  readonly open: (ids: readonly string[]) => Promise<Readonly<Record<string, string>>>;
  readonly openAll: (person: PersonId, limit: number) => Promise<Readonly<Record<string, string>>>;
}

interface Personal {
  readonly name: string;
  readonly email?: string;
}

/** Reads of what is personal, and of when tokens were used. */
export function peopleReads(query: Query, { open, openAll }: Opening): Pick<Reads, 'names' | 'personal' | 'tokenUses'> {
  return {
    tokenUses: async (hashes) =>
      Object.fromEntries((await query(readTokenUses, hashes)).map((row) => [String(row.hash), String(row.day)])),
    names: async (ids) => {
      const found = await open(ids.map(nameRef));
      const missing = ids.filter((id) => found[nameRef(id)] === undefined && builtinOf(id) === undefined);
      const erased = missing.length === 0 ? [] : await query(readErased, missing);
      return Object.fromEntries([
        ...ids.flatMap((id) => {
          const sealed = found[nameRef(id)];
          return sealed === undefined ? [] : [[id, personalIn(sealed).name] as const];
        }),
        ...erased.map((row) => [String(row.id), erasedName] as const),
      ]);
    },
    personal: async (id) => {
      const { [nameRef(id)]: own, ...others } = await openAll(id, textsMax + 1);
      const { name = null, email = null } = own === undefined ? {} : personalIn(own);
      const texts = Object.values(others);
      return { name, email, texts: texts.slice(0, textsMax), truncated: texts.length > textsMax };
    },
  };
}

function personalIn(sealed: string): Personal {
  return JSON.parse(sealed) as Personal;
}
