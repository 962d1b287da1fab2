const MEBIBYTE = 1024 * 1024;

/** The bounds of one intake. Each protects this process from a stranger; all can be set lower or higher by an operator. */
export type Limits = {
  readonly archiveBytesMax: number;
  readonly unpackedBytesMax: number;
  readonly filesMax: number;
  readonly entriesMax: number;
  readonly fileBytesMax: number;
  readonly pathBytesMax: number;
  readonly depthMax: number;
  readonly compressionRatioMax: number;
  readonly compressionRatioFloorBytes: number;
  readonly streamBytesMax: number;
};

/** What applies where the caller says nothing else. */
export const LIMITS: Limits = Object.freeze({
  /** An upload has to fit through a browser and onto the disk of a small machine; GitHub's own files end at 100 MiB. */
  archiveBytesMax: 100 * MEBIBYTE,
  /** Three times the archive, which is what source code with some assets unpacks to. */
  unpackedBytesMax: 300 * MEBIBYTE,
  /** A large application without its dependencies has some thousand files; every one costs a synced write. */
  filesMax: 20_000,
  /** Skipped entries cost time too: a project archived with its dependencies has some 100,000 of them. */
  entriesMax: 200_000,
  /** Larger files are models or data, which have their own digests in a candidate and are no source. */
  fileBytesMax: 50 * MEBIBYTE,
  /** Leaves room for a folder of ours in front of it under the 4,096 bytes that Linux allows a path. */
  pathBytesMax: 512,
  /** People nest ten folders; generators of bombs nest thousands. */
  depthMax: 32,
  /** Source code packs 3 to 30 times; only padding packs more than 100 times, and deflate ends at 1,032. */
  compressionRatioMax: 100,
  /** Below this much output the ratio is not looked at, because it hurts nobody and small logs pack very well. */
  compressionRatioFloorBytes: 10 * MEBIBYTE,
  /** A tar cannot be skipped through without unpacking it, so skipped folders count toward this. */
  streamBytesMax: 2048 * MEBIBYTE,
});

/** The longest name a file system here accepts; beyond it a manifest could be frozen but never be written out again. */
export const SEGMENT_BYTES_MAX = 255;
