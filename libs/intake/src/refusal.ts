/** The closed set of reasons for which content or a source is not taken in; the API maps each to one status. */
export type RefusalCode =
  | 'path_escapes'
  | 'link_refused'
  | 'special_file'
  | 'too_many_files'
  | 'too_large'
  | 'bomb'
  | 'duplicate_path'
  | 'not_an_archive'
  | 'corrupt_archive'
  | 'empty'
  | 'encrypted'
  | 'bad_reference'
  | 'source_not_found'
  | 'source_not_permitted';

/** An expected answer to a stranger: nothing was taken in. The pointer names the entry, as a JSON pointer. */
export type Refusal = {
  readonly kind: 'refused';
  readonly code: RefusalCode;
  readonly message: string;
  readonly pointer?: string;
};

/**
 * Carries a refusal out of nested readers of one intake to `answering`, which turns it into data; it never leaves this
 * room, so that callers meet refusals as values only.
 */
export class Refused extends Error {
  readonly refusal: Refusal;

  constructor(code: RefusalCode, message: string, path?: string) {
    super(message);
    this.name = 'Refused';
    this.refusal = { kind: 'refused', code, message, ...(path === undefined ? {} : { pointer: pointerTo(path) }) };
  }
}

/** Runs one intake: what it refuses comes back as data, what breaks is thrown on. */
export async function answering<T>(intake: () => Promise<T>): Promise<T | Refusal> {
  try {
    return await intake();
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    throw error;
  }
}

/** How much of a hostile path is shown; longer ones would only fill logs and prompts. */
const POINTER_LENGTH_MAX = 200;

/** Characters that could break a line, hide or reorder the text around a path when it is shown to a person. */
const unprintable = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu;

/** `/files/` and the path with the escapes of RFC 6901, made printable and cut to a bound. */
function pointerTo(path: string): string {
  const printable = path.slice(0, POINTER_LENGTH_MAX).replace(unprintable, '\uFFFD');
  return `/files/${printable.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
