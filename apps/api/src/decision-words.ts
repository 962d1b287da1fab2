/** The group or role as people say it. */
export function nameOf(from: string): string {
  const words = from.slice(from.indexOf('/') + 1).replaceAll('-', ' ');
  return `${capital(words)}${from.startsWith('role/') ? ' (role)' : ''}`;
}

/** A sentence begins with a capital. */
export function capital(words: string): string {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

/** RFC 3339 to the minute, as people read it. */
export function timeOf(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;
}
