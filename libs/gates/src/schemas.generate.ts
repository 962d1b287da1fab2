import { contractSchema, policySchema } from '@proviso/domain';

// The JSON Schemas that editors use for proviso.yaml and for policies; domain itself has no way to write a file.
const documents = {
  'docs/schemas/proviso.schema.json': contractSchema(),
  'docs/schemas/policy.schema.json': policySchema(),
};
const files = Object.entries(documents).map(
  ([path, schema]) => [path, `${JSON.stringify(schema, null, 2)}\n`] as const,
);
process.stdout.write(JSON.stringify(Object.fromEntries(files)));
