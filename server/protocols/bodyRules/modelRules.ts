import { bareModelName } from '../../base/names.ts';
import type { ModelRule } from '../codec.ts';
import type { FitTarget } from './rule.ts';

const none: readonly ModelRule[] = [];

/** The rules of the target's dialect that hold for its model. */
export function modelRules({ dialect, model }: FitTarget): readonly ModelRule[] {
  if (dialect.models === undefined) return none;
  const name = bareModelName(model);
  return dialect.models.filter(({ names }) => names.test(name));
}

/** The efforts that the target accepts; undefined: any. */
export function acceptedEfforts(target: FitTarget): readonly string[] | undefined {
  return modelRules(target).find(({ efforts }) => efforts !== undefined)?.efforts ?? target.dialect.efforts;
}

/** Top-level fields that the target refuses. */
export function refusedFields(target: FitTarget): readonly string[] {
  const { dropFields = [] } = target.dialect;
  if (target.dialect.models === undefined) return dropFields;
  return [...dropFields, ...modelRules(target).flatMap(rule => rule.dropFields ?? [])];
}

const noFields: readonly string[] = [];

/** The names that are among the fields and that no rule reads; always the same list where there are none. */
function unread(fields: ReadonlyMap<string, unknown>, names: readonly string[] | undefined, read: readonly string[]): readonly string[] {
  let found: string[] | undefined;
  if (names !== undefined) for (const name of names) if (fields.has(name) && !read.includes(name)) (found ??= []).push(name);
  return found ?? noFields;
}

/** Fields of a caller's body that the target refuses and that no rule of the protocol reads. @param read fields that a rule reads */
export function refusedAmong(fields: ReadonlyMap<string, unknown>, { dialect, model }: FitTarget, read: readonly string[]): readonly string[] {
  let found = unread(fields, dialect.dropFields, read);
  for (const { names, dropFields } of dialect.models ?? none) {
    const refused = unread(fields, dropFields, read);
    if (refused.length > 0 && names.test(bareModelName(model))) found = [...found, ...refused];
  }
  return found;
}

/** Which documents the target reads; undefined: any. */
export function readableDocuments(target: FitTarget): false | 'pdf' | undefined {
  return modelRules(target).find(({ documents }) => documents !== undefined)?.documents ?? target.dialect.documents;
}

/** `response_format` may hold a JSON schema. */
export function takesSchemas(target: FitTarget): boolean {
  return target.dialect.jsonSchemaOutput !== false && modelRules(target).every(({ jsonSchemaOutput }) => jsonSchemaOutput !== false);
}

/** A tool can be forced at the target. */
export function takesForcedChoice(target: FitTarget): boolean {
  return modelRules(target).every(({ forcedToolChoice }) => forcedToolChoice !== false);
}
