import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import type { ToolAccess } from '../../../server/api/access/tokenAccess.ts';
import { budgetScopes, type BudgetPeriod, type BudgetScope, type BudgetSettings } from '../../../server/api/budgets/budgetSettings.ts';
import type { BudgetOrder, BudgetStatus } from '../../../server/api/budgets/budgetStatus.ts';
import { amountProblem } from '../../base/amount.ts';
import { allowedText, budgetFigure, budgetNotes, budgetTitle, liftTitles } from '../../base/budgetWording.ts';
import { NextStep, UserError } from '../../base/errors.ts';
import { inform } from '../../base/toasts.ts';
import { budgetWords } from '../access/accessWords.ts';
import { editToolAccess } from '../access/editToolAccess.ts';
import { askChoice, askText, valueOf, type Choice } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';
import { budgetNameFor, readLimit, scopeTitles, summaryOf, writtenBudgets } from './budgetDraft.ts';

const title = t('Set Budget');
const totalSteps = 4;
const periods: readonly Choice<BudgetPeriod>[] = [
  { label: t('A Day'), detail: t('Begins anew at midnight'), value: 'day' },
  { label: t('A Week'), detail: t('Begins anew on Monday'), value: 'week' },
  { label: t('A Month'), detail: t('Begins anew on the first'), value: 'month' },
];
const outcomes: readonly Choice<Pick<BudgetSettings, 'whenReached' | 'cheaperAt'>>[] = [
  { label: t('Stop'), detail: t('Requests that would cost more than is left are not sent; the chat asks whether to allow more'), value: {} },
  { label: t('Stop, and Prefer Cheaper Models from 80 %'), detail: t('From then on the target of a route that is expected to cost least comes first'), value: { cheaperAt: 80 } },
  { label: t('Only Warn'), detail: t('Everything is sent; a notification says that the budget is used up'), value: { whenReached: 'warn' } },
];

/** "Set Budget…": what it is for, how long it counts, how much, and what follows at the limit. */
export async function setBudget(services: CommandServices): Promise<void> {
  const { settings } = services.configuration;
  const per = valueOf(await askChoice<BudgetScope>({
    title, step: 1, totalSteps, placeholder: t('What should have a budget?'),
    items: (Object.keys(budgetScopes) as BudgetScope[]).map(value => ({ label: scopeTitles[value].one, detail: scopeTitles[value].detail, value })),
  }));
  if (per === undefined) return;
  const only = per === 'everything' ? null : await askNames(services, per);
  if (only === undefined) return;
  const period = valueOf(await askChoice<BudgetPeriod>({ title, step: 2, totalSteps, placeholder: t('How long does it count?'), items: periods }));
  if (period === undefined) return;
  const limitUsd = await askAmount(title, 3);
  if (limitUsd === undefined) return;
  const outcome = valueOf(await askChoice<Pick<BudgetSettings, 'whenReached' | 'cheaperAt'>>({ title, step: 4, totalSteps, placeholder: t('What follows at the limit? At 80 % a notification warns'), items: outcomes }));
  if (outcome === undefined) return;
  const budget: BudgetSettings = { limitUsd, period, ...(per === 'everything' ? {} : { per }), ...(only === null ? {} : { only: [only] }), ...outcome };
  const name = budgetNameFor(budget, new Set(Object.keys(settings.budgets)));
  await services.configuration.changeBudgets(now => ({ ...now, [name]: budget }));
  void inform(t('The budget "{0}" holds: {1}.', name, summaryOf(budget)), t('Edit Budgets…')).then(async pick => {
    if (pick !== undefined) await vscode.commands.executeCommand('waybill.editBudgets');
  });
}

/** @returns a name, null for each of its own, undefined where the user left */
async function askNames({ server, configuration }: CommandServices, per: Exclude<BudgetScope, 'everything'>): Promise<string | null | undefined> {
  const known = per === 'endpoint' ? Object.keys(configuration.settings.endpoints) : per === 'route' ? Object.keys(configuration.settings.routes)
    : per === 'tool' ? await server.connectedTools().catch(() => []) : per === 'workspace' ? (vscode.workspace.workspaceFolders ?? []).map(({ name }) => name) : [];
  if (per === 'conversation') return null;
  const picked = valueOf(await askChoice<{ name: string | null }>({
    title, step: 1, totalSteps, placeholder: scopeTitles[per].which,
    items: [{ label: scopeTitles[per].each, detail: t('Every one has the whole amount for itself'), value: { name: null } }, ...known.map(name => ({ label: name, value: { name } }))],
    typed: text => ({ label: text, value: { name: text } }),
  }));
  return picked === undefined ? undefined : picked.name;
}

async function askAmount(of: string, step?: number, value?: string): Promise<number | undefined> {
  const text = valueOf(await askText({
    title: of, ...(step === undefined ? {} : { step, totalSteps }), placeholder: '5', prompt: t('How much may be spent, in US dollars?'), value,
    problem: written => amountProblem(readLimit(written)),
  }));
  return text === undefined ? undefined : Number(readLimit(text));
}

