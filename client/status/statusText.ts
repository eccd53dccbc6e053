import { t } from '@vscode/l10n';
import { clockText, conditionIcon, conditionText, isUp, stateText } from '../../server/api/condition.ts';
import { isSimulated } from '../../server/api/firstRun/simulated.ts';
import type { EndpointStatus, NetworkStatus, StatusSnapshot } from '../../server/api/status.ts';
import { count, formatMoney, isWhollyUnknown, markdownCell, speakMoney } from '../base/format.ts';
import type { Money } from '../base/format.ts';
import { atLeastNote } from '../base/money.ts';
import { budgetFigure, budgetNotes, budgetTitle } from '../base/budgetWording.ts';
import { drillText } from '../base/drillWording.ts';
import type { StatusBarChoice } from '../settings/settings.ts';
import type { ServerState } from '../server/waybillServer.ts';
import { formatDuration } from '../base/figures.ts';

/** The status bar item in plain data. */
export interface StatusBarContent {
  text: string;
  /** Markdown; its only links are commands named in `statusBarCommands`. */
  tooltip: string;
  /** For screen readers. */
  spoken: string;
  background: 'error' | undefined;
  /** A command id run on click. */
  command: string;
}

export interface StatusBarInput {
  server: ServerState;
  status: StatusSnapshot | undefined;
  /** How many endpoints the settings name; known before the server says anything. */
  configuredEndpoints: number;
  choice: Exclude<StatusBarChoice, 'off'>;
  now: number;
}

const gap = '&nbsp;&nbsp;&nbsp;';

/** The commands the tooltip may run. */
export const statusBarCommands = ['waybill.stopFireDrill', 'waybill.fireDrillReport', 'waybill.open', 'waybill.addProvider', 'waybill.removeSimulated', 'waybill.restartServer', 'waybill.showLog', 'waybill.openSettings', 'waybill.allowBudget'] as const;
/** Budgets that are near their limit, and those of everything, each at most so many. */
const mostBudgets = 3;

/** What the status bar says. */
export function statusBarContent(input: StatusBarInput): StatusBarContent {
  const restart = `[${t('Restart Server')}](command:waybill.restartServer)`;
  switch (input.server) {
    case 'failed':
      return plain('$(error) Waybill', `${t("Waybill's server stopped and was not started again.")}\n\n${restart} · [${t('Show Log')}](command:waybill.showLog)`,
        t('Waybill: its server is not running'), 'error');
    case 'stopped':
      return plain('$(circle-slash) Waybill', `${t("Waybill's server is stopped.")}\n\n${restart}`, t('Waybill: stopped'));
    case 'restarting':
      return plain('$(sync~spin) Waybill', t("Waybill's server is restarting."), t('Waybill: restarting'));
    case 'starting':
      if (input.status === undefined) return plain('$(sync~spin) Waybill', t('Waybill is starting.'), t('Waybill: starting'));
      return running(input, input.status);
    case 'running':
      if (input.status === undefined) return plain('$(sync~spin) Waybill', t('Waybill is starting.'), t('Waybill: starting'));
      return running(input, input.status);
  }
}

function running(input: StatusBarInput, status: StatusSnapshot): StatusBarContent {
  const enabled = status.endpoints.filter(endpoint => endpoint.enabled);
  if (status.endpoints.length === 0) {
    if (input.configuredEndpoints > 0) {
      return plain('$(warning) Waybill', `${t('No provider can be used: {0}', status.problems[0]?.message ?? t('see the settings.'))}\n\n${settingsLink()}`,
        t('Waybill: no provider can be used, see the settings'));
    }
    return {
      ...plain('$(plus) Waybill', `${t('No providers yet.')}\n\n[${t('Add Provider…')}](command:waybill.addProvider)`, t('Waybill: no providers yet, add one')),
      command: 'waybill.addProvider',
    };
  }
  const money: Money = { microUsd: status.todayMicroUsd, estimated: status.todayEstimated, unknown: status.todayUnknown, unpriced: status.todayUnpriced };
  // Simulated providers do not count beside real ones.
  const simulated = enabled.filter(isSimulated);
  const counted = simulated.length < enabled.length ? enabled.filter(endpoint => !isSimulated(endpoint)) : enabled;
  const up = counted.filter(endpoint => isUp(endpoint.condition)).length;
  const health = `${String(up)}/${String(counted.length)}`;
  const moneyText = isWhollyUnknown(money) ? t('cost unknown') : formatMoney(money);
  const drills = status.drill?.running ?? [];
  const icon = status.link !== undefined ? '$(debug-disconnect)' : status.nothingCanServe ? '$(error)' : drills.length > 0 ? '$(flame)' : '$(pulse)';
  const link = status.link === undefined ? '' : `${linkText(status.link.kind)} · `;
  const text = input.choice === 'health' ? `${icon} ${link}${health}`
    : input.choice === 'spend' ? `${status.nothingCanServe || status.link !== undefined ? icon : '$(credit-card)'} ${link}${moneyText}`
    : `${icon} ${link}${health} · ${moneyText}`;
  return {
    text: [text, ...(simulated.length > 0 ? [t('simulated')] : []), ...(drills.length > 0 ? [t('fire drill')] : [])].join(' · '),
    tooltip: tooltip(status, money, input.now),
    spoken: `Waybill: ${[
      ...(status.link === undefined ? [] : [linkText(status.link.kind).toLowerCase()]),
      t('{0} of {1} up ({2})', up, count(counted.length, 'provider'), stateCounts(counted)),
      t('{0} today', speakMoney(money)),
      ...(simulated.length === 0 ? [] : [simulated.length === 1 ? t('1 provider is simulated') : t('{0} providers are simulated', simulated.length)]),
      ...(status.nothingCanServe ? [t('nothing can answer a request now')] : []),
      ...drills.map(drill => t('a fire drill is running: {0}', drillText(drill))),
    ].join(', ')}`,
    background: status.nothingCanServe ? 'error' : undefined,
    command: 'waybill.open',
  };
}

