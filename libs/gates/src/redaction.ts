/** What stands where a secret stood. */
export const removedMark = '[secret removed]';

/** Text beyond this is cut before it is searched: what is shown or stored of an answer is far shorter. */
const searchedLengthMax = 100_000;

/**
 * Shapes of secrets that may stand in any text. Each is anchored at a token's start and bounded, so the search stays
 * linear in hostile text. Too much removed costs a little readability; too little is a leak, so the list is generous.
 */
const secretPatterns: readonly RegExp[] = [
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,20000}(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?/g,
  /(?<![\w-])e[yw][\w-]{8,2000}\.[\w-]{8,8000}(?:\.[\w-]{0,2000})?/g,
  /(?<![A-Za-z0-9])(?:sk|pk|rk)[-_][\w-]{16,300}/g,
  /(?<![A-Za-z0-9])(?:gh[pousr]|github_pat|glpat|xox[abeoprs]|xapp|npm|hf|sb_secret|shpat|dop_v1|lin_api|vercel)[-_][\w-]{10,300}/g,
  /(?<![A-Za-z0-9])SG\.[\w-]{4,128}\.[\w-]{4,128}/g,
  /(?<![A-Za-z0-9])(?:A3T[A-Z0-9]|AKIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ASIA)[A-Z0-9]{16}/g,
  /(?<![A-Za-z0-9])AIza[\w-]{30,60}/g,
  /(?<=hooks\.slack\.com\/)[\w/-]{10,200}/g,
  /(?<=:\/\/[^\s:/@]{0,100}:)[^\s/@]{1,200}(?=@)/g,
  /(?<=\b(?:bearer|basic)\s{1,4})[\w.~+/=-]{8,2000}/gi,
  /(?<=(?:password|passwd|secret|api_?key|access_?key|token)["']?\s{0,4}[:=]\s{0,4}["']?)[^\s"',;]{6,300}/gi,
];

/** Where a person is reached. In what a release says it may be a user's, and reasons are kept for ever. */
const addressPattern = /(?<![\w.%+-])[\w.%+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}/gi;

/** What stands where an address stood. */
const addressMark = '[address removed]';

/** Shorter values are words such as `true` or a port, and taking those out would make a riddle of every sentence. */
const withheldLengthMin = 6;

/**
 * Takes out values that are known to be told to nobody: a release repeats its environment on error pages and in its last
 * words, and what was set there by hand need not look like a secret.
 */
export function withhold(text: string, values: readonly string[]): string {
  const told = values.filter((value) => value.length >= withheldLengthMin);
  return told.reduce((rest, value) => rest.replaceAll(value, removedMark), text.slice(0, searchedLengthMax));
}

/** Takes out everything that looks like a secret. Used on every text of a prototype or a tool before it is kept. */
export function redact(text: string): string {
  const searched = text.slice(0, searchedLengthMax);
  return secretPatterns.reduce((rest, pattern) => rest.replace(pattern, removedMark), searched);
}

/**
 * A short piece of foreign text for a person: secrets and addresses out first, then one line without control or direction marks, then
 * cut. Cutting first could leave half a secret that no pattern knows.
 */
export function excerpt(text: string, lengthMax = 160): string {
  const line = redact(text)
    .replace(addressPattern, addressMark)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  const letters = [...line];
  return letters.length <= lengthMax ? line : `${letters.slice(0, lengthMax - 3).join('')}...`;
}
