/** Every identifier is a short kind, an underscore and 32 hexadecimal digits of a UUID, so that a stray id names its noun. */
export type Id<Kind extends IdKind> = `${Kind}_${string}`;

/** The closed list of kinds; a new noun gets its prefix here and nowhere else. */
export const idKinds = [
  ...(['wsp', 'psn', 'tok', 'pro', 'cnd', 'pol', 'prm', 'lane', 'rel', 'dec', 'wvr', 'log', 'ses', 'whk'] as const),
] as const;

/** One of the prefixes above. */
export type IdKind = (typeof idKinds)[number];

/** A tenant. */
export type WorkspaceId = Id<'wsp'>;
/** A principal: a human, a service or an agent. */
export type PersonId = Id<'psn'>;
/** The thing that is being promoted. */
export type PrototypeId = Id<'pro'>;
/** One immutable version of a prototype. */
export type CandidateId = Id<'cnd'>;
/** A named, versioned list of gates. */
export type PolicyId = Id<'pol'>;
/** One candidate on its way into one environment. */
export type PromotionId = Id<'prm'>;
/** One prototype in one environment. */
export type LaneId = Id<'lane'>;
/** A candidate as placed in a lane by one promotion. */
export type ReleaseId = Id<'rel'>;
/** What one person said at a gate. */
export type DecisionId = Id<'dec'>;

/** One browser in which a person is signed in. */
export type SessionId = Id<'ses'>;
/** A risk that somebody owns for a time. */
export type WaiverId = Id<'wvr'>;

/** Somewhere outside that is told of events. */
export type WebhookId = Id<'whk'>;

/** `sha256:` and 64 hexadecimal digits: how every stored document is addressed. */
export type Digest = `sha256:${string}`;

/** Makes an id from a UUID that the caller drew; ids are arguments here, never drawn. */
export function idFrom<Kind extends IdKind>(kind: Kind, uuid: string): Id<Kind> {
  return `${kind}_${uuid.replaceAll('-', '').toLowerCase()}`;
}

/** The UUID inside an id, as the database stores it. */
export function uuidOf(id: string): string {
  const hex = id.slice(id.indexOf('_') + 1);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** True when a stranger's text is a well-formed id of this kind. */
export function isId<Kind extends IdKind>(kind: Kind, text: string): text is Id<Kind> {
  return text.startsWith(`${kind}_`) && /^[0-9a-f]{32}$/.test(text.slice(kind.length + 1));
}

/** True when a stranger's text is a well-formed digest. */
export function isDigest(text: string): text is Digest {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

/** A gate has no stream of its own: its public id is its promotion's digits and its name. */
export function gateIdOf(promotion: PromotionId, gate: string): string {
  return `gate_${promotion.slice('prm_'.length)}-${gate}`;
}

/** Splits a public gate id; null when it is not one. */
export function gateOf(gateId: string): { promotion: PromotionId; gate: string } | null {
  const found = /^gate_([0-9a-f]{32})-([a-z]+)$/.exec(gateId);
  return found ? { promotion: `prm_${found[1]}`, gate: found[2] ?? '' } : null;
}

/** A release is one promotion's placement, so its id is derived and a repeated placement is the same release. */
export function releaseIdOf(promotion: PromotionId): ReleaseId {
  return `rel_${promotion.slice('prm_'.length)}`;
}
