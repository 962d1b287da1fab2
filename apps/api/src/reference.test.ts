import { type Deployment, openDeployment } from './deployment.contract.ts';

let here: Deployment;

beforeAll(async () => {
  here = await openDeployment();
});

afterAll(async () => {
  await here.close();
});

describe('the reference page', () => {
  it('runs no script but our own copy, and may talk to nobody but us', async () => {
    const page = await here.ask(null, 'GET', '/reference');
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = String(page.headers['content-security-policy']).split('; ');
    expect(policy).toEqual(expect.arrayContaining(["default-src 'none'", "script-src 'self'", "connect-src 'self'"]));
    expect(page.text.match(/<script\b[^>]*>[^<]+<\/script>/)).toBeNull();
    const addresses = [...page.text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address);
    expect(addresses).toEqual(['data:,', '/v1/openapi.json', '/reference/scalar.js']);
    expect(page.text).not.toMatch(/https?:/);
  });

  it('reads the description that programs read, and is no part of it', async () => {
    const page = await here.ask(null, 'GET', '/reference');
    expect(page.text).toContain('&quot;url&quot;:&quot;/v1/openapi.json&quot;');
    const description = await here.ask(null, 'GET', '/v1/openapi.json');
    expect(description.status).toBe(200);
    expect(Object.keys(description.body['paths'] ?? {}).filter((path) => path.startsWith('/reference'))).toEqual([]);
  });

  it('sends its script once, and then one line', async () => {
    const first = await here.ask(null, 'GET', '/reference/scalar.js');
    expect([first.status, first.headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8']);
    expect(first.text).toContain('@scalar/api-reference');
    const headers = { 'if-none-match': String(first.headers['etag']) };
    const again = await here.ask(null, 'GET', '/reference/scalar.js', { headers });
    expect([again.status, again.text]).toEqual([304, '']);
  });
});
