import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { secretText, signedHeaders } from './signature.ts';

const body = JSON.stringify({ specversion: '1.0', data: { name: 'Größe „x“ 𝄞' } });
const message = { id: 'evt_1', body };

describe('a receiver with the published library', () => {
  const [secret, older] = [secretText(randomBytes(32)), secretText(randomBytes(32))];

  it('takes what we sign', () => {
    const headers = signedHeaders(message, { secrets: [secret], now: Date.now() });
    expect(new Webhook(secret).verify(body, { ...headers })).toEqual(JSON.parse(body));
  });

  it('takes it under either secret while one is being replaced', () => {
    const headers = signedHeaders(message, { secrets: [secret, older], now: Date.now() });
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
    for (const one of [secret, older]) expect(() => new Webhook(one).verify(body, { ...headers })).not.toThrow();
  });

  it.each([
    ['another secret', secretText(randomBytes(32)), body, Date.now(), 'No matching signature'],
    ['another body', secret, `${body} `, Date.now(), 'No matching signature'],
    ['a try of an hour ago', secret, body, Date.now() - 3_600_000, 'timestamp too old'],
  ])('refuses %s', (_what, held, got, now, why) => {
    const headers = signedHeaders(message, { secrets: [secret], now });
    expect(() => new Webhook(held).verify(got, { ...headers })).toThrow(why);
  });
});
