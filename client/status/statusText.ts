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
  switch (input.server) {
    case 'failed':
      return plain('$(error) Waybill', "Waybill's server stopped and was not started again.\n\n[Restart Server](command:waybill.restartServer) · [Show Log](command:waybill.showLog)",
        'Waybill: its server is not running', 'error');
    case 'stopped':
      return plain('$(circle-slash) Waybill', "Waybill's server is stopped.\n\n[Restart Server](command:waybill.restartServer)", 'Waybill: stopped');
    case 'restarting':
      return plain('$(sync~spin) Waybill', "Waybill's server is restarting.", 'Waybill: restarting');
    case 'starting':
      if (input.status === undefined) return plain('$(sync~spin) Waybill', 'Waybill is starting.', 'Waybill: starting');
      return running(input, input.status);
    case 'running':
      if (input.status === undefined) return plain('$(sync~spin) Waybill', 'Waybill is starting.', 'Waybill: starting');
      return running(input, input.status);
  }
}

function running(input: StatusBarInput, status: StatusSnapshot): StatusBarContent {
  const enabled = status.endpoints.filter(endpoint => endpoint.enabled);
  if (status.endpoints.length === 0) {
    if (input.configuredEndpoints > 0) {
      return plain('$(warning) Waybill', `No provider can be used: ${status.problems[0]?.message ?? 'see the settings.'}\n\n[Open Settings](command:waybill.openSettings)`,
        'Waybill: no provider can be used, see the settings');
    }
    return {
      ...plain('$(plus) Waybill', 'No providers yet.\n\n[Add Provider…](command:waybill.addProvider)', 'Waybill: no providers yet, add one'),
      command: 'waybill.addProvider',
    };
  }
  const money: Money = { microUsd: status.todayMicroUsd, estimated: status.todayEstimated, unknown: status.todayUnknown, unpriced: status.todayUnpriced };
  // Simulated providers do not count beside real ones.
  const simulated = enabled.filter(isSimulated);
  const counted = simulated.length < enabled.length ? enabled.filter(endpoint => !isSimulated(endpoint)) : enabled;
  const up = counted.filter(endpoint => isUp(endpoint.condition)).length;
  const health = `${String(up)}/${String(counted.length)}`;
  const moneyText = isWhollyUnknown(money) ? 'cost unknown' : formatMoney(money);
  const drills = status.drill?.running ?? [];
  const icon = status.link !== undefined ? '$(debug-disconnect)' : status.nothingCanServe ? '$(error)' : drills.length > 0 ? '$(flame)' : '$(pulse)';
  const link = status.link === undefined ? '' : `${linkText(status.link.kind)} · `;
  const text = input.choice === 'health' ? `${icon} ${link}${health}`
    : input.choice === 'spend' ? `${status.nothingCanServe || status.link !== undefined ? icon : '$(credit-card)'} ${link}${moneyText}`
    : `${icon} ${link}${health} · ${moneyText}`;
  return {
    text: `${text}${simulated.length > 0 ? ' · simulated' : ''}${drills.length > 0 ? ' · fire drill' : ''}`,
    tooltip: tooltip(status, money, input.now),
    spoken: `Waybill: ${status.link === undefined ? '' : `${linkText(status.link.kind).toLowerCase()}, `}${String(up)} of ${count(counted.length, 'provider')} up (${stateCounts(counted)}), ${speakMoney(money)} today`
      + (simulated.length > 0 ? `, ${count(simulated.length, 'provider')} ${simulated.length === 1 ? 'is' : 'are'} simulated` : '')
      + (status.nothingCanServe ? ', nothing can answer a request now' : '')
      + drills.map(drill => `, a fire drill is running: ${drillText(drill)}`).join(''),
    background: status.nothingCanServe ? 'error' : undefined,
    command: 'waybill.open',
  };
}

/** The trouble with the machine's own link in a few words. */
export function linkText(kind: NetworkStatus['kind']): string {
  return kind === 'offline' ? 'Offline' : 'Sign-in page in the way';
}

/** How many endpoints are in which condition, the commonest words first: `2 healthy, 1 rate-limited`. */
function stateCounts(enabled: readonly EndpointStatus[]): string {
  const amounts = new Map<string, number>();
  for (const { condition: { kind } } of enabled) {
    const words = conditionText({ kind }, 0);
    amounts.set(words, (amounts.get(words) ?? 0) + 1);
  }
  const texts = [...amounts].sort(([, one], [, other]) => other - one).map(([words, amount]) => `${String(amount)} ${words}`);
  return texts.length === 0 ? 'all disabled' : texts.join(', ');
}

function tooltip(status: StatusSnapshot, money: Money, now: number): string {
  const rows = status.endpoints.map(endpoint =>
    `| ${markdownCell(endpoint.name)} | ${gap}$(${conditionIcon(endpoint.condition)}) ${markdownCell(stateText(endpoint, now))} | ${gap}${endpoint.firstToken === undefined || !isUp(endpoint.condition) ? '–' : formatDuration(endpoint.firstToken.p50)} | ${gap}${isSimulated(endpoint) ? 'simulated' : markdownCell(formatMoney(endpointMoney(endpoint)))} |`);
  const notes = [
    ...(status.drill?.running ?? []).map(drill =>
      `$(flame) **Fire drill:** ${markdownCell(drillText(drill))}, until ${clockText(drill.until, now, 'up')} · [Stop](command:waybill.stopFireDrill) · [Report](command:waybill.fireDrillReport)`),
    ...(status.link === undefined ? [] : [status.link.kind === 'offline'
      ? '$(debug-disconnect) **Offline:** no provider can be reached from this machine. Local models still work.'
      : '$(debug-disconnect) **Sign-in page in the way:** this network answers in the place of the providers. Open any web page and sign in. Local models still work.']),
    ...(status.endpoints.some(isSimulated) ? ['$(beaker) **Simulated:** these providers answer without a model, at no cost · [Remove Simulated Providers](command:waybill.removeSimulated)'] : []),
    ...(status.nothingCanServe ? ['**No provider can answer a request now.**'] : []),
    ...(status.budgets ?? []).filter(({ state }) => state !== 'ok').slice(0, mostBudgets).map(budget => `$(credit-card) **${markdownCell(budgetTitle(budget))}:** ${markdownCell(budgetFigure(budget))}, ${markdownCell(budgetNotes(budget).join(', '))} · [Allow More](command:waybill.allowBudget)`),
    ...(status.budgets ?? []).filter(({ state, of }) => state === 'ok' && of === undefined).slice(0, mostBudgets).map(budget => `${markdownCell(budgetTitle(budget))}: ${markdownCell(budgetFigure(budget))}, ${markdownCell(budgetNotes(budget).join(', '))}`),
    ...(money.estimated ? ['\\~ part of it is an estimate'] : []),
    ...(money.unknown > 0 ? [`the cost of ${count(money.unknown, 'request')} is unknown and not in the figures`] : []),
    ...(money.unpriced === undefined ? [] : [markdownCell(atLeastNote(money.unpriced))]),
    ...(status.problems.length > 0 ? [`$(warning) ${count(status.problems.length, 'problem')} in the settings · [Open Settings](command:waybill.openSettings)`] : []),
  ];
  return [
    `**Waybill** · ${stateCounts(status.endpoints.filter(endpoint => endpoint.enabled))} · ${isWhollyUnknown(money) ? 'cost unknown' : markdownCell(formatMoney(money))} today`,
    '',
    // The editor sets table columns without a gap, so the cells bring their own.
    `| provider | ${gap}state | ${gap}first token | ${gap}today |`,
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
