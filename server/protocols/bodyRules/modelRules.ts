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

/** A tool can be forced at the target. */
export function takesForcedChoice(target: FitTarget): boolean {
  return modelRules(target).every(({ forcedToolChoice }) => forcedToolChoice !== false);
}
