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
    ...['--proc', '/proc', '--dev', '/dev'],
    ...scratch('/dev/shm', root.scratchBytes),
    ...withParents(root.fixtures),
    // Last, since nothing can be placed on them any more: what is not a scratch folder takes no file at all.
    ...['--remount-ro', '/dev', '--remount-ro', '/'],
    ...[perlPath, '-w', `${wardenFolder}/warden.pl`],
  ];
}

/** Bubblewrap makes missing parents for its own user alone, which the command is not; also those in a scratch folder. */
function withParents(fixtures: readonly Fixture[]): readonly string[] {
  const made = new Set<string>();
  return fixtures.flatMap((fixture) => {
    const missing = parentsOf(fixture.target).filter((folder) => !made.has(folder));
    for (const folder of missing) made.add(folder);
    // What was made below it before is hidden by it now.
    if (fixture.kind === 'scratch') {
      for (const folder of made) if (folder.startsWith(`${fixture.target}/`)) made.delete(folder);
    }
    return [...missing.flatMap((folder) => ['--perms', '0755', '--dir', folder]), ...fixtureWords(fixture)];
  });
}

function parentsOf(target: string): readonly string[] {
  const parts = target.split('/').slice(1, -1);
  return parts.map((_part, index) => `/${parts.slice(0, index + 1).join('/')}`);
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
