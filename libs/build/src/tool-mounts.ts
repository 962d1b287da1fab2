import type { Isolation, Mount } from '@proviso/isolation';
import type { PackageTools } from './package-tools.ts';

/** Where npm's own package is inside. */
export const npmFolder = '/opt/proviso/npm';

/** The installers that are not part of the toolchain, as a sandbox sees them. */
export function toolMounts({ npm }: PackageTools): readonly Extract<Mount, { access: 'read' }>[] {
  return npm === null ? [] : [{ access: 'read', source: npm.folder, target: npmFolder }];
}

/** The whole environment of a build, the same for everybody; what makes outputs differ from run to run is fixed. */
export function workshopEnvironment({ toolchain }: Isolation): Readonly<Record<string, string>> {
  return {
    PATH: toolchain?.path ?? '',
    HOME: '/tmp',
    TMPDIR: '/tmp',
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    // The first moment that a zip can hold.
    SOURCE_DATE_EPOCH: '315532800',
    PYTHONHASHSEED: '0',
    PYTHONDONTWRITEBYTECODE: '1',
    PIP_NO_CACHE_DIR: '1',
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    npm_config_cache: '/tmp/npm',
    npm_config_update_notifier: 'false',
  };
}
