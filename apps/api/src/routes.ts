import { canaryRoutes } from './canary-routes.ts';
import { exceptionRoutes } from './exception-routes.ts';
import { edgeReport } from './edge-report.ts';
import { bodies, queries } from './forms.ts';
import { mcpRoutes } from './mcp/mcp-routes.ts';
import { pages } from './page-routes.ts';
import { policyRoutes } from './policy-routes.ts';
import { resources } from './resources.ts';
import { type Route, routeKey } from './route.ts';
import { command, edge, get, open, post, put, read, readToVote, self } from './route-row.ts';
import { tokenRoutes } from './token-routes.ts';
import { webhookRoutes } from './webhook-routes.ts';

const paged = { query: queries.page };
const r = resources;

const service: readonly Route[] = [
  get(['/healthz', 'isAlive', 'The process answers', open, { 200: r.health }]),
  get(['/readyz', 'isReady', 'The database answers', open, { 200: r.health }]),
  get(['/metrics', 'readMetrics', 'Counters for Prometheus', open, { 200: 'text/plain' }]),
  get(['/reference', 'showReference', 'This description for people', open, { 200: 'text/html' }]),
  get(['/reference/scalar.js', 'readReferenceScript', 'What draws it', open, { 200: 'text/javascript' }]),
  get(['/v1/openapi.json', 'readOpenapi', 'This description', open, { 200: 'application/json' }]),
];

const people: readonly Route[] = [
  post([
    '/v1/login/token',
    'exchangeCode',
    'The token of a command line that its person has let in',
    open,
    { 201: r.pairedToken },
    { json: bodies.exchange },
  ]),
  get([
    '/v1/people/:id/sessions',
    'listSessions',
    'Browsers in which a person is signed in',
    command('EndSessions'),
    { 200: r.sessions },
  ]),
  post([
    '/v1/people/:id/sessions/end',
    'endSessions',
    'Sign a person out of all browsers',
    command('EndSessions'),
    { 200: r.sessions },
    { json: bodies.empty },
  ]),
  get([
    '/v1/running',
    'readRunning',
    'What edges say they run, and which candidates run or wait',
    read,
    { 200: r.running },
  ]),
  get(['/v1/me', 'readMe', 'Who this token belongs to', self, { 200: r.me }]),
  get(['/v1/workspaces', 'listWorkspaces', 'The own workspace', self, { 200: r.workspaces }]),
  get([
    '/v1/workspace/limits',
    'readLimits',
    'What the workspace may take, and what it takes',
    read,
    { 200: r.limits },
  ]),
  put([
    '/v1/workspace/limits',
    'setLimits',
    'Set what the workspace may take; what is left out falls to its default',
    command('SetLimits'),
    { 200: r.limits },
    { json: bodies.limits, condition: true },
  ]),
  get(['/v1/people', 'listPeople', 'Principals with their roles', read, { 200: r.people }, paged]),
  post([
    '/v1/people',
    'addPerson',
    'Add a principal',
    command('AddPerson'),
    { 201: r.person },
    { json: bodies.addPerson },
  ]),
  get(['/v1/people/:id', 'readPerson', 'One principal', read, { 200: r.person }]),
  post([
    '/v1/people/:id/roles',
    'grantRole',
    'Grant a role',
    command('GrantRole'),
    { 200: r.person },
    { json: bodies.role },
  ]),
  post([
    '/v1/people/:id/roles/revoke',
    'revokeRole',
    'Revoke a role',
    command('RevokeRole'),
    { 200: r.person },
    { json: bodies.role },
  ]),
  post([
    '/v1/people/:id/tokens',
    'issueToken',
    'Issue a token, shown once',
    command('IssueToken'),
    { 201: r.token },
    { json: bodies.issueToken },
  ]),
  post([
    '/v1/people/:id/tokens/revoke',
    'revokeToken',
    'Revoke a token: it is unknown from then on',
    command('RevokeToken'),
    { 200: r.person },
    { json: bodies.revokeToken },
  ]),
  post([
    '/v1/people/:id/disable',
    'disablePerson',
    'End all rights and tokens',
    command('DisablePerson'),
    { 200: r.person },
    { json: bodies.empty },
  ]),
];

