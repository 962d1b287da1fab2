import type { ExitCode } from '../exit-code.ts';
import { exitCodes } from '../exit-code.ts';
import { follow, isOverOrStuck } from '../follow.ts';
import { promoteFolder } from '../promoting.ts';
import type { Session } from '../session.ts';
import { facts, short } from '../table.ts';
import { announcer, finish } from './watch.ts';

/** Flags of `promote`. */
export interface PromoteFlags {
  readonly policy: string;
  readonly prototype?: string;
  /** Without one a folder is named by its content. */
  readonly version?: string;
  readonly wait?: boolean;
}

/** Uploads a folder and opens a promotion; with --wait it follows until it has ended or needs a new version. */
export async function promote(session: Session, folder: string, flags: PromoteFlags): Promise<ExitCode> {
  const api = session.api();
  session.progress.now(`packing ${folder}`);
  const { promotion, prototype, frozen } = await promoteFolder(
    api,
    {
      folder,
      policy: flags.policy,
      version: flags.version,
      ...(flags.prototype !== undefined && { prototype: flags.prototype }),
    },
    session.progress.say,
  );
  session.progress.done();
  if (flags.wait === true) {
    session.progress.say(`opened ${promotion.id}`);
    const last = await follow(api, promotion.id, {
      until: isOverOrStuck,
      look: announcer(session),
      signal: session.interruption.signal,
    });
    return finish(session, last);
  }
  if (session.json) session.print(JSON.stringify({ ...promotion, created: frozen.created }));
  else {
    session.print(
      facts([
        ['opened', promotion.id],
        [
          'prototype',
          `${prototype.name}${prototype.trusted ? '' : ' (not trusted to run yet: an operator must say so)'}`,
        ],
        ['candidate', `${frozen.candidate.version}, artifact ${short(frozen.candidate.artifactDigest)}`],
        ['next', `proviso watch ${promotion.id}`],
      ]),
    );
  }
  return exitCodes.ok;
}
