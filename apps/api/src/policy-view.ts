import { type PolicyEvent, type ReplayedEnd, type TriedVote, missingWords, versionInForce } from '@proviso/domain';
import type { EntryView, PolicyView } from '@proviso/journal';

/** A policy as shown: the version that promotions open with now. `source` only where it was asked for. */
export function policyView({ state, revision }: PolicyView, { source, now }: { source: string | null; now: number }) {
  const { id, name, proposed } = state;
  const { version, digest, author, until, policy } = versionInForce(state, now);
  return {
    ...{ id, name, version, digest, author },
    environment: policy.environment,
    gates: policy.gates.map((rule) => ({ ...rule })),
    until: timeOf(until),
    waiting:
      proposed === undefined
        ? null
        : {
            ...{ version: proposed.version, digest: proposed.digest, author: proposed.author },
            until: timeOf(proposed.until),
          },
    source,
    revision,
  };
}

type Told = { readonly entry: EntryView; readonly event: PolicyEvent };

/** The versions that the entries of a policy tell of, newest first; each with what its edit did and whether it was agreed to. */
export function versionsView(entries: readonly EntryView[], reasons: Readonly<Record<number, string>>) {
  const told = entries.map((entry): Told => ({ entry, event: eventOf(entry) }));
  const agreed = new Set(told.flatMap(({ event }) => (event.kind === 'policy_agreed' ? [event.version] : [])));
  return told
    .flatMap(({ entry, event }) => {
      if (event.kind === 'policy_agreed') return [];
      const { kind, version, digest, author, until, edits = [] } = event;
      return [
        {
          ...{ version, digest, author },
          at: new Date(entry.at).toISOString(),
          edits: edits.map((edit) => ({ ...edit })),
          until: timeOf(until),
          agreed: kind === 'policy_published' || agreed.has(version),
          reason: reasons[entry.id] ?? null,
          source: null,
        },
      ];
    })
    .toReversed();
}

/** What a tried vote came to, flat: a surface shows the rule or the requirements. */
export function triedVoteView(tried: TriedVote) {
  if (tried.kind === 'refused') {
    const { code, message, rule = null } = tried.refusal;
    return { allowed: false, code, rule, message, fills: [], met: false, missing: null };
  }
  const { fills, tally } = tried;
  const missing = tally.met ? null : missingWords(tally);
  return { allowed: true, code: null, rule: null, message: null, fills: [...fills], met: tally.met, missing };
}

/** How far a promotion came or would come. */
export function endView(end: ReplayedEnd) {
  return end.admitted ? { admitted: true, gate: null, why: null } : { ...end };
}

/** The entry's own bytes, told as the event they were made from. */
function eventOf({ kind, bytes }: EntryView): PolicyEvent {
  const { body } = JSON.parse(bytes) as { body: object };
  return { kind, ...body } as PolicyEvent;
}

function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
