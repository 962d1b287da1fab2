export { type Ask, type Bulletin, type Change, type Check, type CommitSource, isAsking } from './bulletin.ts';
export { inert, quoted } from './inert.ts';
export { type Outlet, OutletFailure, type Spot } from './outlet.ts';
export { type FollowedEntry, type FollowerPorts, followForever, followTurn } from './follower.ts';
export { type Delivery, openDelivery } from './delivery.ts';
export { type SlackAccess, type SlackCalls, openSlackCalls } from './slack/calls.ts';
export type { Conversations } from './slack/copy.ts';
export { type SlackMessage, slackMessage } from './slack/message.ts';
export { plainLines, slackAsking } from './slack/plain-lines.ts';
export { type Pressed, type SlackAction, isToken, pressedIn, slackActions } from './slack/button.ts';
export { type Inbox, type InboxItem, homeView, lineOf } from './slack/home.ts';
export { type SlackForm, formView, slackForms, toldView, verdictOf } from './slack/form.ts';
export { type Interaction, type Member, interactionIn, interactionInSocket } from './slack/interaction.ts';
export { type SignedRequest, isSignedBySlack } from './slack/signature.ts';
export { type SlackSocket, type SlackSocketPorts, openSlackSocket } from './slack/socket.ts';
export { type GitHubApp, type GitHubAppAccess, type GitHubRequest, openGitHubApp } from './github/app.ts';
export { identifierOf, isIdentifier } from './github/action.ts';
export { type Typed, typedIn } from './github/command.ts';
export { commitOf, conversationOf } from './github/copy.ts';
export { type GitHubMessage, githubMessage } from './github/message.ts';
export { checkLines, githubAsking, markdownLines } from './github/plain-lines.ts';
export { checkRunIn, commentIn, openGitHubOutlet } from './github/outlet.ts';
export {
  type Asked,
  type GitHubAnswer,
  type GitHubAnswers,
  type PullRequestHead,
  openGitHubAnswers,
} from './github/answers.ts';
export { type AnsweringPorts, answerForever, answerTurn } from './github/answering.ts';
export { type CommitStanding, commitStanding, type DeploymentNeed, deploymentNeeds } from './github/commit-standing.ts';
export { isSignedByGitHub } from './github/signature.ts';
