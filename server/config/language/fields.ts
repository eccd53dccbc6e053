import * as z from 'zod/mini';
import { configurationSchema, references, type Reference } from '../schema.ts';
import { definitionOf, expectation, schemaAt, type ConfigPath } from '../schemaProblems.ts';

/** A field as people read of it. */
export interface Field {
  name: string;
  description: string | undefined;
  /** What it wants, as the end of "must be …". */
  expected: string;
  holds: 'text' | 'list' | 'mapping';
}

/** The fields of the mapping at a path; none where names there are the user's own. */
export function fieldsAt(path: ConfigPath): Field[] {
  const definition = definitionOf(schemaAt(configurationSchema, path));
  return definition?.type === 'object' ? Object.keys(definition.shape).map(name => fieldOf(name, definition.shape[name])) : namesAt(path).map(name => fieldOf(name, schemaAt(configurationSchema, [...path, name])));
}

/** The field at a path; undefined where the name is the user's own, or means nothing. */
export function fieldAt(path: ConfigPath): Field | undefined {
  const name = path.at(-1);
  return typeof name === 'string' ? fieldsAt(path.slice(0, -1)).find(field => field.name === name) : undefined;
}

/** What the value at a path can be, where it is one of a few; with what each means where a sentence says it. */
export function choicesAt(path: ConfigPath): string[] {
  const definition = definitionOf(schemaAt(configurationSchema, path));
  if (definition?.type === 'boolean') return ['true', 'false'];
  return definition?.type === 'enum' ? Object.values(definition.entries).map(String) : [];
}

/** What the value at a path names. */
export function referenceAt(path: ConfigPath): Reference | undefined {
  let schema = schemaAt(configurationSchema, path);
  const optional = schema === undefined ? undefined : (schema as z.core.$ZodTypes)._zod.def;
  if (optional?.type === 'optional') schema = optional.innerType;
  return schema === undefined ? undefined : references.get(schema);
}

export function holdsAt(path: ConfigPath): Field['holds'] | undefined {
  const schema = schemaAt(configurationSchema, path);
  return schema === undefined ? undefined : holds(schema);
}

/** The accepted names of a mapping whose names are few and given, such as tools. */
function namesAt(path: ConfigPath): string[] {
  const definition = definitionOf(schemaAt(configurationSchema, path));
  const key = definition?.type === 'record' ? definitionOf(definition.keyType) : undefined;
  return key?.type === 'enum' ? Object.values(key.entries).map(String) : [];
}

function fieldOf(name: string, schema: z.core.$ZodType | undefined): Field {
  return { name, description: descriptionOf(schema), expected: expectation(schema), holds: schema === undefined ? 'text' : holds(schema) };
}

function holds(schema: z.core.$ZodType): Field['holds'] {
  const type = definitionOf(schema)?.type;
  if (type === 'array') return 'list';
  return type === 'object' || type === 'record' ? 'mapping' : 'text';
}

function descriptionOf(schema: z.core.$ZodType | undefined): string | undefined {
  if (schema === undefined) return undefined;
  const own = z.globalRegistry.get(schema)?.description;
  const definition = (schema as z.core.$ZodTypes)._zod.def;
  return own ?? (definition.type === 'optional' ? descriptionOf(definition.innerType) : undefined);
}
