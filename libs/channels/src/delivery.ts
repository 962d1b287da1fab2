import { createHash } from 'node:crypto';
import type { Prompt, PromotionId } from '@proviso/domain';
import type { Bulletin } from './bulletin.ts';
import type { FollowerPorts } from './follower.ts';
import { type Outlet, OutletFailure } from './outlet.ts';

/** Copies brought up to date at once; most outlets slow down whoever asks for more. */
const atOnceMax = 8;

/** The first pause after a failure and the longest: an outlet that is back is noticed within this. */
const firstPauseMs = 250;
const pauseMsMax = 2_000;

/** What an operator has to mend is asked for now and then. */
const mendMs = 60_000;

/** A call that was cut off may still arrive over there; before that nobody looks whether it did. */
const settleMs = 1_000;

/** Brings copies up to date. */
export interface Delivery {
  /** One turn; true: there may be more to do at once. */
  readonly turn: (epoch: number) => Promise<boolean>;
}

type Ports<Message extends object> = Pick<FollowerPorts<Message>, 'register' | 'bulletin' | 'outlet' | 'now' | 'note'>;

/** Opens the delivery of one channel. What it remembers is only when the outlet wants to be left alone. */
export function openDelivery<Message extends object>(ports: Ports<Message>): Delivery {
  let quietUntil = 0;
  return {
    turn: async (epoch) => {
      if (ports.now() < quietUntil) return false;
      const due = await ports.register.due(atOnceMax);
      const bulletins = once(ports.bulletin);
      await allOf(
        due.map(async (prompt) => {
          try {
            await deliver({ ...ports, bulletin: bulletins }, epoch, prompt);
          } catch (error) {
            if (!(error instanceof OutletFailure)) throw error;
            if (error.more.retryAfterMs !== undefined) quietUntil = ports.now() + error.more.retryAfterMs;
            await putOff(ports, { epoch, prompt, failure: error });
          }
        }),
      );
      return due.length === atOnceMax;
    },
  };
}

/** Ends with the last of them, whatever broke: a copy that is still being posted must not come up in the next turn. */
async function allOf(works: readonly Promise<void>[]): Promise<void> {
  const ends = await Promise.allSettled(works);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** Copies of one promotion say the same, so it is read once for all of them. */
function once(read: FollowerPorts['bulletin']): FollowerPorts['bulletin'] {
  const known = new Map<PromotionId, Promise<Bulletin | null>>();
  return async (promotion) => {
    const found = known.get(promotion) ?? read(promotion);
    known.set(promotion, found);
    return await found;
  };
}

async function deliver<Message extends object>(ports: Ports<Message>, epoch: number, prompt: Prompt): Promise<void> {
  // Also before it is called moot: what was cut off may stand over there, and would stay as it is for ever.
  const known = prompt.address ?? (await lost(ports, prompt));
  const bulletin = await ports.bulletin(prompt.promotion);
  const message = bulletin === null ? null : ports.outlet.draw(prompt, bulletin);
  if (bulletin === null || message === null) return await moot(ports, epoch, { prompt, bulletin, known });
  const drawn = createHash('sha256').update(JSON.stringify(message)).digest('hex');
  if (known === null && !(await ports.register.begin(epoch, prompt.key))) return;
  const address = await stand(ports.outlet, { prompt, known, message, isSame: drawn === prompt.drawn });
  if (await ports.register.settle(epoch, shownOf({ prompt, bulletin, address, drawn }))) return;
  await yieldTo(ports, prompt, address);
}

/** There is nothing to be said any more. What was said already, such as a reminder, stays: it was true when it was said. */
async function moot<Message extends object>(
  { register }: Ports<Message>,
  epoch: number,
  { prompt, bulletin, known }: { prompt: Prompt; bulletin: Bulletin | null; known: string | null },
): Promise<void> {
  if (bulletin !== null && known !== null) {
    const shown = shownOf({ prompt, bulletin, address: known, drawn: prompt.drawn ?? '' });
    if (await register.settle(epoch, shown)) return;
  }
  await register.putOff(epoch, { key: prompt.key, forMs: 0, givenUp: 'nothing_to_say', isCertain: true });
}

/** We were frozen while somebody else took the lead: what we posted stands twice, or we have written over what they drew. */
async function yieldTo<Message extends object>({ register, outlet }: Ports<Message>, prompt: Prompt, address: string) {
  const theirs = await register.disturb(prompt.key, address);
  if (theirs !== address) await outlet.withdraw({ conversation: prompt.conversation, address });
}

/** The address of a message whose posting was cut off; null: it was never begun, or never arrived. */
async function lost<Message extends object>(
  { outlet, now }: Ports<Message>,
  { conversation, threadAddress, token, postingSince }: Prompt,
) {
  if (postingSince === null) return null;
  if (now() - postingSince < settleMs) throw new OutletFailure('unsettled', { uncertain: true });
  return await outlet.find({ conversation, thread: threadAddress, token }, postingSince);
}

interface Copy<Message> {
  readonly prompt: Prompt;
  readonly known: string | null;
  readonly message: Message;
  readonly isSame: boolean;
}

async function stand<Message extends object>(
  outlet: Outlet<Message>,
  { prompt, known, message, isSame }: Copy<Message>,
): Promise<string> {
  const { conversation, threadAddress: thread, token } = prompt;
  if (known === null) return await outlet.post(message, { conversation, thread, token });
  if (!isSame) await outlet.update(message, { conversation, address: known });
  return known;
}

function shownOf(copy: { prompt: Prompt; bulletin: Bulletin; address: string; drawn: string }) {
  const { prompt, bulletin, address, drawn } = copy;
  const { revision, ended: final } = bulletin;
  return { key: prompt.key, address, shown: prompt.wanted, revision, drawn, final };
}

async function putOff(
  ports: Pick<FollowerPorts, 'register' | 'note'>,
  { epoch, prompt, failure }: { epoch: number; prompt: Prompt; failure: OutletFailure },
): Promise<void> {
  const { code, more } = failure;
  const forMs = more.retryAfterMs ?? (isForOperators(code) ? mendMs : pauseAfter(prompt.tries));
  const givenUp = more.permanent === true ? code : null;
  if (prompt.tries === 0 || givenUp !== null)
    ports.note(givenUp === null ? 'prompt.put_off' : 'prompt.given_up', { promotion: prompt.promotion, code });
  const isCertain = more.uncertain !== true && prompt.postingSince === null;
  await ports.register.putOff(epoch, { key: prompt.key, forMs, givenUp, isCertain });
}

function pauseAfter(tries: number): number {
  return Math.min(pauseMsMax, firstPauseMs * 2 ** Math.min(tries, 10));
}

/** Somebody has to invite the app, to mend its credentials, or to open a pull request. */
function isForOperators(code: string): boolean {
  return forOperators.includes(code);
}

const forOperators: readonly string[] = [
  ...['not_in_channel', 'invalid_auth', 'missing_scope', 'account_inactive', 'token_revoked'],
  ...['not_installed', 'bad_credentials', 'not_permitted', 'no_pull_request'],
];
