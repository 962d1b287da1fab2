import {
  type FrozenCandidate,
  freezeCandidate,
  openPromotion,
  type Promotion,
  readStanding,
  type Standing,
} from '@proviso/client';
import { isId } from '@proviso/domain';
import type { Api } from './api.ts';
import { apiOfRun } from './pipeline-run.ts';
import { type ProfileFlags, addressOf } from './profile.ts';
import type { Session } from './session.ts';
import { Trouble } from './trouble.ts';

/** Its token lasts fifteen minutes; what is asked after this is asked with another one. */
const TOKEN_USED_MS = 10 * 60_000;

/** Enough of a commit's id to be told from its neighbours, where nobody names the version. */
const COMMIT_SHOWN_LENGTH = 12;

/** By which a command acts as a run of a pipeline. */
export interface RunFlags extends ProfileFlags {
  /** Where the pipeline is trusted; without it there is no run. */
  readonly workspace?: string;
  readonly audience?: string;
  readonly prototype?: string;
}

/** What a run wants to put on its way: its own commit. */
export interface CommitOrder {
  readonly repository: string | undefined;
  readonly commit: string | undefined;
  readonly version: string | undefined;
  readonly policy: string;
}

/** A run of a pipeline as it promotes and waits. */
export interface Run {
  readonly promote: (
    order: CommitOrder,
  ) => Promise<{ readonly promotion: Promotion; readonly frozen: FrozenCandidate }>;
  readonly standing: (promotion: string) => Promise<Standing>;
}

/** Opens a run; nothing is asked yet. Its token is asked for anew before it ends, for as long as the run lasts. */
export function openRun(session: Session, prototype: string | undefined, flags: RunFlags): Run {
  const { config, interruption } = session;
  const { workspace = '', audience = 'proviso' } = flags;
  if (prototype === undefined || !isId('pro', prototype)) throw noId('a prototype (pro_…)', prototype);
  const order = { workspace, prototype, audience, pipeline: config.pipeline, signal: interruption.signal };
  let held: { readonly api: Api; readonly endsMs: number } | null = null;
  const api = async (): Promise<Api> => {
    if (held === null || performance.now() > held.endsMs) {
      const given = await apiOfRun({ ...order, url: addressOf(flags, config) });
      held = { api: given, endsMs: performance.now() + TOKEN_USED_MS };
    }
    return held.api;
  };
  return {
    promote: async (wanted) => await promoteCommit(await api(), prototype, wanted),
    standing: async (id) => {
      const asked = await api();
      return await asked.read((options) => readStanding({ ...options, path: { id } }));
    },
  };
}

async function promoteCommit(api: Api, prototype: string, { repository: full, commit, version, policy }: CommitOrder) {
  const [owner, repository, more] = full?.split('/') ?? [];
  if (!owner || !repository || more !== undefined || commit === undefined)
    throw new Trouble('expected --repository owner/name and --commit of this run, got something else');
  if (!isId('pol', policy)) throw noId('a policy (pol_…)', policy);
  const body = { version: version ?? commit.slice(0, COMMIT_SHOWN_LENGTH), github: { owner, repository, commit } };
  const frozen = await api.write((options) => freezeCandidate({ ...options, path: { id: prototype }, body }));
  const wanted = { prototype, candidate: frozen.candidate.id, policy };
  const promotion = await api.write((options) => openPromotion({ ...options, body: wanted }));
  return { promotion, frozen };
}

function noId(of: string, got: string | undefined): Trouble {
  return new Trouble(`expected the id of ${of}, since a run reads no names, got ${got ?? 'none'}`);
}
