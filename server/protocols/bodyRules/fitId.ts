import type { CallIdRule } from './callIdRules.ts';

/** The id as the rule takes it. */
export function fitId(id: string, rule: CallIdRule, changes: Set<string>): string {
  if (rule.fits(id)) return id;
  changes.add('ids of tool calls were replaced');
  return rule.replace(id);
}
