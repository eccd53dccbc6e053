import { capScopes, type CapScope, type CapSettings } from '../../api/settings.ts';
import type { CapConfig } from '../config.ts';
import { capSchema } from '../schema.ts';
import { schemaProblems, type FieldProblem } from '../schemaProblems.ts';

/** Caps as they were checked. @returns undefined where no sum of money is set: such caps cap nothing */
export function capsOf({ whenReached, unpriced, ...sums }: CapSettings): CapConfig | undefined {
  const limits = (Object.keys(capScopes) as CapScope[]).flatMap(scope => {
    const usd = sums[`${scope}Usd`];
    return usd === undefined ? [] : [{ scope, microUsd: Math.round(usd * 1e6) }];
  });
  if (limits.length === 0) return undefined;
  return { limits, whenReached: whenReached ?? 'stop', ...(unpriced === undefined ? {} : { unpriced }) };
}

/** Caps of everything, outside of routes. Where anything about them is wrong they are left out whole, with what is wrong. */
export function resolveCaps(settings: unknown): { caps?: CapConfig | undefined; problems: FieldProblem[] } {
  if (settings === undefined || settings === null) return { problems: [] };
  const problems = schemaProblems(capSchema, settings);
  return problems.length > 0 ? { problems } : { caps: capsOf(settings as CapSettings), problems };
}
