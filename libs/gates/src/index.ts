export {
  type AdvisoriesRead,
  type Advisory,
  advisoriesKind,
  newAdvisories,
  readAdvisories,
} from './advisories.ts';
export { canaryOutcome, canaryWords } from './canary.ts';
export {
  type CandidateFiles,
  type SkippedFile,
  filesMax,
  listFiles,
  readCandidateFile,
  textOf,
} from './candidate-files.ts';
export { type Case, type CasesFound, casesShape, findCases } from './cases.ts';
export { type ChildEnd, type ChildRun, type RunChild, runChild } from './child-process.ts';
export { type ContractFound, contractFileName, findContract, readContractFile } from './contract-file.ts';
export { type CostReport, costKind, newestDay, readCostReport } from './cost-report.ts';
export { type EvaluateInput, type EvaluatePorts, evaluateCandidate } from './evaluation.ts';
export { type CaseResult } from './evaluation-report.ts';
export { type Origin, type OriginFound, recogniseOrigin } from './origin.ts';
export {
  type BreakageCode,
  type Control,
  GateBreakage,
  type GateEvidence,
  type GateOutcome,
  type GateReason,
  type ReasonCode,
  outcomeOfBreakage,
  reasonCodes,
} from './outcome.ts';
export {
  type ManifestFound,
  type PackageManager,
  type PackageManifest,
  type RequirementsFound,
  lockFiles,
  readPackageManifest,
  readRequirements,
} from './packages.ts';
export { readPolicyFile } from './policy-file.ts';
export type { EvidencePort, HttpAnswer, HttpFetch, HttpInit } from './ports.ts';
export { type ReadinessInput, type ReadinessPorts, assessReadiness } from './readiness.ts';
export { excerpt, redact, removedMark, withhold } from './redaction.ts';
export { type ScanInput, type ScanPorts, scanCandidate } from './scan.ts';
export { type SecretTool, installedSecretlint } from './secretlint.ts';
export {
  type ObservedLane,
  type ObservedRelease,
  type RehearsalComparison,
  type ServedAnswer,
  type SmokeInput,
  type SmokePorts,
  compareRehearsal,
  smokeRelease,
} from './staging.ts';
export { type YamlProblem, type YamlProblemCode, type YamlResult, readYaml, yamlBytesMax } from './yaml.ts';
