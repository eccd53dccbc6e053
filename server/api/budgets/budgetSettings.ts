/** How long a budget counts, by the machine's time zone: each period by name, with when it ends. */
export const budgetPeriods = {
  day: 'until the next local midnight',
  week: 'until the night before the next Monday',
  month: 'until the first of the next month',
} as const;
export type BudgetPeriod = keyof typeof budgetPeriods;

/** What a budget is for: each scope by name, with what it is. */
export const budgetScopes = {
  everything: 'everything that is sent',
  conversation: 'one conversation',
  workspace: 'one workspace',
  branch: 'one branch of a repository',
  tool: 'one tool, such as `claude-code`, `vscode-chat` or an extension',
  endpoint: 'one endpoint',
  route: 'one route, by the requests that ask for it',
  extension: 'one extension that asks in VS Code, by its id',
  token: 'one token, by its id: that of a connected tool, such as `claude-code`, or one that was made, such as `ci-x4k2`',
} as const;
export type BudgetScope = keyof typeof budgetScopes;

/** What follows at the limit: each way by name, with what it does. */
export const budgetOutcomes = {
  stop: 'targets that are expected to cost more than is left are passed over, and where none fits, nothing is sent',
  warn: 'requests are sent all the same, and a notification says so',
} as const;
export type BudgetOutcome = keyof typeof budgetOutcomes;

/** What may be spent in a period. */
export interface BudgetSettings {
  /** US dollars. */
  limitUsd: number;
  period: BudgetPeriod;
  /** Absent: `everything`. */
  per?: BudgetScope | undefined;
  /** The names for which it holds, each for itself; absent: every one has such a budget of its own. */
  only?: string[] | undefined;
  /** Absent: `stop`. */
  whenReached?: BudgetOutcome | undefined;
  /** Per cent of the limit at which a notification warns. Absent: 80. */
  warnAt?: number | undefined;
  /** Per cent of the limit from which cheaper targets come first; absent: never. */
  cheaperAt?: number | undefined;
}
