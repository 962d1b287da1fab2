import { z } from 'zod';

/** The schemas of answers by the name that the generated client gives them. */
export const resourceNames = z.registry<{ id: string }>();

/** Gives a schema its name. */
export function named<Schema extends z.ZodType>(id: string, schema: Schema): Schema {
  resourceNames.add(schema, { id });
  return schema;
}

/** A page of items by keyset. */
export function page<Item extends z.ZodType>(id: string, item: Item) {
  return named(id, z.strictObject({ items: z.array(item), next: z.string().nullable() }));
}
