import type { ExitCode } from '../exit-code.ts';
import { exitCodes } from '../exit-code.ts';
import { follow, isOverOrStuck } from '../follow.ts';
import { promoteFolder } from '../promoting.ts';
import { readPromotion } from '../reading.ts';
import { type RunFlags, openRun } from '../run-promoting.ts';
import type { Session } from '../session.ts';
import { facts, short } from '../table.ts';
import { announcer, finish } from './watch.ts';

/** Flags of `promote`. */
export interface PromoteFlags extends RunFlags {
  readonly policy: string;
  /** Of a run: the repository, and which commit of it. */
  readonly repository?: string;
  readonly commit?: string;
  /** Without one a folder is named by its content. */
  readonly version?: string;
  readonly wait?: boolean;
}

/** Uploads a folder and opens a promotion; with --wait it follows until it has ended or needs a new version. */
export async function promote(session: Session, folder: string, flags: PromoteFlags): Promise<ExitCode> {
  if (flags.workspace !== undefined) return promoteInRun(session, flags);
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
    const last = await follow(() => readPromotion(api, promotion.id), {
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

/** Freezes the commit of this very run and opens a promotion of it, in the run's own name. */
async function promoteInRun(session: Session, flags: PromoteFlags): Promise<ExitCode> {
  const { policy, repository, commit, version } = flags;
  const run = openRun(session, flags.prototype, flags);
  const { promotion, frozen } = await run.promote({ policy, repository, commit, version });
  const { id } = promotion;
  if (flags.wait === true) {
    session.progress.say(`opened ${id}`);
    const until = { until: isOverOrStuck, look: announcer(session), signal: session.interruption.signal };
    return finish(session, await follow(() => run.standing(id), until));
  }
  // What a run prints lies in its log for everybody who may read that: no more than where it stands.
  const told = { ...(await run.standing(id)), created: frozen.created };
  session.print(session.json ? JSON.stringify(told) : `opened ${id}: ${told.url}`);
  return exitCodes.ok;
}
