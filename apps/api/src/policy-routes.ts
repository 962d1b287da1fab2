import { bodies, queries } from './forms.ts';
import { resources as r } from './resources.ts';
import type { Route } from './route.ts';

const none = { query: queries.none };

/** The doors of policies, and of the tiers that policies tell apart. */
export const policyRoutes: readonly Route[] = [
  {
    ...{ method: 'GET', path: '/v1/policies', name: 'listPolicies', summary: 'Policies' },
    access: { kind: 'read', session: true },
    answers: { 200: r.policies },
    takes: { query: queries.page },
  },
  {
    ...{ method: 'POST', path: '/v1/policies', name: 'publishPolicy' },
    summary: 'Publish a policy; a weaker version waits for an administrator',
    access: { kind: 'command', commands: ['PublishPolicy'] },
    answers: { 201: r.policy, 200: r.policy },
    takes: { ...none, json: bodies.publishPolicy, yaml: true, condition: true },
  },
  {
    ...{ method: 'GET', path: '/v1/policies/:id', name: 'readPolicy', summary: 'One policy with its source' },
    access: { kind: 'read', session: true },
    answers: { 200: r.policy },
    takes: none,
  },
  {
    ...{ method: 'GET', path: '/v1/policies/:id/versions', name: 'listPolicyVersions' },
    summary: 'Its versions, newest first, with what each edit did',
    access: { kind: 'read', session: true },
    answers: { 200: r.policyVersions },
    takes: none,
  },
  {
    ...{ method: 'GET', path: '/v1/policies/:id/versions/:version', name: 'readPolicyVersion' },
    summary: 'One version with its source',
    access: { kind: 'read', session: true },
    answers: { 200: r.policyVersion },
    takes: none,
  },
  {
    ...{ method: 'POST', path: '/v1/policies/:id/agreement', name: 'agreeToPolicy' },
    summary: 'Agree to a weaker version that waits; its author never does',
    access: { kind: 'command', commands: ['AgreeToPolicy'] },
    answers: { 200: r.policy },
    takes: { ...none, json: bodies.agreeToPolicy, condition: true },
  },
  {
    ...{ method: 'POST', path: '/v1/policies/try', name: 'tryPolicy' },
    summary: 'Could this person approve this promotion under a draft? Changes nothing',
    access: { kind: 'read' },
    answers: { 200: r.triedVote },
    takes: { ...none, json: bodies.tryPolicy },
  },
  {
    ...{ method: 'POST', path: '/v1/policies/replay', name: 'replayPolicy' },
    summary: 'Decide past promotions again under a draft. Changes nothing',
    access: { kind: 'read' },
    answers: { 200: r.policyReplay },
    takes: { ...none, json: bodies.replayPolicy },
  },
  {
    ...{ method: 'POST', path: '/v1/prototypes/:id/tier', name: 'assignTier' },
    summary: 'Put it in a risk tier, or in none',
    access: { kind: 'command', commands: ['AssignTier'] },
    answers: { 200: r.prototype },
    takes: { ...none, json: bodies.tier, condition: true },
  },
];
