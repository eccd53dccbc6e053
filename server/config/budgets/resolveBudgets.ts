import type { BudgetSettings } from '../../api/budgets/budgetSettings.ts';
import { isObject } from '../../base/json.ts';
import type { BudgetConfig } from '../config.ts';
import { nameRule } from '../resolveEndpoint.ts';
import { budgetSchema, namePattern } from '../schema.ts';
import { schemaProblems, type ConfigPath, type FieldProblem } from '../schemaProblems.ts';

const defaultWarnAt = 80;

/**
 * Makes budgets of what a user wrote. A mistake leaves no money without a budget: one that was in use before stays as it was, else limit and
 * period hold where they can be read, as a hard budget.
 */
export function resolveBudgets(written: unknown, report: (path: ConfigPath, message: string) => void, before: readonly BudgetConfig[] = []): BudgetConfig[] {
  if (written === undefined || written === null) return [];
  if (!isObject(written)) {
    report(['budgets'], `"budgets" must be a mapping of names to budgets, such as { "daily": { "limitUsd": 5, "period": "day" } }${before.length === 0 ? '' : '; those from before stay in use'}.`);
    return [...before];
  }
  const budgets: BudgetConfig[] = [];
  const firsts = new Map<string, string>();
  for (const [name, settings] of Object.entries(written)) {
    const first = firsts.get(name.toLowerCase());
    if (!namePattern.test(name)) report(['budgets', name], `Budget "${name}" is left out: ${nameRule}`);
    else if (first !== undefined) report(['budgets', name], `Budget "${name}" is left out: its name differs from "${first}" only in case; give it another name.`);
    else {
      firsts.set(name.toLowerCase(), name);
      const wrong = problemsOf(settings);
      if (wrong.length === 0) {
        budgets.push(budgetOf(name, settings as unknown as BudgetSettings));
        continue;
      }
      const instead = before.find(one => one.name === name) ?? atLeast(name, settings);
      const follows = instead === undefined ? 'is left out' : before.includes(instead) ? 'stays as it was' : 'holds with its limit, for everything it may be for';
      for (const problem of wrong) report(['budgets', name, ...problem.path], `Budget "${name}" ${follows}: ${problem.text}`);
      if (instead !== undefined) budgets.push(instead);
    }
  }
  return budgets;
}

function problemsOf(settings: unknown): FieldProblem[] {
  const wrong = schemaProblems(budgetSchema, settings);
  if (wrong.length > 0) return wrong;
  const { per, only } = settings as BudgetSettings;
  if (only !== undefined && (per ?? 'everything') === 'everything') return [{ path: ['only'], text: '"only" names what "per" is about; set "per", such as "tool".' }];
  return only?.length === 0 ? [{ path: ['only'], text: '"only" is empty; name something, or take it out.' }] : [];
}

/** Limit, period and what it is for, where these can be read. */
function atLeast(name: string, settings: unknown): BudgetConfig | undefined {
  if (!isObject(settings)) return undefined;
  const { limitUsd, period, per } = settings;
  const rest = { limitUsd, period, ...(per === undefined ? {} : { per }) };
  return schemaProblems(budgetSchema, rest).length > 0 ? undefined : budgetOf(name, rest as unknown as BudgetSettings);
}

function budgetOf(name: string, { limitUsd, period, per, only, whenReached, warnAt, cheaperAt }: BudgetSettings): BudgetConfig {
  return {
    name, limitMicroUsd: Math.round(limitUsd * 1e6), period, per: per ?? 'everything', isHard: whenReached !== 'warn', warnAt: (warnAt ?? defaultWarnAt) / 100,
    ...(only === undefined ? {} : { only: new Set(only.map(one => one.toLowerCase())) }), ...(cheaperAt === undefined ? {} : { cheaperAt: cheaperAt / 100 }),
  };
}
