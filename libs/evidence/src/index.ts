export { type Digest, digestOf, isDigest, parseDigest } from './digest.ts';
export { EvidenceFailure, type EvidenceFailureCode } from './evidence-failure.ts';
export {
  EVIDENCE_BYTES_MAX,
  type EvidenceContent,
  type EvidenceStore,
  type ListedEvidence,
  type PutOptions,
  type StoredEvidence,
} from './evidence-store.ts';
export { type FolderStore, folderStore } from './folder-store.ts';
export type { Collected, OrphanRule } from './orphan-collection.ts';
