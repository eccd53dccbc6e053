import type * as z from 'zod/mini';
import { isObject } from '../base/json.ts';
import { suggestion } from './nearest.ts';
import { expectations } from './fields/fields.ts';

export type ConfigPath = readonly (string | number)[];

/** Takes a problem with what a user wrote. @param unset an environment variable is not set, which may differ elsewhere */
export type Report = (path: ConfigPath, message: string, unset?: boolean) => void;

/** What is wrong with one field: where, and the rest of a sentence about it, with its full stop. */
export interface FieldProblem {
  path: ConfigPath;
  text: string;
}

/**
 * Checks a value against a schema and says what is wrong, field by field. What the user wrote as a value is never
 * repeated, because it may be a secret in the wrong place; names of fields are.
 */
export function schemaProblems(schema: z.ZodMiniType, value: unknown): FieldProblem[] {
  const result = schema.safeParse(value);
  if (result.success) return [];
  return result.error.issues.flatMap(issue => problemsOf(schema, value, issue));
}

function problemsOf(schema: z.ZodMiniType, value: unknown, issue: z.core.$ZodIssue): FieldProblem[] {
  const path = issue.path.map(step => (typeof step === 'number' ? step : String(step)));
  if (issue.code === 'unrecognized_keys') {
    const known = fieldNames(schemaAt(schema, path));
    return issue.keys.map(key => ({
      path: [...path, key],
      text: `there is no field "${fieldName([...path, key])}"${suggestion(key, known, known.length <= 6 ? `; fields here are ${known.join(', ')}.` : '.')}`,
    }));
  }
  if (issue.code === 'invalid_key') return [{ path, text: `"${fieldName(path)}" is not a name that can be used here.` }];
  const expected = expectation(schemaAt(schema, path));
  if (path.length === 0) return [{ path, text: `it must be ${expected}.` }];
  const missing = valueAt(value, path) === undefined;
  return [{ path, text: missing ? `"${fieldName(path)}" is missing.` : `"${fieldName(path)}" must be ${expected}.` }];
}

/** `models.gpt-4.1.upstream`, `keys[0]`. */
export function fieldName(path: ConfigPath): string {
  return path.reduce<string>((name, step) => (typeof step === 'number' ? `${name}[${step}]` : name === '' ? step : `${name}.${step}`), '');
}

function valueAt(value: unknown, path: ConfigPath): unknown {
  return path.reduce<unknown>((inner, step) => {
    if (Array.isArray(inner)) return (inner as unknown[])[Number(step)];
    return isObject(inner) ? inner[step] : undefined;
  }, value);
}

/** The schema of what stands at a path; undefined where nothing can stand. */
export function schemaAt(schema: z.core.$ZodType, path: ConfigPath): z.core.$ZodType | undefined {
  return path.reduce<z.core.$ZodType | undefined>((inner, step) => {
    const definition = definitionOf(inner);
    if (definition?.type === 'object') return Object.hasOwn(definition.shape, step) ? definition.shape[step] : undefined;
    if (definition?.type === 'record') return definition.valueType;
    return definition?.type === 'array' ? definition.element : undefined;
  }, schema);
}

/** What a schema is made of, behind what makes it optional. */
export function definitionOf(schema: z.core.$ZodType | undefined): z.core.$ZodTypes['_zod']['def'] | undefined {
  if (schema === undefined) return undefined;
  const definition = (schema as z.core.$ZodTypes)._zod.def;
  return definition.type === 'optional' ? definitionOf(definition.innerType) : definition;
}

/** The fields of a mapping; none where it is no such mapping. */
export function fieldNames(schema: z.core.$ZodType | undefined): string[] {
  const definition = definitionOf(schema);
  return definition?.type === 'object' ? Object.keys(definition.shape) : [];
}

/** What a field wants, as the end of "must be …". */
export function expectation(schema: z.core.$ZodType | undefined): string {
  const expected = registered(schema);
  if (expected !== undefined) return expected;
  const definition = definitionOf(schema);
  switch (definition?.type) {
    case 'boolean': return 'true or false';
    case 'enum': {
      const values = Object.values(definition.entries);
      return values.length === 1 ? `"${String(values[0])}"` : `one of ${values.join(', ')}`;
    }
    case 'array': return 'a list';
    case 'object': return `a mapping with fields such as ${Object.keys(definition.shape).slice(0, 2).join(' and ')}`;
    case 'record': return 'a mapping of names to values';
    default: return 'something else';
  }
}

function registered(schema: z.core.$ZodType | undefined): string | undefined {
  if (schema === undefined) return undefined;
  const definition = (schema as z.core.$ZodTypes)._zod.def;
  return definition.type === 'optional' ? registered(definition.innerType) : expectations.get(schema)?.expected;
}
