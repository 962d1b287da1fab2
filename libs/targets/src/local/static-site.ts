import { lookup } from 'mrmime';
import type { ArtifactFile } from './artifact.ts';

/** One file as visitors may have it. */
export interface SiteFile {
  /** Relative to the artifact's folder. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly type: string;
  readonly cacheControl: string;
  /** The same content compressed at build time, best first. */
  readonly encoded: readonly EncodedFile[];
}

/** A compressed sibling. */
export interface EncodedFile {
  readonly encoding: 'br' | 'gzip';
  readonly path: string;
  readonly sizeBytes: number;
  readonly etag: string;
}

/** What a path means on a site. */
export type Finding =
  | { readonly kind: 'file'; readonly file: SiteFile }
  /** A folder asked for without its final slash, on which its relative links depend. */
  | { readonly kind: 'folder' }
  | { readonly kind: 'none' };

/** The files of a site by the path under which they are asked for. */
export interface StaticSite {
  readonly find: (path: string, wishes: { html: boolean }) => Finding;
}

/** What makes a site of an artifact: the folder that is served, and whether unknown pages are the front page. */
export interface SiteOrder {
  readonly root: string;
  readonly fallback: boolean;
}

const INDEX = 'index.html';
// The contract says who owns the prototype and how it is run: that is nothing for visitors.
const NEVER_SERVED = new Set(['proviso.yaml', 'proviso.yml']);
const ENCODINGS = [
  { suffix: '.br', encoding: 'br' },
  { suffix: '.gz', encoding: 'gzip' },
] as const;
// A year is what caches take for ever; a name with its content's hash never means anything else.
const IMMUTABLE = 'public, max-age=31536000, immutable';
// Kept but asked for again each time: after a release or a rollback nobody sees the other one's page.
const REVALIDATED = 'no-cache';

/**
 * A site is a closed list: what the verified manifest names below its root. A path is looked up in it and never joined
 * to a folder, so dots, encodings and links have nothing to escape from.
 */
export function staticSiteOf(files: readonly ArtifactFile[], { root, fallback }: SiteOrder): StaticSite {
  const prefix = root === '.' ? '' : `${root}/`;
  const inside = new Map(
    files.filter(({ path }) => path.startsWith(prefix)).map((file) => [file.path.slice(prefix.length), file] as const),
  );
  const served = new Map<string, SiteFile>();
  for (const [path, file] of inside) if (isPublic(path)) served.set(`/${path}`, siteFileOf(path, { file, inside }));
  const front = fallback ? served.get(`/${INDEX}`) : undefined;
  return {
    find: (path, { html }) => {
      const file = served.get(path.endsWith('/') ? path + INDEX : path);
      if (file !== undefined) return { kind: 'file', file };
      if (served.has(`${path}/${INDEX}`)) return { kind: 'folder' };
      return front !== undefined && html && isPage(path) ? { kind: 'file', file: front } : { kind: 'none' };
    },
  };
}

function isPublic(path: string): boolean {
  const words = path.split('/');
  if (NEVER_SERVED.has(path)) return false;
  // RFC 8615 gives that one name at the top a meaning; other hidden files are the builder's own.
  return words.every((word, index) => !word.startsWith('.') || (index === 0 && word === '.well-known'));
}

/** A page of an application that finds its way in the browser has a plain name: no dot, nothing odd. */
function isPage(path: string): boolean {
  const words = path.split('/');
  return !/[\0\\]/.test(path) && !words.some((word) => word.startsWith('.')) && !words.at(-1)?.includes('.');
}

function siteFileOf(
  path: string,
  { file, inside }: { file: ArtifactFile; inside: ReadonlyMap<string, ArtifactFile> },
): SiteFile {
  const encoded = ENCODINGS.flatMap(({ suffix, encoding }) => {
    const sibling = inside.get(path + suffix);
    return sibling === undefined
      ? []
      : [{ encoding, path: sibling.path, sizeBytes: sibling.sizeBytes, etag: etagOf(sibling) }];
  });
  const cacheControl = isHashed(path) ? IMMUTABLE : REVALIDATED;
  return { path: file.path, sizeBytes: file.sizeBytes, etag: etagOf(file), type: typeOf(path), cacheControl, encoded };
}

/** Half a digest: enough to tell all files apart that ever were. */
function etagOf(file: ArtifactFile): string {
  return `"${file.sha256.replace('sha256:', '').slice(0, 32)}"`;
}

function typeOf(path: string): string {
  const type = lookup(path) ?? 'application/octet-stream';
  return /^text\/|[/+](javascript|json|xml)$/.test(type) ? `${type}; charset=utf-8` : type;
}

/** True for what bundlers write: eight characters (Vite, esbuild) or a long hexadecimal number (webpack) before the end. */
function isHashed(path: string): boolean {
  if (!/(^|\/)assets\//.test(path)) return false;
  const [, hash = ''] = /[.-]([\w-]{8}|[0-9a-f]{16,64})(?:\.[a-z0-9]+)+$/.exec(path) ?? [];
  // A word of eight letters is no hash: without a digit or a capital the file is only asked for once more.
  return /[0-9A-Z]/.test(hash);
}
