export {
  type Builder,
  type BuildInput,
  type BuildOutcome,
  type BuildPorts,
  type Built,
  buildCandidate,
} from './build-candidate.ts';
export { type CachedPackages, openPackageCache, type PackageCache } from './package-cache.ts';
export { type Registries } from './package-fetch.ts';
export { findPackageTools, missingTools, type PackageTools } from './package-tools.ts';
export { endLeftSandboxes } from './workshop.ts';
