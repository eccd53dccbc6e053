/** Says whether an unknown value (a message from the other side of a webview) has the shape of T. */
export type Guard<T> = (value: unknown) => value is T;

export const isString: Guard<string> = (value) => typeof value === 'string';
export const isNumber: Guard<number> = (value): value is number => typeof value === 'number' && Number.isFinite(value);
export const isBoolean: Guard<boolean> = (value) => typeof value === 'boolean';

/** One of the given strings. */
export function isOneOf<T extends string>(...allowed: readonly T[]): Guard<T> {
  return (value): value is T => allowed.some((one) => one === value);
}

/** The property may be missing or undefined. */
export function optional<T>(guard: Guard<T>): Guard<T | undefined> {
  return (value): value is T | undefined => value === undefined || guard(value);
}

export function isArrayOf<T>(guard: Guard<T>): Guard<T[]> {
  return (value): value is T[] => Array.isArray(value) && value.every(guard);
}

/** An object with every property of T in its shape; a property of T that is forgotten here does not compile. */
export function isShape<T extends object>(shape: { [Key in keyof T]-?: Guard<T[Key]> }): Guard<T> {
  const guards: [string, Guard<unknown>][] = Object.entries(shape);
  return (value): value is T =>
    typeof value === 'object' && value !== null && !Array.isArray(value) &&
    guards.every(([key, guard]) => guard(Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined));
}

/** A value that fits at least one of two guards. */
export function either<A, B>(first: Guard<A>, second: Guard<B>): Guard<A | B> {
  return (value): value is A | B => first(value) || second(value);
}