const prototypes: readonly Route[] = [
  get(['/v1/prototypes', 'listPrototypes', 'Prototypes', read, { 200: r.prototypes }, paged]),
  post([
    '/v1/prototypes',
    'registerPrototype',
    'Register a prototype with its lanes',
    command('RegisterPrototype'),
    { 201: r.prototype },
    { json: bodies.registerPrototype },
  ]),
  get(['/v1/prototypes/:id', 'readPrototype', 'One prototype', read, { 200: r.prototype }]),
  post([
    '/v1/prototypes/:id/owner',
    'assignOwner',
    'Assign the accountable human',
    command('AssignOwner'),
    { 200: r.prototype },
    { json: bodies.assignOwner, condition: true },
  ]),
  post([
    '/v1/prototypes/:id/trust',
    'trustPrototype',
    'Vouch for its folder',
    command('TrustPrototype'),
    { 200: r.prototype },
    { json: bodies.trust, condition: true },
  ]),
  get([
    '/v1/prototypes/:id/candidates',
    'listCandidates',
    'Its versions, newest first',
    read,
    { 200: r.candidates },
    paged,
  ]),
  post([
    '/v1/prototypes/:id/candidates',
    'freezeCandidate',
    'Freeze a version from an archive, a git commit or GitHub; the same content again is the same candidate',
    command('FreezeCandidate'),
    { 201: r.frozenCandidate, 200: r.frozenCandidate },
    { json: bodies.freezeCandidate, archive: true, condition: true },
  ]),
];

const promotions: readonly Route[] = [
  get([
    '/v1/promotions',
    'listPromotions',
    'Promotions, newest first',
    read,
    { 200: r.promotions },
    { query: queries.promotions },
  ]),
  post([
    '/v1/promotions',
    'openPromotion',
    'Start a promotion',
    command('OpenPromotion'),
    { 201: r.promotion },
    { json: bodies.openPromotion },
  ]),
  get([
    '/v1/promotions/:id',
    'readPromotion',
    'Where it stands, what is in the way, who can do what',
    readToVote,
    { 200: r.promotion },
    { query: queries.promotion },
  ]),
  post([
    '/v1/promotions/:id/cancel',
    'cancelPromotion',
    'Stop it',
    command('Cancel'),
    { 202: r.done },
    { json: bodies.reason },
  ]),
  post([
    '/v1/promotions/:id/rollback',
    'rollbackPromotion',
    'Take it back from users',
    command('Rollback'),
    { 202: r.done },
    { json: bodies.reason },
  ]),
  post([
    '/v1/promotions/:id/comments',
    'addComment',
    'Say something about it, before or after its end: nothing follows from it',
    command('Comment'),
    { 201: r.done },
    { json: bodies.comment },
  ]),
  get([
    '/v1/promotions/:id/history',
    'readHistory',
    'Its entries in the journal',
    read,
    { 200: r.history },
    { query: queries.history },
  ]),
  get([
    '/v1/promotions/:id/preview',
    'previewPromotion',
    'A link to this version in staging, for the asker: good once, for five minutes',
    read,
    { 200: r.previewLink },
  ]),
  get([
    '/v1/promotions/:id/explain',
    'explainAction',
    'Why somebody may or may not do something to it: every rule that is asked, and the one that decides',
    read,
    { 200: r.explanation },
    { query: queries.explain },
  ]),
  get(['/v1/gates/:id', 'readGate', 'One gate of a promotion', readToVote, { 200: r.gate }]),
  get([
    '/v1/gates/:id/prompts',
    'readPrompts',
    'What each channel says to whoever is asked here',
    read,
    { 200: r.prompts },
  ]),
  post([
    '/v1/gates/:id/decisions',
    'decide',
    'Approve, reject or ask for changes',
    command('Decide'),
    { 201: r.receipt },
    { json: bodies.decide },
  ]),
  post([
    '/v1/gates/:id/defer',
    'deferGate',
    'Say not now: no vote, and no reminder until then',
    command('Defer'),
    { 200: r.gate },
    { json: bodies.defer },
  ]),
  post([
    '/v1/gates/:id/rerun',
    'rerunGate',
    'Run a blocked gate again',
    command('Rerun'),
    { 202: r.done },
    { json: bodies.optionalReason },
  ]),
];

