import {
  type Entry,
  listPeople,
  listPolicies,
  listPrototypes,
  type Person,
  type Policy,
  type Promotion,
  type Prototype,
  readHistory as historyPage,
  readMe,
  readPerson,
  readPromotion as promotionById,
} from '@proviso/client';
import { isId } from '@proviso/domain';
import { type Api, ApiRefusal } from './api.ts';
import { Trouble } from './trouble.ts';

/** As many as the server puts on one page. */
const PAGE_ITEMS_MAX = 100;
/** A page of entries: most promotions fit on one. */
const PAGE_ENTRIES_MAX = 200;
/** Beyond this many a name is better looked up by its id. */
const PAGES_MAX = 50;

/** An entry with the canonical bytes that were hashed, where the server sends them. */
export type ChainedEntry = Entry & { readonly bytes?: string };

/** Where a promotion stands. */
export async function readPromotion(api: Api, id: string): Promise<Promotion> {
  return await api
    .read((options) => promotionById({ ...options, path: { id } }))
    .catch((error: unknown) => {
      if (!(error instanceof ApiRefusal) || error.code !== 'not_found') throw error;
      throw new Trouble(`expected the id of a promotion, such as prm_1f…, got ${id}, which is none here`, {
        advice: error.advice ?? '',
        cause: error,
      });
    });
}

/** The prototype of that name, or undefined. */
export async function findPrototype(api: Api, name: string): Promise<Prototype | undefined> {
  return await firstOf(pagesOfPrototypes(api), (prototype) => prototype.name === name);
}

/** The prototype of that name; told when there is none. */
export async function expectPrototype(api: Api, name: string): Promise<Prototype> {
  const found = await findPrototype(api, name);
  if (found !== undefined) return found;
  throw new Trouble(`expected a prototype named ${name}, got none`, {
    advice: '`proviso promote <folder>` registers it with its first version.',
  });
}

/** The policy of that name; a missing one is told with those that exist, since there is no ungated way. */
export async function expectPolicy(api: Api, name: string): Promise<Policy> {
  const names: string[] = [];
  const pages = async (after: string | undefined) =>
    await api.read((options) => listPolicies({ ...options, query: queryOf(after) }));
  const found = await firstOf(pages, (policy) => {
    names.push(policy.name);
    return policy.name === name;
  });
  if (found !== undefined) return found;
  throw new Trouble(`expected a published policy named ${name}, got none`, {
    advice:
      names.length === 0 ? 'No policy is published yet.' : `Published: ${names.join(', ')}. Name one with --policy.`,
  });
}

/** The person of that name or id; without either the one who asks. */
export async function expectPerson(api: Api, who: string | undefined): Promise<Person> {
  if (who === undefined) return (await api.read((options) => readMe(options))).person;
  if (isId('psn', who)) return await api.read((options) => readPerson({ ...options, path: { id: who } }));
  const pages = async (after: string | undefined) =>
    await api.read((options) => listPeople({ ...options, query: queryOf(after) }));
  const named: Person[] = [];
  await firstOf(pages, (person) => {
    if (person.name === who) named.push(person);
    return false;
  });
  const [found, another] = named;
  if (found === undefined) throw new Trouble(`expected the name or id of a person, got ${who}, which is none here`);
  if (another === undefined) return found;
  const ids = named.map(({ id }) => id).join(', ');
  throw new Trouble(`expected one person named ${who}, got ${named.length}`, { advice: `Name one by id: ${ids}.` });
}

/** Names of prototypes by id, for lists. */
export async function namesOfPrototypes(api: Api): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  await firstOf(pagesOfPrototypes(api), ({ id, name }) => {
    names.set(id, name);
    return false;
  });
  return names;
}

/** All entries of a promotion's stream, oldest first. */
export async function readHistory(api: Api, id: string): Promise<readonly ChainedEntry[]> {
  const entries: ChainedEntry[] = [];
  let after: number | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const query = { limit: PAGE_ENTRIES_MAX, ...(after !== undefined && { after }) };
    const { items, next } = await api.read((options) => historyPage({ ...options, path: { id }, query }));
    entries.push(...items);
    if (next === null) return entries;
    after = next;
  }
  throw new Trouble(`expected at most ${PAGES_MAX} pages of history, got more`);
}

type Pages<Item> = (
  after: string | undefined,
) => Promise<{ readonly items: readonly Item[]; readonly next: string | null }>;

function pagesOfPrototypes(api: Api): Pages<Prototype> {
  return async (after) => await api.read((options) => listPrototypes({ ...options, query: queryOf(after) }));
}

/** A page of the largest size, from a cursor on. */
export function queryOf(after: string | undefined): { limit: number; after?: string } {
  return { limit: PAGE_ITEMS_MAX, ...(after !== undefined && { after }) };
}

/** The first item that fits, page after page. */
export async function firstOf<Item>(pages: Pages<Item>, fits: (item: Item) => boolean): Promise<Item | undefined> {
  let after: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const { items, next } = await pages(after);
    const found = items.find(fits);
    if (found !== undefined || next === null) return found;
    after = next;
  }
  return undefined;
}
