import { heardCheckRun, heardCheckSuite } from './github-press.ts';
import { heardComment } from './github-comment.ts';
import { heardDeploymentRule, heardMergeGroup } from './github-questions.ts';
import type { GitHubOutcome, GitHubParts, HeardEvent } from './github-desk.ts';

/** Hears one kind of event. It throws only what is our own breakage: GitHub then shows that the delivery failed. */
export type GitHubEvent = (parts: GitHubParts, heard: HeardEvent) => Promise<GitHubOutcome>;

/** By the name that GitHub gives an event: what is done with it. Every other event is acknowledged and forgotten. */
export const githubEvents: Readonly<Record<string, GitHubEvent>> = {
  check_run: heardCheckRun,
  check_suite: heardCheckSuite,
  issue_comment: heardComment,
  deployment_protection_rule: heardDeploymentRule,
  merge_group: heardMergeGroup,
};