/** The trouble with the machine's own link in a few words. */
export function linkText(kind: NetworkStatus['kind']): string {
  return kind === 'offline' ? t('Offline') : t('Sign-in page in the way');
}

/** How many endpoints are in which condition, the commonest words first: `2 healthy, 1 rate-limited`. */
function stateCounts(enabled: readonly EndpointStatus[]): string {
  const amounts = new Map<string, number>();
  for (const { condition: { kind } } of enabled) {
    const words = conditionText({ kind }, 0);
    amounts.set(words, (amounts.get(words) ?? 0) + 1);
  }
  const texts = [...amounts].sort(([, one], [, other]) => other - one).map(([words, amount]) => `${String(amount)} ${words}`);
  return texts.length === 0 ? t('all disabled') : texts.join(', ');
}

function settingsLink(): string {
  return `[${t('Open Settings')}](command:waybill.openSettings)`;
}

function tooltip(status: StatusSnapshot, money: Money, now: number): string {
  const rows = status.endpoints.map(endpoint =>
    `| ${markdownCell(endpoint.name)} | ${gap}$(${conditionIcon(endpoint.condition)}) ${markdownCell(stateText(endpoint, now))} | ${gap}${endpoint.firstToken === undefined || !isUp(endpoint.condition) ? '–' : formatDuration(endpoint.firstToken.p50)} | ${gap}${isSimulated(endpoint) ? t('simulated') : markdownCell(formatMoney(endpointMoney(endpoint)))} |`);
  const notes = [
    ...(status.drill?.running ?? []).map(drill =>
      `$(flame) ${t('**Fire drill:** {0}, until {1}', markdownCell(drillText(drill)), clockText(drill.until, now, 'up'))} · [${t('Stop')}](command:waybill.stopFireDrill) · [${t('Report')}](command:waybill.fireDrillReport)`),
    ...(status.link === undefined ? [] : [status.link.kind === 'offline'
      ? `$(debug-disconnect) ${t('**Offline:** no provider can be reached from this machine. Local models still work.')}`
      : `$(debug-disconnect) ${t('**Sign-in page in the way:** this network answers in the place of the providers. Open any web page and sign in. Local models still work.')}`]),
    ...(status.endpoints.some(isSimulated) ? [`$(beaker) ${t('**Simulated:** these providers answer without a model, at no cost')} · [${t('Remove Simulated Providers')}](command:waybill.removeSimulated)`] : []),
    ...(status.nothingCanServe ? [`**${t('No provider can answer a request now.')}**`] : []),
    ...(status.budgets ?? []).filter(({ state }) => state !== 'ok').slice(0, mostBudgets).map(budget => `$(credit-card) **${markdownCell(budgetTitle(budget))}:** ${markdownCell(budgetFigure(budget))}, ${markdownCell(budgetNotes(budget).join(', '))} · [${t('Allow More')}](command:waybill.allowBudget)`),
    ...(status.budgets ?? []).filter(({ state, of }) => state === 'ok' && of === undefined).slice(0, mostBudgets).map(budget => `${markdownCell(budgetTitle(budget))}: ${markdownCell(budgetFigure(budget))}, ${markdownCell(budgetNotes(budget).join(', '))}`),
    ...(money.estimated ? [t('\\~ part of it is an estimate')] : []),
    ...(money.unknown > 0 ? [t('the cost of {0} is unknown and not in the figures', count(money.unknown, 'attempt'))] : []),
    ...(money.unpriced === undefined ? [] : [markdownCell(atLeastNote(money.unpriced))]),
    ...(status.problems.length > 0 ? [`$(warning) ${t('{0} in the settings', count(status.problems.length, 'problem'))} · ${settingsLink()}`] : []),
  ];
  return [
    `**Waybill** · ${stateCounts(status.endpoints.filter(endpoint => endpoint.enabled))} · ${t('{0} today', isWhollyUnknown(money) ? t('cost unknown') : markdownCell(formatMoney(money)))}`,
    '',
    // The editor sets table columns without a gap, so the cells bring their own.
    `| ${t('provider')} | ${gap}${t('state')} | ${gap}${t('first token')} | ${gap}${t('today')} |`,
    '|:--|:--|--:|--:|',
    ...rows,
    ...notes.flatMap(note => ['', note]),
  ].join('\n');
}

export function endpointMoney(endpoint: Pick<EndpointStatus, 'todayMicroUsd' | 'todayEstimated' | 'todayUnknown' | 'todayUnpriced'>): Money {
  return { microUsd: endpoint.todayMicroUsd, estimated: endpoint.todayEstimated, unknown: endpoint.todayUnknown, unpriced: endpoint.todayUnpriced };
}

function plain(text: string, tooltipText: string, spoken: string, background?: 'error'): StatusBarContent {
  return { text, tooltip: tooltipText, spoken, background, command: 'waybill.open' };
}
