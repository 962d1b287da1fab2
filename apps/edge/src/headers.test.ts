import { hostOf, readHead, releaseHeadersOf, visitorHeadersOf } from './headers.ts';

function unitOf(headers: Readonly<Record<string, string>>): string | null {
  return readHead(Object.entries(headers).flat()).unit;
}

test.each([
  ['Helpdesk.Localhost:8080', 'helpdesk.localhost'],
  ['helpdesk.localhost.', 'helpdesk.localhost'],
  ['[::1]:80', '[::1]'],
  ['', ''],
])('the host of %s is %s', (header, expected) => {
  expect(hostOf(header)).toBe(expected);
});

test('a unit is a header first, then our cookie, and never something odd', () => {
  expect(unitOf({ 'X-Proviso-Unit': 'u1', cookie: 'proviso_unit=0123456789' })).toBe('header u1');
  expect(unitOf({ cookie: 'a=1; proviso_unit=0123456789; b=2' })).toBe('cookie 0123456789');
  expect(unitOf({ cookie: 'xproviso_unit=0123456789' })).toBeNull();
  expect(unitOf({ cookie: 'proviso_unit=short' })).toBeNull();
  expect(unitOf({ 'x-proviso-unit': 'x'.repeat(129) })).toBeNull();
});

test('a release hears what was said to it, and from us where it came from', () => {
  const head = readHead([
    ...['Host', 'a.localhost:80', 'Accept', '*/*', 'Cookie', 'own=1; proviso_unit=0123456789', 'Content-Length', '4'],
    ...['X-Forwarded-For', '9.9.9.9', 'X_Forwarded_For', '9.9.9.9', 'Forwarded', 'for=9.9.9.9', 'Upgrade', 'h2c'],
    ...['Connection', 'Upgrade, X-Inner, Host, Content-Length', 'X-Inner', '1', 'Expect', '100-continue'],
  ]);
  const fields = releaseHeadersOf(head, '::ffff:10.0.0.1');
  expect(Object.fromEntries(fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1]]] : [])))).toEqual({
    accept: '*/*',
    cookie: 'own=1',
    host: 'a.localhost:80',
    'x-forwarded-for': '10.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'a.localhost:80',
    forwarded: 'for=10.0.0.1;host="a.localhost:80";proto=http',
    'content-length': '4',
  });
  expect(fields).toHaveLength(16);
  expect(releaseHeadersOf(head, '::1')).toContain('for="[::1]";host="a.localhost:80";proto=http');
});

test('two hosts are none, and a body of unknown length is told from none', () => {
  expect(readHead(['Host', 'a', 'host', 'a']).host).toBeNull();
  expect(readHead(['Transfer-Encoding', 'chunked']).body).toBe('chunked');
  expect(readHead(['Host', 'a']).body).toBe(0);
});

test('an answer keeps its cookies, loses what belongs to the connection, and cannot choose its visitors or be ours', () => {
  const headers = {
    connection: 'close, x-hop',
    'x-hop': '1',
    'transfer-encoding': 'chunked',
    'content-length': '9',
    etag: 'e',
    'x-proviso-page': 'closed',
    'set-cookie': ['a=1', 'proviso_unit=x', 'b=2'],
  };
  expect(visitorHeadersOf(headers, 'proviso_unit=y')).toEqual([
    ...['etag', 'e', 'set-cookie', 'a=1', 'set-cookie', 'b=2', 'set-cookie', 'proviso_unit=y'],
  ]);
});
