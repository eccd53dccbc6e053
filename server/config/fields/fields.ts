import * as z from 'zod/mini';

/* The kinds of fields that the schema is made of. */

/** What a number or text wants, as the end of "must be …". */
export const expectations = z.registry<{ expected: string }>();

export function described<T extends z.ZodMiniType>(schema: T, description: string): T {
  return schema.check(z.meta({ description }));
}

export function optional<T extends z.ZodMiniType>(schema: T, description: string): z.ZodMiniOptional<T> {
  return z.optional(described(schema, description));
}

export function whole(minimum: number, maximum: number): z.ZodMiniNumber {
  return z.int().check(z.minimum(minimum), z.maximum(maximum)).register(expectations, { expected: `a whole number from ${minimum} to ${maximum}` });
}

export function amount(maximum: number): z.ZodMiniNumber {
  return z.number().check(z.minimum(0), z.maximum(maximum)).register(expectations, { expected: `a number from 0 to ${maximum}` });
}

export function positive(maximum: number): z.ZodMiniNumber {
  return z.number().check(z.positive(), z.maximum(maximum)).register(expectations, { expected: `a number above 0, at most ${maximum}` });
}

export function share(): z.ZodMiniNumber {
  return z.number().check(z.minimum(0.01), z.maximum(1)).register(expectations, { expected: 'a number from 0.01 to 1' });
}

export function percent(): z.ZodMiniNumber {
  return z.number().check(z.minimum(1), z.maximum(100)).register(expectations, { expected: 'a number from 1 to 100' });
}

export function listed(meanings: Readonly<Record<string, string>>): string {
  return Object.entries(meanings).map(([name, meaning]) => `\`${name}\`: ${meaning}.`).join(' ');
}

export function text(minLength = 1, maxLength = 2000): z.ZodMiniString {
  return z.string().check(z.minLength(minLength), z.maxLength(maxLength)).register(expectations, { expected: `text of ${minLength} to ${maxLength} characters` });
}
