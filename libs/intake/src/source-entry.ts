/** One thing found in a source, before anything about it is believed. */
export type SourceEntry = {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'symlink' | 'hardlink' | 'special';
  readonly executable: boolean;
  /** What the source says the size is; refused when the content turns out to be longer or shorter. */
  readonly sizeClaimedBytes?: number;
  /** Read at most once, and only before the next entry is asked for; what is not read is skipped by the source. */
  readonly content: () => AsyncIterable<Uint8Array>;
};

/** The content of an entry that has none. */
export async function* noContent(): AsyncGenerator<Uint8Array> {}
