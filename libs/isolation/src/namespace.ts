import type { Fixture } from './toolchain.ts';
import { perlPath } from './toolchain.ts';

/** The command that makes the namespaces by `unshare` and becomes the warden, which then builds the root itself. */
export function namespaceCommand({ dropsUser }: { readonly dropsUser: boolean }): readonly string[] {
  const warden = new URL('./warden/warden.pl', import.meta.url).pathname;
  return [
    'unshare',
    ...(dropsUser ? [] : ['--user', '--map-root-user']),
    ...['--net', '--mount', '--pid', '--ipc', '--uts', '--cgroup', '--fork', '--propagation', 'private'],
    ...['--', perlPath, '-w', warden],
  ];
}

/** A fixture as the warden reads it. */
export function fixtureLine(fixture: Fixture): string {
  switch (fixture.kind) {
    case 'read':
      return ['read', fixture.target, fixture.source].join('\t');
    case 'scratch':
      return ['scratch', fixture.target, String(fixture.bytes)].join('\t');
    case 'link':
      return ['link', fixture.target, fixture.to].join('\t');
  }
}
