/** Of budgets with the same name the one that is used most: names of tools or conversations are no labels, and no subjects of alerts. */
export function worstBudgets<Budget extends { name: string; share: number }>(budgets: readonly Budget[]): Budget[] {
  const worst = new Map<string, Budget>();
  for (const budget of budgets) if (budget.share > (worst.get(budget.name)?.share ?? -Infinity)) worst.set(budget.name, budget);
  return [...worst.values()];
}
