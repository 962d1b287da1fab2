import type { HomeView, KnownBlock, ModalView } from '@slack/types';

// Slack's published limits of Block Kit. What breaks one is refused there as `invalid_blocks`, so it is here.

const textMax = 3_000;
const messageTextMax = 40_000;
const messageBlocksMax = 50;
const viewBlocksMax = 100;

/** What is wrong with a message; empty: nothing. */
export function messageComplaints({
  text,
  blocks,
}: {
  text: string;
  blocks: readonly KnownBlock[];
}): readonly string[] {
  return [
    ...(text.length === 0 && blocks.length === 0 ? ['no_text'] : []),
    ...longer('text', text, messageTextMax),
    ...(blocks.length > messageBlocksMax ? [`${blocks.length} blocks`] : []),
    ...blocksComplaints(blocks),
  ];
}

/** What is wrong with a form or a home. */
export function viewComplaints(view: ModalView | HomeView): readonly string[] {
  const blocks = view.blocks as readonly KnownBlock[];
  const modal = view.type === 'modal' ? view : null;
  return [
    ...(modal === null ? [] : longer('title', modal.title.text, 24)),
    ...longer('submit', modal?.submit?.text ?? '', 24),
    ...longer('close', modal?.close?.text ?? '', 24),
    ...longer('private_metadata', view.private_metadata ?? '', 3_000),
    ...longer('callback_id', view.callback_id ?? '', 255),
    ...(blocks.some(({ type }) => type === 'input') && modal?.submit === undefined ? ['inputs without submit'] : []),
    ...(blocks.length === 0 || blocks.length > viewBlocksMax ? [`${blocks.length} blocks`] : []),
    ...blocksComplaints(blocks),
  ];
}

function blocksComplaints(blocks: readonly KnownBlock[]): readonly string[] {
  const named = blocks.flatMap(({ block_id }) => block_id ?? []);
  return [
    ...(new Set(named).size < named.length ? ['block_id twice'] : []),
    ...named.flatMap((name) => longer('block_id', name, 255)),
    ...blocks.flatMap(blockComplaints),
  ];
}

function blockComplaints(block: KnownBlock): readonly string[] {
  switch (block.type) {
    case 'header':
      return sized('header', block.text.text, 150);
    case 'section':
      return [
        ...sized('section', block.text?.text ?? '-', textMax),
        ...(block.accessory === undefined ? [] : elementComplaints(block.accessory)),
      ];
    case 'context':
      return [
        ...(block.elements.length > 10 || block.elements.length === 0 ? [`${block.elements.length} in a context`] : []),
        ...block.elements.flatMap((one) => ('text' in one ? sized('context', one.text, textMax) : [])),
      ];
    case 'actions': {
      const names = block.elements.flatMap((one) => ('action_id' in one ? (one.action_id ?? []) : []));
      return [
        ...(block.elements.length > 25 || block.elements.length === 0 ? [`${block.elements.length} actions`] : []),
        ...(new Set(names).size < names.length ? ['action_id twice'] : []),
        ...block.elements.flatMap(elementComplaints),
      ];
    }
    case 'input':
      return [...sized('label', block.label.text, 2_000), ...elementComplaints(block.element)];
    default:
      return [`a block of type ${block.type}, which nobody here makes`];
  }
}

function elementComplaints(element: object): readonly string[] {
  const {
    type,
    action_id: name = '',
    text,
    value = '',
    url = '',
    options,
    max_length: max = 0,
  } = element as {
    type: string;
    action_id?: string;
    text?: { text: string };
    value?: string;
    url?: string;
    options?: readonly unknown[];
    max_length?: number;
  };
  return [
    ...longer('action_id', name, 255),
    ...(type === 'button' ? sized('button', text?.text ?? '', 75) : []),
    ...longer('value', value, 2_000),
    ...longer('url', url, 3_000),
    ...(options !== undefined && (options.length === 0 || options.length > 100) ? [`${options.length} options`] : []),
    ...(max > 3_000 ? ['max_length beyond 3000'] : []),
  ];
}

function sized(what: string, text: string, max: number): readonly string[] {
  return text.length === 0 ? [`an empty ${what}`] : longer(what, text, max);
}

function longer(what: string, text: string, max: number): readonly string[] {
  return text.length > max ? [`${what} of ${text.length} letters, more than ${max}`] : [];
}
