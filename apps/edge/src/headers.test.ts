import { hostOf, responseHeadersOf, unitOf } from './headers.ts';

test.each([
  ['Helpdesk.Localhost:8080', 'helpdesk.localhost'],
  ['helpdesk.localhost.', 'helpdesk.localhost'],
  ['[::1]:80', '[::1]'],
  [undefined, ''],
])('the host of %s is %s', (header, expected) => {
  expect(hostOf(header)).toBe(expected);
});

test('a unit is a header first, then our cookie, and never something odd', () => {
  expect(unitOf({ 'x-proviso-unit': 'u1', cookie: 'proviso_unit=0123456789' })).toBe('header u1');
  expect(unitOf({ cookie: 'a=1; proviso_unit=0123456789; b=2' })).toBe('cookie 0123456789');
  expect(unitOf({ cookie: 'xproviso_unit=0123456789' })).toBeNull();
  expect(unitOf({ cookie: 'proviso_unit=short' })).toBeNull();
  expect(unitOf({ 'x-proviso-unit': 'x'.repeat(129) })).toBeNull();
});

test('an answer keeps its cookies, loses what belongs to the connection, and cannot choose its visitors', () => {
  const headers = {
    connection: 'close, x-hop',
    'x-hop': '1',
    'transfer-encoding': 'chunked',
    etag: 'e',
    'set-cookie': ['a=1', 'proviso_unit=x'],
  };
  expect(responseHeadersOf(headers, null)).toEqual({ etag: 'e', 'set-cookie': ['a=1'] });
});
