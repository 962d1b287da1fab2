import { type AllowedReach, isRefusedHost } from '@proviso/isolation';

/** Longer addresses are refused by many servers on the way. */
const addressLettersMax = 2_000;

/**
 * What is wrong with an address that somebody wants to be told at; null when nothing is. Where its name leads is found out
 * at each try. Plain HTTP is for receivers on the operator's own network alone: anybody on the way could read along.
 */
export function addressProblem(text: string, reach: AllowedReach): string | null {
  const expected = `expected an address that starts with ${reach === 'private' ? 'http:// or ' : ''}https://`;
  if (text.length > addressLettersMax || !URL.canParse(text)) return expected;
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && reach === 'private')) return expected;
  if (url.username !== '' || url.password !== '' || url.hash !== '') return `${expected}, without a user or a fragment`;
  return isRefusedHost(url, reach)
    ? 'expected an address of the internet, got one of this machine or its network'
    : null;
}
