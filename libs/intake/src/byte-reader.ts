/** Reads a stream of chunks by count. Holds one chunk and what one `read` asked for, so the caller bounds the memory. */
export type ByteReader = {
  /** Exactly so many bytes, or fewer when the stream ends before. */
  read(count: number): Promise<Buffer>;
  /** At least one and at most so many bytes, or nothing at the end; the cheap way through long content. */
  some(countMax: number): Promise<Uint8Array | undefined>;
};

/** Reads from chunks; whoever made the stream closes it. */
export function byteReader(chunks: AsyncIterator<Uint8Array>): ByteReader {
  let chunk: Uint8Array = new Uint8Array();
  async function some(countMax: number): Promise<Uint8Array | undefined> {
    while (chunk.byteLength === 0) {
      const next = await chunks.next();
      if (next.done) return undefined;
      chunk = next.value;
    }
    const part = chunk.subarray(0, countMax);
    chunk = chunk.subarray(part.byteLength);
    return part;
  }
  async function read(count: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    let missing = count;
    while (missing > 0) {
      const part = await some(missing);
      if (!part) break;
      parts.push(part);
      missing -= part.byteLength;
    }
    return Buffer.concat(parts);
  }
  return { read, some };
}
