import { z } from 'zod';
import { digest, ids, time } from './forms.ts';

const finding = z.strictObject({ code: z.string(), file: z.string().optional(), line: z.int().optional() });

/** What a gate shows of the asking and of what was let through by people: as fields, since both stand in the gate itself. */
export function gateExceptionFields<Person extends z.ZodType>(person: Person) {
  return {
    reminded: z.int().describe('how many reminders were given'),
    escalatedTo: z.string().nullable(),
    deferred: z.strictObject({ by: person, until: time, at: time }).nullable(),
    waivers: z.array(
      z.strictObject({
        id: ids.waiver,
        attempt: z.int(),
        finding: finding.nullable().describe('null: the whole gate'),
        owner: person,
        askedBy: person,
        approvedBy: person.nullable(),
        until: time,
        endedAt: time.nullable(),
      }),
    ),
  };
}

/** A promotion's newest emergency, as answered. */
export function breakGlassShape<Person extends z.ZodType>(person: Person) {
  return z
    .strictObject({
      askedBy: person,
      approvedBy: z.array(person),
      artifactDigest: digest,
      until: time,
      brokenAt: time.nullable(),
      usedAt: time.nullable(),
      endedAt: time.nullable(),
      reviewDue: z.boolean(),
    })
    .nullable();
}

/** A right to vote that somebody else gave to a person. */
export const delegationShape = z.strictObject({
  from: ids.person,
  until: time,
  prototype: ids.prototype.nullable(),
  environment: z.string().nullable(),
});
