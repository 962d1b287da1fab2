import { type GateName, gateNames, promotionStates } from '@proviso/domain';
import { z } from 'zod';
import { digest, ids, time } from '../forms.ts';

/** A sentence of a gate or a headline is shorter; a longer text was written to be long. */
const lettersMax = 400;

/**
 * Somebody else's words. Whatever has no closed form stands in such an object and nowhere else, so that no name, file or
 * reason can look like a word of ours.
 */
export const theirs = z.strictObject({ untrusted: z.string() });

/** Their words as shown: on one line, of bounded length, without letters that nobody sees. */
export function untrusted(text: string, max = lettersMax): z.infer<typeof theirs> {
  const plain = text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]+/gu, ' ')
    .trim();
  const letters = [...plain];
  return { untrusted: letters.length <= max ? plain : `${letters.slice(0, max - 1).join('')}…` };
}

/** The same where there may be nothing. */
export function untrustedOrNull(text: string | null | undefined): z.infer<typeof theirs> | null {
  return text === null || text === undefined ? null : untrusted(text);
}

/** A name of ours for one of a closed list of things. */
export const code = z.string().regex(/^[a-z][a-z0-9_]{0,60}$/);

/** A code as it is, or none where a gate said something that has not the form of one. */
export function codeOf(text: string): string {
  return code.safeParse(text).success ? text : 'other';
}

/** The id of a gate: its promotion's and its name. */
export const gateId = z.string().regex(/^gate_[0-9a-f]{32}-[a-z]+$/, 'expected gate_, 32 hexadecimal digits, a name');

/** Whose word is needed: a role, or a group that a policy names. */
export const whose = z.string().regex(/^(role|group)\/[a-z][a-z0-9-]{0,62}$/);

/** A rule of the authority by its path. */
export const rule = z.string().regex(/^[A-Za-z0-9_+/-]{1,200}$/);

/** The forms in which strings stand bare in what tools answer. */
export const closed = {
  ...{ candidate: ids.candidate, person: ids.person, policy: ids.policy },
  ...{ promotion: ids.promotion, prototype: ids.prototype },
  ...{ cursor: z.string().regex(/^[a-z]{3,4}_[0-9a-f]{32}$/), code, digest, gateId, rule, time, whose },
  gate: z.enum(gateNames),
  state: z.enum(promotionStates),
} as const;

/** The gate of that name; null where none is meant. */
export function gateNamed(text: string | null): GateName | null {
  return gateNames.find((name) => name === text) ?? null;
}

/** As many as anybody goes by; what is left out is counted. */
const itemsMax = 20;

/** The first of a list, and how many more there are. */
export function few<Item, Shown>(items: readonly Item[], show: (item: Item) => Shown) {
  return { items: items.slice(0, itemsMax).map(show), more: Math.max(0, items.length - itemsMax) };
}

/** The schema of such a list. */
export function fewOf<Item extends z.ZodType>(item: Item) {
  return z.strictObject({ items: z.array(item), more: z.int().describe('how many are left out') });
}

/** Roles and groups among words that say who can; names of people are never among them. */
export function whosIn(words: readonly string[]): string[] {
  return words.filter((word) => whose.safeParse(word).success);
}
