import { type Deployment, openDeployment, pickText, policySource } from './deployment.contract.ts';

let here: Deployment;

beforeAll(async () => {
  here = await openDeployment();
});

afterAll(async () => {
  await here.close();
});

async function prototypeNamed(name: string) {
  const made = await here.post('bea', '/v1/prototypes', { name });
  return { url: `/v1/prototypes/${pickText(made.body, 'id')}`, tag: String(made.headers['etag']) };
}

/** Publishes the policy of the tests under a name, with so much patience with crashes: no version is weaker than another. */
function publish(name: string, count: number, headers: Readonly<Record<string, string>> = {}) {
  const source = policySource
    .replace('policy: careful', `policy: ${name}`)
    .replace('gate: readiness', `gate: readiness\n    attemptsMax: ${count}`);
  return here.ask('petra', 'POST', '/v1/policies', { payload: { source }, headers });
}

function trust(url: string, trusted: boolean, headers: Readonly<Record<string, string>> = {}) {
  return here.ask('olga', 'POST', `${url}/trust`, { payload: { trusted }, headers });
}

describe('a prototype', () => {
  it('carries the tag of its revision on every answer that shows it', async () => {
    const { url, tag } = await prototypeNamed('tagged');
    const read = await here.ask('bea', 'GET', url);
    expect([tag, read.headers['etag'], read.body['revision']]).toEqual(['"1"', '"1"', 1]);
    const changed = await trust(url, true, { 'if-match': tag });
    expect(changed).toMatchObject({ status: 200, headers: { etag: '"2"', 'content-location': url } });
    const known = await here.ask('bea', 'GET', url, { headers: { 'if-none-match': '"2"' } });
    expect([known.status, known.text, known.headers['etag']]).toEqual([304, '', '"2"']);
  });

  it('is not changed by whoever looked at an older revision, and says which it is', async () => {
    const { url, tag } = await prototypeNamed('moved');
    await trust(url, true);
    const late = await here.ask('ada', 'POST', `${url}/owner`, {
      payload: { owner: here.people.sam },
      headers: { 'if-match': tag },
    });
    expect([late.status, late.body['code'], late.headers['etag']]).toEqual([412, 'stale_revision', undefined]);
    expect(late.body['detail']).toBe('expected revision 2 of the prototype, got 1: look again and change that');
    expect((await here.ask('bea', 'GET', url)).body).toMatchObject({ owner: here.people.bea, revision: 2 });
  });

  it('is changed by exactly one of many who looked at the same revision', async () => {
    const { url, tag } = await prototypeNamed('raced');
    const owners = [here.people.sam, here.people.kim, here.people.olga, here.people.max];
    const answers = await Promise.all(
      owners.map((owner) =>
        here.ask('ada', 'POST', `${url}/owner`, { payload: { owner }, headers: { 'if-match': tag } }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412]);
    const winner = owners[answers.findIndex(({ status }) => status === 200)];
    expect((await here.ask('bea', 'GET', url)).body).toMatchObject({ owner: winner, revision: 2 });
  });

  it('lets one through also when all want the same', async () => {
    const { url, tag } = await prototypeNamed('agreed');
    const answers = await Promise.all([1, 2, 3].map(() => trust(url, true, { 'if-match': tag })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412]);
  });

  it('answers a retry with the same key as before, though the revision has moved since', async () => {
    const { url, tag } = await prototypeNamed('retried');
    const headers = { 'if-match': tag, 'idempotency-key': 'once' };
    expect((await trust(url, true, headers)).status).toBe(200);
    expect((await trust(url, true, headers)).status).toBe(200);
    const other = await trust(url, true, { ...headers, 'if-match': '"2"' });
    expect([other.status, other.body['code']]).toEqual([409, 'key_conflict']);
  });

  it('is unknown before it is stale, and forbidden before both', async () => {
    const unknown = `/v1/prototypes/pro_${'0'.repeat(32)}`;
    expect((await trust(unknown, true, { 'if-match': '"9"' })).status).toBe(404);
    const { url } = await prototypeNamed('forbidden');
    const answer = await here.ask('aud', 'POST', `${url}/trust`, {
      payload: { trusted: true },
      headers: { 'if-match': '"9"' },
    });
    expect([answer.status, answer.body['code']]).toEqual([403, 'not_permitted']);
  });
});

describe('a policy', () => {
  it('gets its next version only from whoever looked at the one before', async () => {
    const first = await publish('agreed', 1);
    expect(first).toMatchObject({
      status: 201,
      headers: { etag: '"1"', 'content-location': first.headers['location'] },
    });
    const answers = await Promise.all([2, 3].map((count) => publish('agreed', count, { 'if-match': '"1"' })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 412]);
    const read = await here.ask('petra', 'GET', String(first.headers['location']));
    expect([read.headers['etag'], read.body['version']]).toEqual(['"2"', 2]);
    const stale = answers.find(({ status }) => status === 412);
    expect(stale?.body['detail']).toBe('expected revision 2 of the policy, got 1: look again and change that');
  });

  it('that must exist is not begun by If-Match: *', async () => {
    const begun = await publish('fresh', 1, { 'if-match': '*' });
    expect([begun.status, begun.body['code']]).toEqual([412, 'stale_revision']);
    expect((await publish('fresh', 1)).status).toBe(201);
    expect((await publish('fresh', 2, { 'if-match': '*' })).status).toBe(201);
  });

  it('may be published without a condition, as a pipeline does', async () => {
    expect((await publish('piped', 1)).status).toBe(201);
    expect((await publish('piped', 2)).status).toBe(201);
  });
});

describe('If-Match', () => {
  it.each([
    ['*', 200],
    ['  *  ', 200],
    ['"1"', 200],
    ['"7", "1"', 200],
    [' , "7",, "1" ,', 200],
    ['"x,y","1"', 200],
    ['"7"', 412],
    ['W/"1"', 412],
    ['"01"', 412],
    ['"nonsense"', 412],
    ['""', 412],
    ['1', 400],
    ['', 400],
    [',', 400],
    ['"1', 400],
    ['"1" "2"', 400],
    ['*, "1"', 400],
    ['w/"1"', 400],
    [Array.from({ length: 21 }, (_, index) => `"${index}"`).join(), 400],
  ])('of %s is answered with %d', async (condition, status) => {
    const { url } = await prototypeNamed(`match-${names++}`);
    const answer = await trust(url, true, { 'if-match': condition });
    expect([answer.status, answer.body['code']]).toEqual([status, codes[status]]);
    if (status === 400) expect(answer.body['errors']).toMatchObject([{ pointer: '/headers/if-match' }]);
  });

  it('is refused where it would be ignored', async () => {
    const answers = await Promise.all([
      here.ask('bea', 'POST', '/v1/prototypes', { payload: { name: 'none' }, headers: { 'if-match': '*' } }),
      here.ask('bea', 'GET', '/v1/me', { headers: { 'if-match': '"1"' } }),
      here.ask('ada', 'POST', '/v1/people', { payload: { name: 'N' }, headers: { 'if-match': '"1"' } }),
    ]);
    expect(answers.map(({ status, body }) => [status, body['code']])).toEqual(
      answers.map(() => [400, 'malformed_request']),
    );
  });
});

let names = 1;
const codes: Readonly<Record<number, string>> = { 412: 'stale_revision', 400: 'malformed_request' };
