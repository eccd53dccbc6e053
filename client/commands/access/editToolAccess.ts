import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { readExpiry } from '../../../server/api/access/accessText.ts';
import { fullAccess, isBounded, type AccessSettings, type AllowedNames, type ToolAccess } from '../../../server/api/access/tokenAccess.ts';
import { currentLanguage } from '../../../server/api/localization/localization.ts';
import type { OfferedModel } from '../../../server/api/status.ts';
import { amountProblem, readUsd } from '../../base/amount.ts';
import { NextStep, UserError } from '../../base/errors.ts';
import { dayName, formatCount } from '../../base/figures.ts';
import { microUsdToDecimal } from '../../../server/api/reports/csv.ts';
import { formatMicroUsd } from '../../base/money.ts';
import { inform, warn } from '../../base/toasts.ts';
import { readLimit } from '../budgets/budgetDraft.ts';
import { noToolConnected } from '../connectTool.ts';
import { askChoice, askMany, askText, valueOf, type Answer, type Choice, type PickStep } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';
import { accessWords, budgetWords, limitsWords, modelsWords, readLimitCount, routesWords, settingsOf, stateWords } from './accessWords.ts';

/** How far ahead the day is that is shown as an example. */
const exampleAheadMs = 30 * 86_400_000;

type Part = 'routes' | 'models' | 'budget' | 'limits' | 'end' | 'all' | 'revoke';
type Change = Partial<AccessSettings>;

/**
 * "Edit Tool Access…": a connected tool, its access in words, and what is changed about it, one thing after the other. Back leads to
 * the step before; Escape leaves, and what was changed before it holds.
 * @param only the tool; absent: the user chooses
 */
export async function editToolAccess(services: CommandServices, only?: string): Promise<void> {
  for (;;) {
    const tool = only ?? await askTool(services);
    if (tool === undefined || await editOne(services, tool, only === undefined) !== 'back' || only !== undefined) return;
  }
}

/** @returns whether the user wants another tool, or is done */
async function editOne(services: CommandServices, tool: string, canGoBack: boolean): Promise<'back' | 'done'> {
  const { server } = services;
  let last: Part | undefined;
  for (;;) {
    const access = (await server.toolAccess()).find(({ id }) => id === tool);
    if (!(await server.connectedTools()).includes(tool)) {
      throw new NextStep(t('The token of {0} has ended. Connecting it again gives it another one, with the same access.', tool), { title: t('Connect a Tool…'), command: 'waybill.connectTool' });
    }
    const part = await askPart(tool, access, last, canGoBack);
    if (part.kind !== 'value') return part.kind === 'back' ? 'back' : 'done';
    last = part.value;
    if (last === 'revoke') {
      if (await revoked(services, tool)) return 'done';
      continue;
    }
    const change = last === 'all' ? await askUnbounded(tool, access ?? fullAccess) : await askChange(services, tool, last, access ?? fullAccess);
    if (change.kind === 'cancel') return 'done';
    if (change.kind === 'back') continue;
    const result = await server.changeToolAccess({ action: 'set', tool, access: last === 'all' ? fullAccess : { ...settingsOf(access ?? fullAccess), ...change.value } });
    if ('refused' in result) void warn(result.refused);
  }
}

async function askTool(services: CommandServices): Promise<string | undefined> {
  const { server } = services;
  const [tools, known] = await Promise.all([server.connectedTools(), server.toolAccess()]);
  if (tools.length === 0) throw noToolConnected(services);
  const now = Date.now();
  return valueOf(await askChoice<string>({
    title: t('Edit Tool Access'), placeholder: t('Choose the tool whose access is to change'),
    items: tools.map(value => ({ label: `$(plug) ${value}`, detail: accessWords(known.find(({ id }) => id === value) ?? fullAccess, now, style()), value })),
  }));
}

