import type { Command } from '@proviso/domain';
import { queries } from './forms.ts';
import { forms } from './page-forms.ts';
import type { Access, Route } from './route.ts';
import { get, post } from './route-row.ts';

const openPage: Access = { kind: 'public', page: true };
const openDoor: Access = { kind: 'public' };
const page: Access = { kind: 'page', needs: 'self' };
const actingPage = (kind: Command['kind']): Access => ({ kind: 'page', needs: 'read', commands: [kind] });
const voting = { kind: 'page', needs: 'read', voters: true } as const satisfies Access;
const votingPage = (kind: Command['kind']): Access => ({ ...voting, commands: [kind] });
const ownPage = (kind: Command['kind']): Access => ({ kind: 'page', needs: 'self', commands: [kind] });
const html = 'text/html';
const signedBySlack = { signedBy: 'slack' } as const;
const signedByGitHub = { signedBy: 'github' } as const;
const entry = { query: queries.login };

/** Doors for people in a browser: pages and their forms. */
export const pages: readonly Route[] = [
  get(['/', 'showInbox', 'Gates that wait for the reader', voting, { 200: html }]),
  get(['/login', 'showLogin', 'To the provider, or the form for a token', openPage, { 200: html, 302: html }, entry]),
  post(['/login', 'loginByToken', 'Sign in with a token of one’s own', openPage, { 303: html }, { form: forms.token }]),
  get([
    '/login/callback',
    'finishLogin',
    'Back from the provider',
    openPage,
    { 303: html },
    { query: queries.callback },
  ]),
  post(['/logout', 'logout', 'Sign out in this browser', page, { 303: html }, { form: forms.empty }]),
  get([
    '/login/cli',
    'showPairing',
    'May a command line have a token?',
    page,
    { 200: html },
    { query: queries.pairing },
  ]),
  post(['/login/cli', 'pair', 'It may', page, { 303: html }, { form: forms.pairing }]),
  get(['/account', 'showAccount', 'By what one is known, and who votes in one’s stead', page, { 200: html }]),
  post([
    '/account/github',
    'linkGitHub',
    'Link one’s account at GitHub, whose profile shows one’s mark',
    ownPage('LinkIdentity'),
    { 303: html },
    { form: forms.linkGitHub },
  ]),
  post([
    '/account/provider',
    'linkAtProvider',
    'To the provider, to sign in there with another account of one’s own',
    ownPage('LinkIdentity'),
    { 200: html },
    { form: forms.linkAtProvider },
  ]),
  post([
    '/account/unlink',
    'unlinkOnPage',
    'Take a linked account away',
    ownPage('UnlinkIdentity'),
    { 303: html },
    { form: forms.unlink },
  ]),
  post([
    '/account/delegations',
    'delegateOnPage',
    'Let somebody vote in one’s stead until a date',
    ownPage('Delegate'),
    { 303: html },
    { form: forms.delegate },
  ]),
  post([
    '/account/delegations/end',
    'endDelegationOnPage',
    'Take one’s right to vote back',
    ownPage('EndDelegation'),
    { 303: html },
    { form: forms.endDelegation },
  ]),
  get(['/slack/link', 'showSlackLink', 'What to type in Slack to be known there', page, { 200: html }]),
  post([
    '/slack/events',
    'hearSlack',
    'What somebody did in Slack, signed by it',
    openDoor,
    { 200: 'application/json' },
    signedBySlack,
  ]),
  post([
    '/github/webhooks',
    'hearGitHub',
    'What happened at GitHub, signed by it',
    openDoor,
    { 202: 'application/json' },
    signedByGitHub,
  ]),
  get(['/decide/:id', 'showDecision', 'What is asked at a gate, and what it is about', voting, { 200: html }]),
  post([
    '/decide/:id',
    'decideOnPage',
    'Decide, freshly signed in',
    votingPage('Decide'),
    { 303: html },
    { form: forms.decide },
  ]),
  post([
    '/decide/:id/defer',
    'deferOnPage',
    'Not now: no vote, and no reminder until then',
    votingPage('Defer'),
    { 303: html },
    { form: forms.defer },
  ]),
  post([
    '/decide/:id/comments',
    'addCommentOnPage',
    'Say something about the promotion',
    actingPage('Comment'),
    { 303: html },
    { form: forms.comment },
  ]),
  post([
    '/decide/:id/waivers',
    'askWaiverOnPage',
    'Ask that a finding or a gate be waived for a time',
    actingPage('AskWaiver'),
    { 303: html },
    { form: forms.askWaiver },
  ]),
  post([
    '/decide/:id/waivers/approve',
    'approveWaiverOnPage',
    'Agree to a waiver that another asked for',
    actingPage('ApproveWaiver'),
    { 303: html },
    { form: forms.approveWaiver },
  ]),
  post([
    '/decide/:id/break-glass',
    'askBreakGlassOnPage',
    'Ask for the glass to be broken',
    actingPage('AskBreakGlass'),
    { 303: html },
    { form: forms.askGlass },
  ]),
  post([
    '/decide/:id/break-glass/approve',
    'approveBreakGlassOnPage',
    'Agree to it, as one of two others',
    actingPage('ApproveBreakGlass'),
    { 303: html },
    { form: forms.approveGlass },
  ]),
  post([
    '/decide/:id/break-glass/review',
    'reviewBreakGlassOnPage',
    'Say what was found when it was looked at',
    actingPage('ReviewBreakGlass'),
    { 303: html },
    { form: forms.reviewGlass },
  ]),
];
