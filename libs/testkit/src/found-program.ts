import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first program of these names on the path, or in the folders beside it; null on a machine without one. */
export function findProgram(names: readonly string[], beside: readonly string[] = []): string | null {
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const places = names.flatMap((name) => [...path, ...beside].map((folder) => join(folder, name)));
  return places.find(isProgram) ?? null;
}

/** A browser; null on a machine without one, where pages are not looked at, as the doctor says. */
export function findChromium(): string | null {
  return findProgram(['chromium', 'chromium-browser', 'google-chrome']);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
