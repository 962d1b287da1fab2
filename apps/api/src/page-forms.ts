import { gateNames, glassMinutesMax } from '@proviso/domain';
import { z } from 'zod';
import { digest, findingForm, ids, moment, pairing, reason } from './forms.ts';

const shortText = z.string().max(2_000);

const attempt = z.coerce.number().int().min(0).max(2_147_483_647);

/** A field of a form that holds JSON, as our own page wrote it. */
const findingText = z
  .string()
  .max(1_000)
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'expected a finding as the page named it' });
      return z.NEVER;
    }
  })
  .pipe(findingForm);

const key = z.string().regex(/^[0-9a-f-]{36}$/);

const nothing = z.literal('').transform(() => undefined);

/** What every form of a decision sends: who sent it from where, a key that makes it one, and why. */
const sentOnce = {
  form: shortText,
  key,
  // An empty field is sent, and says nothing.
  reason: z.union([
    nothing,
    z
      .string()
      .transform((text) => text.replaceAll('\r\n', '\n'))
      .pipe(reason),
  ]),
};

/** What pages' forms send: texts only. `form` proves that the page was ours; `key` makes a click that is sent twice one. */
export const forms = {
  empty: z.strictObject({ form: shortText }),
  token: z.strictObject({ token: shortText.trim(), to: shortText.default('/') }),
  pairing: z.strictObject({ form: shortText, ...pairing }),
  askGlass: z.strictObject({ ...sentOnce, minutes: z.coerce.number().int().min(1).max(glassMinutesMax) }),
  approveGlass: z.strictObject({ ...sentOnce, artifactDigest: digest }),
  reviewGlass: z.strictObject(sentOnce),
  comment: z.strictObject(sentOnce),
  defer: z.strictObject({ ...sentOnce, attempt, until: moment }),
  askWaiver: z.strictObject({
    ...sentOnce,
    gate: z.enum(gateNames),
    ...{ attempt, until: moment, finding: z.union([nothing, findingText]) },
  }),
  approveWaiver: z.strictObject({ ...sentOnce, waiver: ids.waiver }),
  delegate: z.strictObject({ ...sentOnce, person: ids.person, until: moment }),
  endDelegation: z.strictObject({ form: shortText, key, person: ids.person }),
  unlink: z.strictObject({ form: shortText, key, issuer: shortText, subject: digest }),
  linkAtProvider: z.strictObject({ form: shortText, key }),
  linkGitHub: z.strictObject({
    ...{ form: shortText, key },
    login: z
      .string()
      .trim()
      .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,38}$/, 'expected the name of an account at GitHub'),
  }),
  decide: z.strictObject({
    ...sentOnce,
    verdict: z.enum(['approve', 'reject', 'request_changes']),
    attempt,
    artifactDigest: digest,
    evidenceDigest: digest,
  }),
} as const;
