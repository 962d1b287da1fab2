export { startPostgres, type TestPostgresOptions } from './postgres.ts';
export { startTemporal, type TestTemporalOptions } from './temporal.ts';
export {
  type Exporter,
  findPrometheus,
  type RunningPrometheus,
  startExporter,
  startPrometheus,
} from './prometheus.ts';
export { findChromium } from './found-program.ts';
export { type TestServers, testServers } from './test-servers.ts';
export {
  type FakeGitHub,
  type FakeGitHubCommit,
  type FakeGitHubFault,
  type FakeGitHubRepository,
  type FakeGitHubSignature,
  startFakeGitHub,
} from './fake-github.ts';
export type { FakeDeployment, FakeWaitingJob } from './fake-github-deployments.ts';
export {
  type FakeCheckAction,
  type FakeCheckRun,
  type FakeGitHubApp,
  type FakeGitHubAppFault,
  type FakeGitHubNote,
  startFakeGitHubApp,
} from './fake-github-app.ts';
export { checkComplaints, commentComplaints } from './fake-github-limits.ts';
export { type FakeGitHubDeed, type FakeGitHubMember, signedAsGitHub } from './fake-github-member.ts';
export { type GitHubLinking, githubUserOf, linkAtGitHub } from './github-decision.ts';
export {
  type FakeSlack,
  type FakeSlackFault,
  type FakeSlackMessage,
  type FakeSlackView,
  startFakeSlack,
} from './fake-slack.ts';
export {
  type FakeSlackAnswer,
  type FakeSlackDeed,
  type FakeSlackMember,
  buttonsOf,
  signedAsSlack,
} from './fake-slack-member.ts';
export { linkInSlack, type SlackLinking } from './slack-decision.ts';
export { messageComplaints } from './fake-slack-limits.ts';
export type { FakeSlackSocket } from './fake-slack-socket.ts';
export { type FakePackage, type FakeRegistry, type FakeWheel, startFakeRegistry } from './fake-registry.ts';
export { type TarEntry, tarOf } from './tarball.ts';
export { type ZipEntry, zipOf } from './zip.ts';
export { createDatabase, type TestDatabase } from './database.ts';
export { type ApprovalTry, type DecisionChannel, decisionChannels, type Told } from './decision-channel.ts';
export { turnClock, type TurnedClock } from './turned-clock.ts';
