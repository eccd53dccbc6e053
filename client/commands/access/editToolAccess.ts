import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { readExpiry } from '../../../server/api/access/accessText.ts';
import { fullAccess, type AccessSettings, type AllowedNames, type ToolAccessOrder, type TokenAccess } from '../../../server/api/access/tokenAccess.ts';
import type { OfferedModel } from '../../../server/api/status.ts';
import { readUsd } from '../../base/amount.ts';
import { NextStep, UserError } from '../../base/errors.ts';
import { microUsdToDecimal } from '../../base/money.ts';
import { inform } from '../../base/toasts.ts';
import { readLimit } from '../budgets/budgetDraft.ts';
import { askChoice, askMany, askText, valueOf, type Choice } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';
import { accessWords, budgetWords, limitsWords, modelsWords, readLimitCount, routesWords, settingsOf, stateWords } from './accessWords.ts';

type Part = 'routes' | 'models' | 'budget' | 'limits' | 'end' | 'all' | 'revoke';

/** "Edit Tool Access…": a connected tool, its access in words, and what is changed about it, one thing after the other. */
export async function editToolAccess(services: CommandServices): Promise<void> {
  const tool = await askTool(services);
  if (tool === undefined) return;
  for (;;) {
    const access = (await services.server.toolAccess()).find(({ id }) => id === tool);
    if (!(await services.server.connectedTools()).includes(tool)) {
      throw new NextStep(t('The token of {0} has ended. Connecting it again gives it another one, with the same access.', tool), { title: t('Connect a Tool…'), command: 'waybill.connectTool' });
    }
    const part = await askPart(tool, access);
    if (part === undefined) return;
    if (part === 'revoke') {
      if (await revoked(services, tool)) return;
      continue;
    }
    const change = part === 'all' ? fullAccess : await askChange(services, tool, part, access ?? fullAccess);
    if (change === undefined) continue;
    await carriedOut(services, { action: 'set', tool, access: part === 'all' ? fullAccess : { ...settingsOf(access ?? fullAccess), ...change } });
  }
}

async function askTool({ server }: CommandServices): Promise<string | undefined> {
  const [tools, known] = await Promise.all([server.connectedTools(), server.toolAccess()]);
  if (tools.length === 0) throw new NextStep(t('No tool is connected.'), { title: t('Connect a Tool…'), command: 'waybill.connectTool' });
  const now = Date.now();
  return valueOf(await askChoice<string>({
    title: t('Edit Tool Access'), placeholder: t('Choose the tool whose access is to change'),
    items: tools.map(value => ({ label: `$(plug) ${value}`, detail: accessWords(known.find(({ id }) => id === value) ?? fullAccess, now, style()), value })),
  }));
}

async function askPart(tool: string, access: TokenAccess | undefined): Promise<Part | undefined> {
  const now: AccessSettings & Pick<TokenAccess, 'revokedAt'> = access ?? fullAccess;
  const isBounded = access !== undefined && accessWords(access, 0, style()) !== accessWords(fullAccess, 0, style());
  return valueOf(await askChoice<Part>({
    title: t('Access of {0}', tool), placeholder: t('Choose what to change; it holds for the next request, in every window'),
    items: [
      { label: `$(git-branch) ${t('Routes…')}`, description: routesWords(now.routes), value: 'routes' },
      { label: `$(sparkle) ${t('Models…')}`, description: modelsWords(now.models), value: 'models' },
      { label: `$(credit-card) ${t('Budget…')}`, description: budgetWords(now), value: 'budget' },
      { label: `$(dashboard) ${t('Limits…')}`, description: limitsWords(now), value: 'limits' },
      { label: `$(clock) ${t('End…')}`, description: stateWords(now, Date.now(), style()), value: 'end' },
      ...(isBounded ? [{ label: `$(unlock) ${t('Take Every Bound Away')}`, value: 'all' } satisfies Choice<Part>] : []),
      { label: `$(trash) ${t('Revoke')}`, description: t('Its token ends at once'), value: 'revoke' },
    ],
  }));
}

async function askChange({ server }: CommandServices, tool: string, part: Exclude<Part, 'revoke' | 'all'>, now: AccessSettings): Promise<Partial<AccessSettings> | undefined> {
  const title = t('Access of {0}', tool);
  switch (part) {
    case 'routes': return wrapped('routes', await askNames(title, t('Choose the routes that {0} may ask for', tool), t('Every route, also those that are made later'), namesOf(server.status?.offered, 'route'), now.routes));
    case 'models': return wrapped('models', await askNames(title, t('Choose the models that {0} may ask for by name; routes go where they lead', tool), t('Every model, also those that come later'), namesOf(server.status?.offered, 'model'), now.models));
    case 'budget': return askBudget(title, now);
    case 'limits': return askLimits(title, now);
    case 'end': return askEnd(title);
  }
}