/** "Edit Budgets…": one of them, and what is changed about it. */
export async function editBudgets(services: CommandServices): Promise<void> {
  const budgets = writtenBudgets(services.configuration.settings.budgets);
  const ofTools = await toolsWithBudget(services);
  if (Object.keys(budgets).length + ofTools.length === 0) throw new NextStep(t('There is no budget yet.'), { title: t('Set Budget…'), command: 'waybill.setBudget' });
  const name = valueOf(await askChoice<string | null | ToolAccess>({
    title: t('Edit Budgets'), placeholder: t('Choose a budget'),
    items: [
      ...Object.keys(budgets).map(value => ({ label: value, description: summaryOf(budgets[value]), ...statusOf(services, value), value })),
      ...ofTools.map(value => ({ label: t('Access of {0}', value.id), description: budgetWords(value), detail: t('Part of what the tool may do: Edit Tool Access…'), value })),
      { label: t('$(add) Set Budget…'), value: null },
    ],
  }));
  if (name === undefined) return;
  if (typeof name === 'object' && name !== null) { await editToolAccess(services, name.id); return; }
  if (name === null) { await setBudget(services); return; }
  const change = valueOf(await askChoice<'amount' | 'outcome' | 'allow' | 'remove'>({
    title: t('Budget "{0}"', name), placeholder: summaryOf(budgets[name]),
    items: [
      { label: t('Change the Amount…'), value: 'amount' }, { label: t('Change What Follows at the Limit…'), value: 'outcome' },
      { label: t('Allow More, or Lift It…'), detail: t('Until it begins anew'), value: 'allow' }, { label: t('Remove'), value: 'remove' },
    ],
  }));
  switch (change) {
    case undefined: return;
    case 'allow': await allowBudget(services, name); return;
    case 'remove':
      await services.configuration.changeBudgets(now => Object.fromEntries(Object.entries(now).filter(([one]) => one !== name)));
      void inform(t('The budget "{0}" is removed; what was spent stays in the ledger.', name));
      return;
    case 'amount': {
      const limitUsd = await askAmount(t('Budget "{0}"', name), undefined, String(budgets[name]?.limitUsd ?? ''));
      if (limitUsd !== undefined) await services.configuration.changeBudgets(now => withChange(now, name, { limitUsd }));
      return;
    }
    case 'outcome': {
      const outcome = valueOf(await askChoice({ title: t('Budget "{0}"', name), placeholder: t('What follows at the limit?'), items: outcomes }));
      if (outcome !== undefined) await services.configuration.changeBudgets(now => withChange(now, name, { whenReached: undefined, cheaperAt: undefined, ...outcome }));
    }
  }
}

/** Connected tools with a budget of their own. They are known where the server runs. */
async function toolsWithBudget({ server }: CommandServices): Promise<ToolAccess[]> {
  const [connected, known] = await Promise.all([server.connectedTools(), server.toolAccess()]).catch((): [string[], ToolAccess[]] => [[], []]);
  return known.filter(({ id, dayMicroUsd, monthMicroUsd }) => connected.includes(id) && (dayMicroUsd !== undefined || monthMicroUsd !== undefined));
}

function withChange(now: Readonly<Record<string, BudgetSettings>>, name: string, change: Partial<BudgetSettings>): Record<string, BudgetSettings> {
  const before = now[name];
  return before === undefined ? { ...now } : { ...now, [name]: { ...before, ...change } };
}

function statusOf({ server }: CommandServices, name: string): { detail?: string } {
  const [first] = (server.status?.budgets ?? []).filter(one => one.name === name && !(one.per === 'token' && one.of === name));
  return first === undefined ? {} : { detail: `${budgetFigure(first)}, ${budgetNotes(first).join(', ')}` };
}

type Allowance = Pick<BudgetOrder, 'action' | 'usd'>;

/** "Allow More of a Budget…": a budget, and how much more, or until it begins anew. @param name of the budget; absent: the user chooses */
export async function allowBudget(services: CommandServices, name?: string): Promise<void> {
  const all = (services.server.status?.budgets ?? []).filter(one => name === undefined || one.name === name);
  if (all.length === 0) throw new NextStep(t('There is no budget that something was spent of.'), { title: t('Set Budget…'), command: 'waybill.setBudget' });
  const ofTitle = t('Allow More of a Budget');
  const status = all.length === 1 ? all[0] : valueOf(await askChoice<BudgetStatus>({
    title: ofTitle, placeholder: t('Choose a budget'),
    items: all.toSorted((a, b) => b.share - a.share).map(value => ({ label: budgetTitle(value), description: budgetFigure(value), detail: budgetNotes(value).join(', '), value })),
  }));
  if (status === undefined) return;
  const dollars = [1, 5, 20].map((usd): Choice<Allowance> => ({ label: t('Allow ${0} More', usd), value: { action: 'allow', usd } }));
  const order = valueOf(await askChoice<Allowance>({
    title: ofTitle, placeholder: `${budgetTitle(status)}: ${budgetFigure(status)}`,
    items: [
      ...dollars, { label: liftTitles[status.period], detail: t('It holds nothing back until it begins anew'), value: { action: 'lift' } },
      ...(status.lifted === true || status.allowedMicroUsd !== undefined ? [{ label: t('Take Back What Was Allowed'), value: { action: 'restore' } } satisfies Choice<Allowance>] : []),
    ],
  }));
  if (order !== undefined) await act(services, { ...order, budget: status.key });
}

async function act({ server }: CommandServices, order: BudgetOrder): Promise<void> {
  const result = await server.budget(order);
  if ('refused' in result) throw new UserError(result.refused);
  void inform(allowedText(order, result.message, server.status?.budgets));
}