async function askPart(tool: string, access: ToolAccess | undefined, last: Part | undefined, canGoBack: boolean): Promise<Answer<Part>> {
  const now: Omit<ToolAccess, 'id'> = access ?? fullAccess;
  const items: Choice<Part>[] = [
    { label: `$(git-branch) ${routesWords(now.routes)}`, value: 'routes' },
    { label: `$(sparkle) ${modelsWords(now.models)}`, value: 'models' },
    { label: `$(credit-card) ${budgetWords(now)}`, value: 'budget' },
    { label: `$(dashboard) ${limitsWords(now)}`, value: 'limits' },
    { label: `$(clock) ${stateWords(now, Date.now(), style())}`, value: 'end' },
    ...(isBounded(now) ? [{ label: `$(unlock) ${t('Remove All Restrictions')}`, value: 'all' } satisfies Choice<Part>] : []),
    { label: `$(trash) ${t('Revoke')}`, description: t('Its token ends at once'), value: 'revoke' },
  ];
  return askChoice<Part>({
    title: t('Access of {0}', tool), placeholder: t('Choose what to change; it holds for the next request, in every window'),
    items, active: items.findIndex(({ value }) => value === last), canGoBack,
  });
}

async function askChange({ server }: CommandServices, tool: string, part: Exclude<Part, 'revoke' | 'all'>, now: AccessSettings): Promise<Answer<Change>> {
  const title = t('Access of {0}', tool);
  switch (part) {
    case 'routes': return changed('routes', await askNames({
      title, placeholder: t('Choose the routes that {0} may ask for', tool), everything: t('Every route, also those that are made later'),
      offered: namesOf(server.status?.offered, 'route'), now: now.routes, other: now.models,
    }));
    case 'models': return changed('models', await askNames({
      title, placeholder: t('Choose the models that {0} may ask for', tool), everything: t('Every model, also those that come later'),
      hint: t('A route goes where it leads, whatever is chosen here'),
      offered: namesOf(server.status?.offered, 'model'), now: now.models, other: now.routes,
    }));
    case 'budget': return askBudget(title, now);
    case 'limits': return askLimits(title, now);
    case 'end': return askEnd(title, now);
  }
}

function changed<Field extends keyof AccessSettings>(field: Field, answer: Answer<AccessSettings[Field]>): Answer<Change> {
  return answer.kind === 'value' ? { kind: 'value', value: { [field]: answer.value } } : answer;
}

function namesOf(offered: readonly OfferedModel[] | undefined, kind: OfferedModel['kind']): string[] {
  return (offered ?? []).filter(one => one.kind === kind).map(({ requestedModel }) => requestedModel);
}

interface NamesStep { title: string; placeholder: string; everything: string; hint?: string; offered: readonly string[]; now: AllowedNames; other: AllowedNames }

/** Names that are allowed and no longer offered stay in the list. */
async function askNames({ title, placeholder, everything, hint, offered, now, other }: NamesStep): Promise<Answer<AllowedNames>> {
  const names = [...new Set([...offered, ...(now === 'all' ? [] : now)])];
  const answer = await askMany<string | null>({
    title, placeholder, canGoBack: true, picked: value => (value === null ? now === 'all' : now !== 'all' && now.includes(value)), alone: value => value === null,
    items: [{ label: `$(check-all) ${everything}`, ...(hint === undefined ? {} : { detail: hint }), value: null }, ...names.map(value => ({ label: value, value }))],
    problem: picked => (picked.length === 0 && other !== 'all' && other.length === 0 ? t('With neither a route nor a model a tool can do nothing: choose at least one, or revoke its token.') : undefined),
  });
  return answer.kind !== 'value' ? answer : { kind: 'value', value: answer.value.includes(null) ? 'all' : answer.value.filter(name => name !== null) };
}

async function askBudget(title: string, now: AccessSettings): Promise<Answer<Change>> {
  return inTwo<'dayMicroUsd' | 'monthMicroUsd'>({
    title, placeholder: t('How long does the budget count?'), canGoBack: true,
    items: [
      { label: t('A Day'), ...amountOf(now.dayMicroUsd), detail: t('Begins anew at midnight'), value: 'dayMicroUsd' },
      { label: t('A Month'), ...amountOf(now.monthMicroUsd), detail: t('Begins anew on the first'), value: 'monthMicroUsd' },
    ],
  }, async field => {
    const before = now[field];
    const text = await askText({
      title, placeholder: '5', prompt: t('How much may be spent, in US dollars? Empty: no budget'), value: before === undefined ? '' : microUsdToDecimal(before), canGoBack: true,
      problem: written => (written === '' ? undefined : amountProblem(readLimit(written))),
    });
    if (text.kind !== 'value') return text;
    const amount = text.value === '' ? undefined : readUsd(text.value);
    return { kind: 'value', value: { [field]: typeof amount === 'number' ? amount : undefined } };
  });
}

