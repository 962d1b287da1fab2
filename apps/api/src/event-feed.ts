import type { PersonId, WorkspaceId } from '@proviso/domain';
import type { EntryView, Journal } from '@proviso/journal';
import { Problem } from './problem.ts';

/** How late an event may be seen; one read per workspace in this time, however many people look. */
const pollMs = 500;

/** Entries of one read; a burst takes several. */
const batchMax = 500;

/** Open consoles of one team; each holds a socket and a little memory. */
const followersMax = 200;

/** Windows of one person; more would only keep others out. */
const followersOfOneMax = 20;

/** Someone who follows a workspace from a position on. */
export interface Follower {
  readonly person: PersonId;
  /** Takes entries in order. False: it cannot keep up, or has gone, and is dropped. */
  readonly take: (entries: readonly EntryView[]) => boolean;
  /** The server is stopping: the stream ends whole, and its reader comes back with the last id it saw. */
  readonly end: () => void;
}

/** Live entries of all workspaces, read once for all who follow. */
export interface EventFeed {
  /** Delivers every entry after the position exactly once, until the answer is called. */
  readonly follow: (workspace: WorkspaceId, after: number, follower: Follower) => () => void;
  readonly close: () => void;
}

interface Followed {
  /** Each follower with the last position it was given. */
  readonly followers: Map<Follower, number>;
  timer: NodeJS.Timeout | null;
  reading: boolean;
}

/**
 * Reads from the slowest follower's position, so that one who comes back after an hour and one who is up to date are
 * served by the same lines. Nothing is kept here: if we die, clients come back with the last id they saw.
 */
export function openEventFeed(journal: Journal, onError: (error: unknown) => void): EventFeed {
  const workspaces = new Map<WorkspaceId, Followed>();
  const leave = (workspace: WorkspaceId, followed: Followed, follower: Follower): void => {
    followed.followers.delete(follower);
    if (followed.followers.size > 0) return;
    if (followed.timer !== null) clearInterval(followed.timer);
    workspaces.delete(workspace);
  };
  const look = async (workspace: WorkspaceId, followed: Followed): Promise<void> => {
    if (followed.reading || followed.followers.size === 0) return;
    followed.reading = true;
    try {
      let full = true;
      while (full && followed.followers.size > 0) {
        const after = Math.min(...followed.followers.values());
        const entries = await journal.reads(workspace).events({ after, limit: batchMax });
        for (const follower of deliver(followed, entries)) leave(workspace, followed, follower);
        full = entries.length === batchMax;
      }
    } catch (error) {
      onError(error);
    } finally {
      followed.reading = false;
    }
  };
  return {
    follow: (workspace, after, follower) => {
      const followed = workspaces.get(workspace) ?? {
        followers: new Map<Follower, number>(),
        timer: null,
        reading: false,
      };
      const own = [...followed.followers.keys()].filter(({ person }) => person === follower.person).length;
      if (followed.followers.size >= followersMax || own >= followersOfOneMax) {
        const message = `expected at most ${followersMax} followers, and ${followersOfOneMax} of one person`;
        throw new Problem('too_many_readers', message, { retryAfterSeconds: 30 });
      }
      workspaces.set(workspace, followed);
      followed.followers.set(follower, after);
      followed.timer ??= setInterval(() => void look(workspace, followed), pollMs);
      void look(workspace, followed);
      return () => leave(workspace, followed, follower);
    },
    close: () => {
      for (const followed of workspaces.values()) {
        if (followed.timer !== null) clearInterval(followed.timer);
        for (const follower of followed.followers.keys()) follower.end();
        followed.followers.clear();
      }
      workspaces.clear();
    },
  };
}

/** Gives each follower what it has not had; answers those that must go. */
function deliver(followed: Followed, entries: readonly EntryView[]): readonly Follower[] {
  const gone: Follower[] = [];
  for (const [follower, seen] of followed.followers) {
    const fresh = entries.filter((entry) => (entry.position ?? -1) > seen);
    const last = fresh.at(-1)?.position ?? seen;
    followed.followers.set(follower, last);
    if (fresh.length > 0 && !follower.take(fresh)) gone.push(follower);
  }
  return gone;
}
