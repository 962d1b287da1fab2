import type { Fixture } from './toolchain.ts';
import { perlPath, wardenFolder } from './toolchain.ts';

/** The command that builds the root by bubblewrap and becomes the warden in it. */
export function bubblewrapCommand(root: {
  readonly fixtures: readonly Fixture[];
  readonly scratchBytes: number;
  /** Whether we are root: then no user namespace is needed, and the warden gives up our user instead. */
  readonly dropsUser: boolean;
}): readonly string[] {
  return [
    'bwrap',
    ...(root.dropsUser ? [] : ['--unshare-user']),
    ...['--unshare-net', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...['--hostname', 'sandbox', '--new-session', '--as-pid-1', '--cap-drop', 'ALL'],
    ...(root.dropsUser ? ['SETUID', 'SETGID', 'SETPCAP'].flatMap((name) => ['--cap-add', `CAP_${name}`]) : []),
    // Bubblewrap makes missing parents for its own user alone, which the command is not.
    ...parentsOf(root.fixtures).flatMap((folder) => ['--perms', '0755', '--dir', folder]),
    ...['--proc', '/proc', '--dev', '/dev'],
    ...scratch('/dev/shm', root.scratchBytes),
    ...root.fixtures.flatMap(fixtureWords),
    // Last, since nothing can be placed on them any more: what is not a scratch folder takes no file at all.
    ...['--remount-ro', '/dev', '--remount-ro', '/'],
    ...[perlPath, '-w', `${wardenFolder}/warden.pl`],
  ];
}

function parentsOf(fixtures: readonly Fixture[]): readonly string[] {
  const found = new Set<string>();
  for (const { target } of fixtures) {
    for (let at = target.indexOf('/', 1); at > 0; at = target.indexOf('/', at + 1)) found.add(target.slice(0, at));
  }
  return [...found];
}

function fixtureWords(fixture: Fixture): readonly string[] {
  switch (fixture.kind) {
    case 'read':
      return ['--ro-bind', fixture.source, fixture.target];
    case 'scratch':
      return scratch(fixture.target, fixture.bytes);
    case 'link':
      return ['--symlink', fixture.to, fixture.target];
  }
}

function scratch(target: string, bytes: number): readonly string[] {
  return ['--perms', '1777', '--size', String(bytes), '--tmpfs', target];
}
