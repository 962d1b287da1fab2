/** A whole message of PostgreSQL's wire protocol, as the proxy passes it on. */
export interface WireMessage {
  /** One letter; empty for the start-up message, which has none. */
  readonly kind: string;
  readonly bytes: Buffer;
}

/** Longer than any message of the product; whatever claims more is no PostgreSQL. */
const messageBytesMax = 64 * 1024 * 1024;

/** Cuts a stream of bytes into messages; what is not complete yet waits for the next chunk. */
export function openCutter(from: 'client' | 'server'): (chunk: Buffer) => readonly WireMessage[] {
  let rest: Buffer = Buffer.alloc(0);
  // Only a client begins with a message that has no letter.
  let started = from === 'server';
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const messages: WireMessage[] = [];
    for (;;) {
      const lettered = started ? 1 : 0;
      if (rest.length < lettered + 4) break;
      const sizeBytes = lettered + rest.readInt32BE(lettered);
      if (sizeBytes > messageBytesMax) throw new Error(`expected a message of PostgreSQL, got ${sizeBytes} bytes`);
      if (rest.length < sizeBytes) break;
      const bytes = rest.subarray(0, sizeBytes);
      messages.push({ kind: lettered === 0 ? '' : String.fromCharCode(bytes[0] ?? 0), bytes });
      rest = rest.subarray(sizeBytes);
      started = true;
    }
    return messages;
  };
}

/** The body as text: parameters and rows are searched for words, never decoded. */
export function bodyOf({ bytes }: WireMessage): string {
  return bytes.toString('latin1', 5);
}

/** The statement's name of a Bind, which stands behind the portal's. */
export function boundName(message: WireMessage): string {
  return bodyOf(message).split('\0', 2)[1] ?? '';
}

/** The name and text of a Parse. */
export function parsedStatement(message: WireMessage): { readonly name: string; readonly text: string } {
  const [name = '', text = ''] = bodyOf(message).split('\0', 2);
  return { name, text };
}
