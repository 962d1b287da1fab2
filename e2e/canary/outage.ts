import type { Route, Stage } from '../stage.ts';
import { type Link, openLink } from './link.ts';

/** What is taken away. `counts`: the worker's way to the edge's counters, while the edge serves on. */
export const victims = ['temporal', 'worker', 'api', 'postgres', 'counts'] as const;
/** One of them. */
export type VictimName = (typeof victims)[number];

/** How: stopped where it stands, ended, or cut off from all others. */
export const manners = ['frozen', 'killed', 'parted'] as const;
/** One of them. */
export type MannerName = (typeof manners)[number];

/** One thing that is taken away in one way. */
export interface Outage {
  readonly victim: VictimName;
  readonly manner: MannerName;
}

/** Links on every way of a stage. */
export interface Links {
  readonly reroute: (route: Route, port: number) => Promise<number>;
  readonly between: (route: Route) => Link;
  readonly close: () => Promise<void>;
}

/** Opens them as the stage asks for them. */
export function openLinks(): Links {
  const links = new Map<Route, Link>();
  return {
    reroute: async (route, port) => {
      const link = await openLink(port);
      links.set(route, link);
      return link.port;
    },
    between: (route) => {
      const link = links.get(route);
      if (link === undefined) throw new Error(`expected a link from ${route}, got none`);
      return link;
    },
    close: async () => {
      for (const link of links.values()) await link.close();
    },
  };
}

/** All ways from and to a victim. */
const waysOf: Readonly<Record<VictimName, readonly Route[]>> = {
  temporal: ['worker to temporal'],
  worker: ['worker to postgres', 'worker to temporal', 'worker to edge'],
  api: ['api to postgres', 'edge to api'],
  postgres: ['api to postgres', 'worker to postgres'],
  counts: ['worker to edge'],
};

/** Begins an outage; what it gives ends it. */
export async function begin(stage: Stage, links: Links, { victim, manner }: Outage): Promise<() => Promise<void>> {
  const become = (standing: Parameters<Link['become']>[0]): void => {
    for (const route of waysOf[victim]) links.between(route).become(standing);
  };
  // The counters are a part of the edge: for who asks, one that is stopped or gone is one that is silent or refuses.
  if (manner === 'parted' || victim === 'counts') {
    become(manner === 'killed' ? 'refusing' : 'silent');
    return async () => become('open');
  }
  const part = stage.parts[victim];
  // A server's work is done by its children.
  const how = { withChildren: victim === 'postgres' };
  if (manner === 'frozen') {
    part.freeze(how);
    return async () => part.thaw();
  }
  await part.kill(how);
  return async () => await part.start();
}