function wrapped(field: 'routes' | 'models', names: AllowedNames | undefined): Partial<AccessSettings> | undefined {
  return names === undefined ? undefined : { [field]: names };
}

function namesOf(offered: readonly OfferedModel[] | undefined, kind: OfferedModel['kind']): string[] {
  return (offered ?? []).filter(one => one.kind === kind).map(({ requestedModel }) => requestedModel);
}

/** Names that are allowed and no longer offered stay in the list. */
async function askNames(title: string, placeholder: string, everything: string, offered: readonly string[], now: AllowedNames): Promise<AllowedNames | undefined> {
  const names = [...new Set([...offered, ...(now === 'all' ? [] : now)])];
  const picked = valueOf(await askMany<string | null>({
    title, placeholder, picked: value => (value === null ? now === 'all' : now !== 'all' && now.includes(value)),
    items: [{ label: `$(check-all) ${everything}`, value: null }, ...names.map(value => ({ label: value, value }))],
  }));
  if (picked === undefined) return undefined;
  return picked.includes(null) ? 'all' : picked.filter(name => name !== null);
}

async function askBudget(title: string, now: AccessSettings): Promise<Partial<AccessSettings> | undefined> {
  const field = valueOf(await askChoice<'dayMicroUsd' | 'monthMicroUsd'>({
    title, placeholder: t('How long does the budget count?'),
    items: [{ label: t('A Day'), description: t('Begins anew at midnight'), value: 'dayMicroUsd' }, { label: t('A Month'), description: t('Begins anew on the first'), value: 'monthMicroUsd' }],
  }));
  if (field === undefined) return undefined;
  const before = now[field];
  const text = valueOf(await askText({
    title, placeholder: '5', prompt: t('How much may be spent, in US dollars? Empty: no budget'), value: before === undefined ? '' : microUsdToDecimal(before),
    problem: written => {
      const limit = written === '' ? 0 : readLimit(written);
      return typeof limit === 'string' ? limit : undefined;
    },
  }));
  if (text === undefined) return undefined;
  const amount = text === '' ? undefined : readUsd(text);
  return { [field]: typeof amount === 'number' ? amount : undefined };
}

async function askLimits(title: string, now: AccessSettings): Promise<Partial<AccessSettings> | undefined> {
  const field = valueOf(await askChoice<'requestsPerMinute' | 'tokensPerMinute' | 'concurrency'>({
    title, placeholder: t('Which limit?'),
    items: [{ label: t('Requests a Minute'), value: 'requestsPerMinute' }, { label: t('Tokens a Minute'), value: 'tokensPerMinute' }, { label: t('Requests at Once'), value: 'concurrency' }],
  }));
  if (field === undefined) return undefined;
  const text = valueOf(await askText({
    title, placeholder: '60', prompt: t('How many? Empty: no limit'), value: now[field] === undefined ? '' : String(now[field]),
    problem: written => {
      const read = readLimitCount(written);
      return typeof read === 'string' ? read : undefined;
    },
  }));
  const read = text === undefined ? '' : readLimitCount(text);
  return typeof read === 'string' ? undefined : { [field]: read.value };
}

async function askEnd(title: string): Promise<Partial<AccessSettings> | undefined> {
  const span = valueOf(await askChoice<string>({
    title, placeholder: t('When does the access end?'),
    items: [
      { label: t('Never'), value: 'never' }, { label: t('In a Day'), value: '1d' }, { label: t('In 7 Days'), value: '7d' }, { label: t('In 30 Days'), value: '30d' },
      { label: t('On a Date…'), value: '' },
    ],
  }));
  if (span === undefined) return undefined;
  const text = span !== '' ? span : valueOf(await askText({
    title, placeholder: '2026-12-24', prompt: t('The last day of the access, as year-month-day'),
    problem: written => (readExpiry(written, Date.now()) === undefined ? t('Write a day that is not past, such as 2026-12-24.') : undefined),
  }));
  const expiry = text === undefined ? undefined : readExpiry(text, Date.now());
  return expiry === undefined ? undefined : { expiresAt: expiry.at };
}

async function revoked(services: CommandServices, tool: string): Promise<boolean> {
  const revoke = t('Revoke');
  const detail = t('{0} is refused from its next request on, in every window. Its configuration is not changed; connecting it again gives it another token.', tool);
  if (await vscode.window.showWarningMessage(t('Revoke the token of {0}?', tool), { modal: true, detail }, revoke) !== revoke) return false;
  await carriedOut(services, { action: 'revoke', tool });
  void inform(t('The token of {0} is revoked.', tool));
  return true;
}

async function carriedOut({ server }: CommandServices, order: ToolAccessOrder): Promise<void> {
  const result = await server.changeToolAccess(order);
  if ('refused' in result) throw new UserError(result.refused);
}

function style(): { locale: string } {
  return { locale: vscode.env.language };
}
