import { type AnswerFlow, type AnswerListener } from '@proviso/targets';
import { Veil } from './veil.ts';

const value = 'Amethyst-2291-Heron';
const flow = { pause: () => undefined, resume: () => undefined, abort: () => undefined } as unknown as AnswerFlow;

/** Everything that got through, as one text. */
function heard(): { listener: AnswerListener; text: () => string; headers: () => unknown } {
  let text = '';
  let kept: unknown = null;
  const listener: AnswerListener = {
    onRequestStart: () => undefined,
    onResponseStart: (_flow, _status, headers) => {
      kept = headers;
    },
    onResponseData: (_flow, part) => {
      text += part.toString();
    },
    onResponseEnd: () => {
      text += '|end';
    },
    onResponseError: () => undefined,
    onRequestUpgrade: () => undefined,
  };
  return { listener, text: () => text, headers: () => kept };
}

test('a gate never sees a secret, wherever an answer is cut', () => {
  const body = `before ${value} between ${value}`;
  for (let at = 0; at <= body.length; at += 1) {
    const { listener, text } = heard();
    const veil = new Veil(listener, [Buffer.from(value)]);
    for (const part of [body.slice(0, at), body.slice(at)]) veil.onResponseData(flow, Buffer.from(part));
    veil.onResponseEnd(flow);
    const stars = '*'.repeat(value.length);
    expect(text()).toBe(`before ${stars} between ${stars}|end`);
  }
});

test('nor in the head of an answer', () => {
  const { listener, headers } = heard();
  new Veil(listener, [Buffer.from(value)]).onResponseStart(flow, 500, { 'x-error': `bad ${value}`, 'x-list': [value] });
  expect(JSON.stringify(headers())).not.toContain(value);
});
