import type { Conversation } from './upstream.ts';

/** What outlives its requests at one release: it is waited for at a drain, and told when the wait is over. */
export interface Conversations {
  readonly join: (conversation: Conversation) => () => void;
  /** Settles when none is left. */
  readonly over: () => Promise<void>;
  readonly leave: () => void;
}

/** Begins with none. */
export function openConversations(): Conversations {
  const open = new Set<Conversation>();
  let whenEmpty: (() => void) | null = null;
  return {
    join: (conversation) => {
      open.add(conversation);
      return () => {
        open.delete(conversation);
        if (open.size === 0) whenEmpty?.();
      };
    },
    over: async () => {
      if (open.size === 0) return;
      await new Promise<void>((resolve) => {
        whenEmpty = resolve;
      });
    },
    leave: () => {
      for (const conversation of open) conversation.leave();
    },
  };
}