const lanes: readonly Route[] = [
  get(['/v1/lanes', 'listLanes', 'Lanes', read, { 200: r.lanes }, paged]),
  get(['/v1/lanes/:id', 'readLane', 'What serves users, with which share', read, { 200: r.lane }]),
  post([
    '/v1/lanes/:id/hold',
    'holdLane',
    'Refuse forward moves',
    command('HoldLane'),
    { 200: r.lane },
    { json: bodies.reason },
  ]),
  post([
    '/v1/lanes/:id/resume',
    'resumeLane',
    'Allow forward moves again',
    command('ResumeLane'),
    { 200: r.lane },
    { json: bodies.reason },
  ]),
  get([
    '/v1/lanes/:id/configuration',
    'readConfiguration',
    'Its variables, and where its secrets lie: names and places, never a value',
    read,
    { 200: r.configuration },
  ]),
  post([
    '/v1/lanes/:id/variables',
    'setVariable',
    'Set a plain variable; its releases start anew',
    command('SetVariable'),
    { 200: r.configuration },
    { json: bodies.setVariable },
  ]),
  post([
    '/v1/lanes/:id/variables/unset',
    'unsetVariable',
    'Take a variable away',
    command('UnsetVariable'),
    { 200: r.configuration },
    { json: bodies.configured },
  ]),
  post([
    '/v1/lanes/:id/secrets',
    'bindSecret',
    'Say where the value of a secret lies',
    command('BindSecret'),
    { 200: r.configuration },
    { json: bodies.bindSecret },
  ]),
  post([
    '/v1/lanes/:id/secrets/unbind',
    'unbindSecret',
    'Take a secret from the lane',
    command('UnbindSecret'),
    { 200: r.configuration },
    { json: bodies.configured },
  ]),
  post([
    '/v1/lanes/:id/secrets/rotate',
    'rotateSecret',
    'Another value lies there now: start its releases anew, without a promotion',
    command('RotateSecret'),
    { 200: r.configuration },
    { json: bodies.configured },
  ]),
  get([
    '/v1/evidence/:digest',
    'readEvidence',
    'A stored document',
    readToVote,
    { 200: 'text/plain, application/octet-stream' },
  ]),
  get(['/v1/events', 'followEvents', 'Live entries (server-sent events)', read, { 200: 'text/event-stream' }]),
  post([
    '/v1/edge/orders',
    'pollEdgeOrders',
    'Report what runs, learn what should',
    edge,
    { 200: r.edgeOrders },
    { json: edgeReport },
  ]),
  get([
    '/v1/edge/blobs/:digest',
    'readEdgeBlob',
    'A manifest or a file of a candidate',
    edge,
    { 200: 'application/octet-stream' },
  ]),
];

/** Every door there is. */
export const routes: readonly Route[] = [
  ...service,
  ...pages,
  ...people,
  ...tokenRoutes,
  ...prototypes,
  ...policyRoutes,
  ...promotions,
  ...canaryRoutes,
  ...lanes,
  ...exceptionRoutes,
  ...webhookRoutes,
  ...mcpRoutes,
];

/** The rows by method and path. */
export const routesByKey: ReadonlyMap<string, Route> = new Map(
  routes.map((route) => [routeKey(route.method, route.path), route]),
);
