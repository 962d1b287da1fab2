import type { Duplex } from 'node:stream';
import { type AnswerFlow, type AnswerHeaders, type AnswerListener, blank } from '@proviso/targets';

/**
 * Stands between a release and a gate: what a gate sees becomes evidence, so the secrets of the lane are blanked before.
 * Lengths stay, and so does everything else that a gate may judge.
 */
export class Veil implements AnswerListener {
  readonly #listener: AnswerListener;
  readonly #forms: readonly Buffer[];
  readonly #heldBytes: number;
  #held: Buffer = Buffer.alloc(0);

  constructor(listener: AnswerListener, forms: readonly Buffer[]) {
    this.#listener = listener;
    this.#forms = forms;
    this.#heldBytes = Math.max(0, ...forms.map((form) => form.length)) - 1;
  }

  onRequestStart(flow: AnswerFlow): void {
    this.#listener.onRequestStart(flow);
  }

  onResponseStart(flow: AnswerFlow, status: number, headers: AnswerHeaders): void {
    const veiled = Object.entries(headers).map(([name, value]) => [name, this.#veiled(value)]);
    this.#listener.onResponseStart(flow, status, Object.fromEntries(veiled));
  }

  onResponseData(flow: AnswerFlow, part: Buffer): void {
    // A value may be cut between two parts: as much as could be its beginning waits for the next one.
    const bytes = Buffer.concat([this.#held, part]);
    blank(bytes, this.#forms);
    const told = Math.max(0, bytes.length - this.#heldBytes);
    this.#held = bytes.subarray(told);
    if (told > 0) this.#listener.onResponseData(flow, bytes.subarray(0, told));
  }

  onResponseEnd(flow: AnswerFlow): void {
    if (this.#held.length > 0) this.#listener.onResponseData(flow, this.#held);
    this.#listener.onResponseEnd(flow);
  }

  onResponseError(flow: AnswerFlow, error: Error): void {
    this.#listener.onResponseError(flow, error);
  }

  onRequestUpgrade(flow: AnswerFlow, status: number, headers: AnswerHeaders, socket: Duplex): void {
    this.#listener.onRequestUpgrade(flow, status, headers, socket);
  }

  #veiled(value: AnswerHeaders[string]): AnswerHeaders[string] {
    if (value === undefined) return value;
    const one = (text: string): string => {
      const bytes = Buffer.from(text, 'latin1');
      blank(bytes, this.#forms);
      return bytes.toString('latin1');
    };
    return typeof value === 'string' ? one(value) : value.map(one);
  }
}
