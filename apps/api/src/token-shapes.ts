import { scopes } from '@proviso/domain';
import { z } from 'zod';
import { digest, ids, time } from './forms.ts';

const tokenScopes = z.array(z.enum(scopes)).nullable().describe('null: whatever its person may');

/** A token as it is told of, never what it is. */
export const tokenShape = z.strictObject({
  id: ids.token,
  expiresAt: time,
  issuedBy: ids.person.nullable().describe('null: the deployment itself, at its founding'),
  scopes: tokenScopes,
  lastUsedOn: z.string().nullable().describe('the day, UTC'),
});

/** A token in the one answer that shows it. */
export const issuedTokenShape = z.strictObject({
  id: z.string(),
  token: z.string(),
  expiresAt: time,
  scopes: tokenScopes,
});

/** What a run of a pipeline gets. */
export const workloadTokenShape = z.strictObject({ token: z.string(), expiresAt: time });

/** Which runs are trusted. */
export const workloadShape = z.strictObject({
  service: ids.person.describe('whom its runs act as'),
  issuer: z.string(),
  audience: z.string(),
  repository: z.string(),
  ref: z.string(),
  workflow: z.string().nullable(),
  promotes: z.boolean().describe('whether they may also freeze and promote their own commit'),
});

/** Documents that somebody outside brought for a candidate. */
export const broughtShape = z
  .array(z.strictObject({ kind: z.string(), digest, by: ids.person }))
  .describe('what people and machines outside brought for it');

/** That such a document stands with a candidate. */
export const addedEvidenceShape = z.strictObject({
  candidate: ids.candidate,
  digest,
  receipt: z.enum(['recorded', 'replayed']),
});

/** What is held about a person, beside the person. */
export const personalValues = {
  name: z.string().nullable(),
  email: z.string().nullable(),
  texts: z.array(z.string()).describe('what they wrote as reasons'),
  truncated: z.boolean(),
};
