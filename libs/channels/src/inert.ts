/** More of a stranger's words than anybody reads in a message. */
const lettersMax = 120;

/**
 * A stranger's words, made harmless for any channel: on one line, of bounded length, without letters that are not seen or
 * that turn the direction of writing, and without anything that a client could take for a mention, a link or an entity.
 * What is taken away is replaced by something that is seen, so that nobody wonders.
 */
export function inert(text: string, max: number = lettersMax): string {
  const plain = text
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll(/[\p{Cf}\p{Cs}\p{Co}]/gu, '\u{fffd}')
    .replaceAll('<', '‹')
    .replaceAll('>', '›')
    .replaceAll('://', ': //')
    .replaceAll(/&(?=#?\w+;)/g, '＆')
    .replaceAll(/@(?=here|channel|everyone)/gi, '＠')
    // A time with a colon behind it, such as 10:14: in our own sentences, is no picture.
    .replaceAll(/(?<!\d(?=:\d\d:)):([\w+-]+):/g, ': $1 :')
    .trim();
  const letters = [...plain];
  return letters.length <= max ? plain : `${letters.slice(0, max - 1).join('')}…`;
}

/** A stranger's name in quotes of ours, so that no name reads like a verdict of ours. */
export function quoted(text: string): string {
  return `“${inert(text, 80).replaceAll(/[“”"]/g, "'")}”`;
}