function amountOf(microUsd: number | undefined): { description?: string } {
  return microUsd === undefined ? {} : { description: formatMicroUsd(microUsd) };
}

async function askLimits(title: string, now: AccessSettings): Promise<Answer<Change>> {
  const limit = (label: string, value: 'requestsPerMinute' | 'tokensPerMinute' | 'concurrency'): Choice<typeof value> => ({ label, ...(now[value] === undefined ? {} : { description: formatCount(now[value]) }), value });
  return inTwo({
    title, placeholder: t('Which limit?'), canGoBack: true,
    items: [limit(t('Requests a Minute'), 'requestsPerMinute'), limit(t('Tokens a Minute'), 'tokensPerMinute'), limit(t('Requests at Once'), 'concurrency')],
  }, async field => {
    const text = await askText({
      title, placeholder: '60', prompt: t('How many? Empty: no limit'), value: now[field] === undefined ? '' : String(now[field]), canGoBack: true,
      problem: written => {
        const read = readLimitCount(written);
        return typeof read === 'string' ? read : undefined;
      },
    });
    if (text.kind !== 'value') return text;
    const read = readLimitCount(text.value);
    return typeof read === 'string' ? { kind: 'back' } : { kind: 'value', value: { [field]: read.value } };
  });
}

async function askEnd(title: string, now: AccessSettings): Promise<Answer<Change>> {
  return inTwo<string>({
    title, placeholder: t('When does the access end?'), canGoBack: true,
    items: [
      { label: t('Never'), value: 'never' }, { label: t('In a Day'), value: '1d' }, { label: t('In 7 Days'), value: '7d' }, { label: t('In 30 Days'), value: '30d' },
      { label: t('On a Date…'), ...(now.expiresAt === undefined ? {} : { description: stateWords(now, Date.now(), style()) }), value: '' },
    ],
  }, async span => {
    const example = dayName(Date.now() + exampleAheadMs);
    const text: Answer<string> = span !== '' ? { kind: 'value', value: span } : await askText({
      title, placeholder: example, prompt: t('The last day of the access, as year-month-day'), canGoBack: true,
      problem: written => (readExpiry(written, Date.now()) === undefined ? t('Write a day that is not past, such as {0}.', example) : undefined),
    });
    if (text.kind !== 'value') return text;
    const expiry = readExpiry(text.value, Date.now());
    return expiry === undefined ? { kind: 'back' } : { kind: 'value', value: { expiresAt: expiry.at } };
  });
}

/** A choice, and what is asked about it. Back in the second step leads to the choice. */
async function inTwo<T>(first: PickStep<T>, second: (chosen: T) => Promise<Answer<Change>>): Promise<Answer<Change>> {
  let active: number | undefined;
  for (;;) {
    const chosen = await askChoice<T>({ ...first, active });
    if (chosen.kind !== 'value') return chosen;
    active = first.items.findIndex(({ value }) => value === chosen.value);
    const answer = await second(chosen.value);
    if (answer.kind !== 'back') return answer;
  }
}

async function askUnbounded(tool: string, now: AccessSettings): Promise<Answer<Change>> {
  const button = t('Remove All Restrictions');
  const picked = await vscode.window.showWarningMessage(t('Remove all restrictions of {0}?', tool), { modal: true, detail: accessWords(now, Date.now(), style()) }, button);
  return picked === button ? { kind: 'value', value: fullAccess } : { kind: 'back' };
}

async function revoked({ server }: CommandServices, tool: string): Promise<boolean> {
  const revoke = t('Revoke');
  const detail = t('{0} is refused from its next request on, in every window. Its configuration is not changed; connecting it again gives it another token.', tool);
  if (await vscode.window.showWarningMessage(t('Revoke the token of {0}?', tool), { modal: true, detail }, revoke) !== revoke) return false;
  const result = await server.changeToolAccess({ action: 'revoke', tool });
  if ('refused' in result) throw new UserError(result.refused);
  void inform(t('The token of {0} is revoked.', tool));
  return true;
}

function style(): { locale: string } {
  return { locale: currentLanguage() };
}
