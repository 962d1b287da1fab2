/** What can be typed in a comment behind `/proviso`. */
export const githubWords = [
  ...(['approve', 'reject', 'request-changes'] as const),
  ...(['start', 'comment', 'rerun', 'pause', 'rollback'] as const),
  ...(['status', 'help'] as const),
] as const;
/** One of them. */
export type GitHubWord = (typeof githubWords)[number];

/** A command as somebody typed it; whatever is no word of ours asks for help. */
export interface Typed {
  readonly word: GitHubWord;
  /** Everything behind the word, on whatever line; empty when there is nothing. Mostly it is the reason. */
  readonly rest: string;
}

/**
 * Reads a comment. Only its first line can be a command, from its first letter on and in exactly these letters: what is
 * quoted, indented, or stands somewhere in a text is somebody's talk about commands. Null: it is no command.
 */
export function typedIn(body: string): Typed | null {
  const [first = '', ...more] = body.split(/\r\n|\r|\n/);
  const found = /^\/proviso(?:[ \t]+(\S+)(?:[ \t]+(.*))?)?[ \t]*$/.exec(first);
  if (found === null) return null;
  const [, named = '', rest = ''] = found;
  const word = githubWords.find((one) => one === named) ?? 'help';
  return { word, rest: [rest, ...more].join('\n').trim() };
}
