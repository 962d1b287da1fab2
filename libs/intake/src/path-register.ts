import { foldedPath } from './entry-path.ts';
import { Refused } from './refusal.ts';

type Registered = { readonly path: string; readonly kind: 'file' | 'folder' };

/**
 * Remembers every file and folder of one intake and refuses the second of two that some file system would take for the
 * same: equal names, names equal but for case or Unicode form, and a file that is also a folder.
 */
export function pathRegister(): (path: string) => void {
  const registered = new Map<string, Registered>();
  return (path) => {
    const segments = path.split('/');
    for (let length = 1; length < segments.length; length += 1) {
      const folder = segments.slice(0, length).join('/');
      const known = registered.get(foldedPath(folder));
      if (known && (known.path !== folder || known.kind !== 'folder')) throw duplicate(known.path, path);
      if (!known) registered.set(foldedPath(folder), { path: folder, kind: 'folder' });
    }
    const known = registered.get(foldedPath(path));
    if (known) throw duplicate(known.path, path);
    registered.set(foldedPath(path), { path, kind: 'file' });
  };
}

function duplicate(known: string, path: string): Refused {
  const how = known === path ? 'the same name twice' : 'two names that are one without case or accents composed';
  return new Refused('duplicate_path', `expected every name once, got ${how}`, path);
}
