import { createHmac, randomBytes } from 'node:crypto';
import { messageOf, TargetFailure } from './failure.ts';
import type { LaneConfiguration, LaneOrder, RunContract } from './protocol.ts';
import { readSecret, type SecretPlaces } from './secret-source.ts';

/** What a process gets beside its contract, and the values in it that nobody else may be told. */
export interface ReleaseEnvironment {
  readonly variables: Readonly<Record<string, string>>;
  readonly withheld: readonly string[];
}

/** Whose environment is asked for. */
export interface EnvironmentWish {
  readonly lane: string;
  readonly configuration: LaneConfiguration;
  readonly contract: RunContract;
}

/** A lane that nobody has configured, and an API that does not know of it yet. */
export const noConfiguration: LaneConfiguration = { revision: 0, variables: {}, secrets: {} };

/**
 * Reads the values at the start of a process: all variables of its lane, and of the secrets those that its contract
 * names. They are handed over and kept by nobody else; what is thrown names lanes and names only.
 */
export async function environmentOf(
  { lane, configuration, contract }: EnvironmentWish,
  { places, lanes }: { readonly places: SecretPlaces; readonly lanes: readonly LaneOrder[] },
): Promise<ReleaseEnvironment> {
  const { variables: plain, secrets } = configuration;
  const variables: Record<string, string> = { ...plain };
  const wanted: Record<string, string> = {};
  for (const { name, required } of contract.secrets ?? []) {
    // Never a plain value under a secret's name: everybody who may read the lane could read it.
    delete variables[name];
    const secret = secrets[name];
    if (secret !== undefined) wanted[name] = await readSecret(secret.reference, places).catch(namedAs(name));
    else if (required) throw new TargetFailure('secret_missing', `expected a value for ${name}, got none`, later);
  }
  const withheld = Object.values(wanted);
  if (withheld.length > 0) await refuseShared({ lane, configuration, wanted }, { places, lanes });
  return { variables: { ...variables, ...wanted }, withheld };
}

const later = { retryable: true } as const;

function namedAs(name: string): (error: unknown) => never {
  return (error) => {
    const code = error instanceof TargetFailure ? error.code : 'secret_unreadable';
    throw new TargetFailure(code, `${name}: ${messageOf(error)}`, later);
  };
}

interface Place {
  readonly host: string;
  readonly name: string;
}

/**
 * The same value in two lanes is refused to the lane that was given it later: whoever leaks staging must not have
 * production with it, and a binding elsewhere must not stop what ran before. The key lives as long as this comparison,
 * so a fingerprint says nothing to anybody else.
 */
async function refuseShared(
  own: { readonly lane: string; readonly configuration: LaneConfiguration; readonly wanted: Record<string, string> },
  { places, lanes }: { readonly places: SecretPlaces; readonly lanes: readonly LaneOrder[] },
): Promise<void> {
  const key = randomBytes(32);
  const fingerprintOf = (value: string): string => createHmac('sha256', key).update(value).digest('hex');
  const wanted = new Map(Object.entries(own.wanted).map(([name, value]) => [fingerprintOf(value), name]));
  const host = lanes.find(({ lane }) => lane === own.lane)?.hosts[0] ?? own.lane;
  for (const other of lanes) {
    if (other.lane === own.lane) continue;
    for (const [name, { reference, at }] of Object.entries(other.configuration?.secrets ?? {})) {
      // What cannot be read there is that lane's trouble, told when it starts.
      const value = await readSecret(reference, places).catch(() => null);
      const mine = value === null ? undefined : wanted.get(fingerprintOf(value));
      if (mine === undefined) continue;
      const since = own.configuration.secrets[mine]?.at ?? 0;
      const isLater = since > at || (since === at && own.lane > other.lane);
      if (isLater) throw shared({ host, name: mine }, { host: other.hosts[0] ?? other.lane, name });
    }
  }
}

function shared(own: Place, other: Place): TargetFailure {
  const message = `expected a value of its own for ${own.name} of ${own.host}, got that of ${other.name} of ${other.host}`;
  return new TargetFailure('secret_shared', message, later);
}
