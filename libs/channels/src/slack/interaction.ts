import { type SlackAction, slackActions } from './button.ts';

/** Somebody in Slack, by ids alone: names and addresses there are what people make them. */
export interface Member {
  /** Their own team; of a guest from another company that company's. */
  readonly team: string;
  readonly user: string;
}

/** What somebody did in Slack, as far as we understand any of it. */
export type Interaction =
  | {
      readonly kind: 'press';
      readonly member: Member;
      readonly action: SlackAction;
      readonly value: string;
      /** Of this very press: sent again it is the same. */
      readonly pressId: string;
      readonly triggerId: string;
      readonly responseUrl: string;
    }
  | {
      readonly kind: 'submit';
      readonly member: Member;
      readonly form: string;
      readonly viewId: string;
      /** What the form was opened about. */
      readonly about: string;
      readonly fields: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'command'; readonly member: Member; readonly words: readonly string[]; readonly commandId: string }
  | { readonly kind: 'home'; readonly member: Member }
  /** Slack asks whether this address is ours, when somebody sets it up. */
  | { readonly kind: 'challenge'; readonly challenge: string }
  /** Nothing of ours, such as the end of a form that somebody closed. */
  | { readonly kind: 'other' };

/** Longer than anything Slack sends in one field. */
const textMax = 4_000;

/** Reads what came over HTTP, after its signature was found good; null for what has none of the known forms. */
export function interactionIn(body: string, isForm: boolean): Interaction | null {
  if (!isForm) return fromEnvelope(parsed(body));
  const form = new URLSearchParams(body);
  const payload = form.get('payload');
  return payload === null ? fromCommand(Object.fromEntries(form)) : fromPayload(parsed(payload));
}

/** Reads what came over Socket Mode, where the connection itself is the proof. */
export function interactionInSocket(type: string, body: unknown): Interaction | null {
  if (type === 'slash_commands') return fromCommand(body);
  return type === 'interactive' ? fromPayload(body) : fromEnvelope(body);
}

function fromEnvelope(body: unknown): Interaction | null {
  const type = textAt(body, 'type');
  if (type === 'url_verification') return { kind: 'challenge', challenge: textAt(body, 'challenge') ?? '' };
  if (type !== 'event_callback') return null;
  if (textAt(body, 'event', 'type') !== 'app_home_opened' || textAt(body, 'event', 'tab') === 'messages')
    return { kind: 'other' };
  const member = memberOf(textAt(body, 'team_id'), textAt(body, 'event', 'user'));
  return member === null ? null : { kind: 'home', member };
}

function fromCommand(body: unknown): Interaction | null {
  const member = memberOf(textAt(body, 'team_id'), textAt(body, 'user_id'));
  const commandId = textAt(body, 'trigger_id');
  if (member === null || commandId === null || textAt(body, 'command') === null) return null;
  const words = (textAt(body, 'text') ?? '').split(/\s+/).filter((word) => word !== '');
  return { kind: 'command', member, words, commandId };
}

function fromPayload(body: unknown): Interaction | null {
  // The team of whoever pressed, and not the one where it was pressed: in a shared channel they differ.
  const member = memberOf(textAt(body, 'user', 'team_id') ?? textAt(body, 'team', 'id'), textAt(body, 'user', 'id'));
  if (member === null) return null;
  switch (textAt(body, 'type')) {
    case 'block_actions':
      return pressIn(body, member);
    case 'view_submission':
      return submissionIn(body, member);
    case null:
      return null;
    default:
      return { kind: 'other' };
  }
}

function pressIn(body: unknown, member: Member): Interaction | null {
  const [named, value, at] = ['action_id', 'value', 'action_ts'].map((name) => textAt(body, 'actions', 0, name));
  const action = slackActions.find((one) => one === named);
  if (action === undefined || action === 'open') return { kind: 'other' };
  const [triggerId, responseUrl] = [textAt(body, 'trigger_id'), textAt(body, 'response_url')];
  if (value == null || at == null || triggerId === null || responseUrl === null) return null;
  return { kind: 'press', member, action, value, pressId: at, triggerId, responseUrl };
}

function submissionIn(body: unknown, member: Member): Interaction | null {
  const [form, viewId, about] = ['callback_id', 'id', 'private_metadata'].map((name) => textAt(body, 'view', name));
  if (form == null || viewId == null || about == null) return null;
  const values = at(body, 'view', 'state', 'values');
  const inputs = typeof values === 'object' && values !== null ? Object.entries(values) : [];
  const fields = inputs.map(([block, inside]): [string, string] => [block, fieldIn(inside)]);
  return { kind: 'submit', member, form, viewId, about, fields: Object.fromEntries(fields) };
}

/** Each of our inputs has one element, whose name is that of the block. */
function fieldIn(inside: unknown): string {
  const [element] = typeof inside === 'object' && inside !== null ? Object.values(inside) : [];
  return (
    textAt(element, 'value') ?? textAt(element, 'selected_option', 'value') ?? textAt(element, 'selected_user') ?? ''
  );
}

function memberOf(team: string | null, user: string | null): Member | null {
  if (team === null || user === null) return null;
  return /^[TE][A-Z0-9]{1,30}$/.test(team) && /^[UW][A-Z0-9]{1,30}$/.test(user) ? { team, user } : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function at(body: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce((inside, step) => {
    const has = typeof inside === 'object' && inside !== null && Object.hasOwn(inside, step);
    return has ? Reflect.get(inside, step) : undefined;
  }, body);
}

function textAt(body: unknown, ...path: readonly (string | number)[]): string | null {
  const found = at(body, ...path);
  return typeof found === 'string' && found.length <= textMax ? found : null;
}
