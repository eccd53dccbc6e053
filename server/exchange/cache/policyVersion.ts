import { createHash } from 'node:crypto';
import type { Config } from '../../config/config.ts';

/** A digest of a whole configuration: equal ones have equal versions, and any other setting makes another one. It is no place for keys, so none is in it. */
export function policyVersion(config: Config): string {
  return createHash('sha256').update(JSON.stringify(config, plain)).digest('base64url');
}

/** Collections and patterns, which JSON would show as nothing. */
function plain(_name: string, value: unknown): unknown {
  if (value instanceof Map || value instanceof Set) return [...value as Iterable<unknown>];
  return value instanceof RegExp ? String(value) : value;
}
