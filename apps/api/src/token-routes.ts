import { bodies } from './forms.ts';
import { resources as r } from './resources.ts';
import type { Route } from './route.ts';
import { command, get, open, post, self } from './route-row.ts';

/** Doors for one's own tokens, for pipelines, and for what is held about people. */
export const tokenRoutes: readonly Route[] = [
  get(['/v1/me/tokens', 'listOwnTokens', 'The own tokens, with the day of their last use', self, { 200: r.tokens }]),
  post([
    '/v1/me/tokens',
    'issueOwnToken',
    'Issue a narrower token to oneself, shown once; not with a narrow token, nor with a lent one',
    command('IssueOwnToken'),
    { 201: r.token },
    { json: bodies.issueOwnToken },
  ]),
  post([
    '/v1/me/tokens/revoke',
    'revokeOwnToken',
    'Revoke a token of the own',
    command('RevokeToken'),
    { 200: r.revokedToken },
    { json: bodies.revokeToken },
  ]),
  get([
    '/v1/me/promotions/:id',
    'readStanding',
    'Where a promotion stands that one has asked for oneself; takes no right to read, and names nobody',
    self,
    { 200: r.standing },
  ]),
  get([
    '/v1/people/:id/personal',
    'readPersonal',
    'All that is held about a person: for themselves, administrators and auditors; that it was read is an entry',
    command('ReadPersonal'),
    { 200: r.personal },
  ]),
  post([
    '/v1/people/:id/erase',
    'erasePerson',
    'Destroy all personal data of a person, and end their rights and tokens; history stays valid',
    command('ErasePerson'),
    { 200: r.person },
    { json: bodies.empty },
  ]),
  post([
    '/v1/prototypes/:id/workloads',
    'trustWorkload',
    'Trust the runs of a pipeline to bring evidence for it, or to promote it; whoever does so answers for them',
    command('TrustWorkload'),
    { 201: r.prototype },
    { json: bodies.trustWorkload },
  ]),
  post([
    '/v1/prototypes/:id/workloads/distrust',
    'distrustWorkload',
    'End that trust, and every token of its runs',
    command('DistrustWorkload'),
    { 200: r.prototype },
    { json: bodies.distrustWorkload },
  ]),
  post([
    '/v1/prototypes/:id/evidence',
    'addEvidence',
    'Bring a document for the candidate that was made from a commit',
    command('AddEvidence'),
    { 201: r.addedEvidence },
    { json: bodies.addEvidence },
  ]),
  post([
    '/v1/workload/token',
    'exchangeWorkload',
    "Give a CI system's token of a run, get one for fifteen minutes that does for one prototype what its rule says",
    open,
    { 201: r.workloadToken },
    { json: bodies.exchangeWorkload },
  ]),
];
