import type { EndpointStatus, LinkStatus, StatusSnapshot } from '../server/api/status.ts';
import { count, formatMoney, formatUntil, isWhollyUnknown, markdownCell, speakMoney } from './base/format.ts';
import type { Money } from './base/format.ts';
import { healthIcons } from './chat/offeredModels.ts';
import { countdown, drillText } from './drill/drillWording.ts';
import type { StatusBarChoice } from './settings.ts';
import type { ServerState } from './switchyardServer.ts';
import { formatDuration } from './views/figures.ts';

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
export const statusBarCommands = ['switchyard.stopFireDrill', 'switchyard.fireDrillReport', 'switchyard.open', 'switchyard.addProvider', 'switchyard.restartServer', 'switchyard.showLog', 'switchyard.openSettings'] as const;

/** What the status bar says. */
export function statusBarContent(input: StatusBarInput): StatusBarContent {
  switch (input.server) {
    case 'failed':
      return plain('$(error) Switchyard', "Switchyard's server stopped and was not started again.\n\n[Restart Server](command:switchyard.restartServer) · [Show Log](command:switchyard.showLog)",
        'Switchyard: its server is not running', 'error');
    case 'stopped':
      return plain('$(circle-slash) Switchyard', "Switchyard's server is stopped.\n\n[Restart Server](command:switchyard.restartServer)", 'Switchyard: stopped');
    case 'restarting':
      return plain('$(sync~spin) Switchyard', "Switchyard's server is restarting.", 'Switchyard: restarting');
    case 'starting':
      if (input.status === undefined) return plain('$(sync~spin) Switchyard', 'Switchyard is starting.', 'Switchyard: starting');
      return running(input, input.status);
    case 'running':
      if (input.status === undefined) return plain('$(sync~spin) Switchyard', 'Switchyard is starting.', 'Switchyard: starting');
      return running(input, input.status);
  }
}

function running(input: StatusBarInput, status: StatusSnapshot): StatusBarContent {
  const enabled = status.endpoints.filter(endpoint => endpoint.enabled);
  if (status.endpoints.length === 0) {
    if (input.configuredEndpoints > 0) {
      return plain('$(warning) Switchyard', `No provider can be used: ${status.problems[0]?.message ?? 'see the settings.'}\n\n[Open Settings](command:switchyard.openSettings)`,
        'Switchyard: no provider can be used, see the settings');
    }
    return {
      ...plain('$(plus) Switchyard', 'No providers yet.\n\n[Add Provider…](command:switchyard.addProvider)', 'Switchyard: no providers yet, add one'),
      command: 'switchyard.addProvider',
    };
  }
  const money: Money = { microUsd: status.todayMicroUsd, estimated: status.todayEstimated, unknown: status.todayUnknown };
  const up = enabled.filter(canServe).length;
  const health = `${String(up)}/${String(enabled.length)}`;
  const moneyText = isWhollyUnknown(money) ? 'cost unknown' : formatMoney(money);
  const drills = status.drill?.running ?? [];
  const icon = status.link !== undefined ? '$(debug-disconnect)' : status.nothingCanServe ? '$(error)' : drills.length > 0 ? '$(flame)' : '$(pulse)';
  const link = status.link === undefined ? '' : `${linkText(status.link.kind)} · `;
  const text = input.choice === 'health' ? `${icon} ${link}${health}`
    : input.choice === 'spend' ? `${status.nothingCanServe || status.link !== undefined ? icon : '$(credit-card)'} ${link}${moneyText}`
    : `${icon} ${link}${health} · ${moneyText}`;
  return {
    text: drills.length > 0 ? `${text} · fire drill` : text,
    tooltip: tooltip(status, money, input.now),
    spoken: `Switchyard: ${status.link === undefined ? '' : `${linkText(status.link.kind).toLowerCase()}, `}${String(up)} of ${count(enabled.length, 'provider')} up (${stateCounts(enabled)}), ${speakMoney(money)} today`
      + (status.nothingCanServe ? ', nothing can answer a request now' : '')
      + drills.map(drill => `, a fire drill is running: ${drillText(drill)}`).join(''),
    background: status.nothingCanServe ? 'error' : undefined,
    command: 'switchyard.open',
  };
}

/** The trouble with the machine's own link in a few words. */
export function linkText(kind: LinkStatus['kind']): string {
  return kind === 'offline' ? 'Offline' : 'Sign-in page in the way';
}

/** Whether an endpoint counts as up: healthy or degraded; one nobody has tried yet until its first failure. */
export function canServe(endpoint: Pick<EndpointStatus, 'state' | 'breaker' | 'lastError'>): boolean {
  if (endpoint.breaker === 'open') return false;
  switch (endpoint.state) {
    case 'healthy':
    case 'degraded': return true;
    case 'down': return false;
    case 'unknown': return endpoint.lastError === undefined;
  }
}

/** How many are in which state, without those that are in none: `2 healthy, 1 down`. */
function stateCounts(enabled: readonly EndpointStatus[]): string {
  const amounts = { healthy: 0, degraded: 0, down: 0, 'not used yet': 0 };
  for (const endpoint of enabled) {
    if (endpoint.breaker === 'open') amounts.down += 1;
    else amounts[endpoint.state === 'unknown' ? 'not used yet' : endpoint.state] += 1;
  }
  const words = Object.entries(amounts).filter(([, amount]) => amount > 0).map(([state, amount]) => `${String(amount)} ${state}`);
  return words.length === 0 ? 'all switched off' : words.join(', ');
}

/** An endpoint nobody has tried yet counts as healthy until it shows otherwise. */
export function servesWell(endpoint: Pick<EndpointStatus, 'state' | 'breaker'>): boolean {
  return endpoint.state === 'healthy' || (endpoint.state === 'unknown' && endpoint.breaker === 'closed');
}

function tooltip(status: StatusSnapshot, money: Money, now: number): string {
  const rows = status.endpoints.map(endpoint =>
    `| ${markdownCell(endpoint.name)} | ${gap}${endpoint.enabled ? `$(${healthIcons[endpoint.state]}) ` : ''}${markdownCell(stateText(endpoint, now))} | ${gap}${endpoint.firstToken === undefined ? '–' : formatDuration(endpoint.firstToken.p50)} | ${gap}${markdownCell(formatMoney(endpointMoney(endpoint)))} |`);
  const notes = [
    ...(status.drill?.running ?? []).map(drill =>
      `$(flame) **Fire drill:** ${markdownCell(drillText(drill))}, ${countdown(drill.until, now)} left · [Stop](command:switchyard.stopFireDrill) · [Report](command:switchyard.fireDrillReport)`),
    ...(status.link === undefined ? [] : [status.link.kind === 'offline'
      ? '$(debug-disconnect) **Offline:** no provider can be reached from this machine. Local models still work.'
      : '$(debug-disconnect) **Sign-in page in the way:** this network answers in the place of the providers. Open any web page and sign in. Local models still work.']),
    ...(status.nothingCanServe ? ['**No provider can answer a request now.**'] : []),
    ...(money.estimated ? ['\\~ part of it is an estimate'] : []),
    ...(money.unknown > 0 ? [`the cost of ${count(money.unknown, 'call')} is unknown and not in the figures`] : []),
    ...(status.problems.length > 0 ? [`$(warning) ${count(status.problems.length, 'problem')} in the settings · [Open Settings](command:switchyard.openSettings)`] : []),
  ];
  return [
    `**Switchyard** · ${stateCounts(status.endpoints.filter(endpoint => endpoint.enabled))} · ${isWhollyUnknown(money) ? 'cost unknown' : markdownCell(formatMoney(money))} today`,
    '',
    // The editor sets table columns without a gap, so the cells bring their own.
    `| provider | ${gap}state | ${gap}p50 | ${gap}today |`,
    '|:--|:--|--:|--:|',
    ...rows,
    ...notes.flatMap(note => ['', note]),
  ].join('\n');
}

export function endpointMoney(endpoint: Pick<EndpointStatus, 'todayMicroUsd' | 'todayEstimated' | 'todayUnknown'>): Money {
  return { microUsd: endpoint.todayMicroUsd, estimated: endpoint.todayEstimated, unknown: endpoint.todayUnknown };
}

/** The state of an endpoint in a few words: `healthy`, `down, next try in 12 s`, `switched off`. */
export function stateText(endpoint: Pick<EndpointStatus, 'enabled' | 'state' | 'breaker' | 'retryAt' | 'keys' | 'cutOff'>, now: number): string {
  if (!endpoint.enabled) return 'switched off';
  if (endpoint.cutOff !== undefined) return endpoint.cutOff === 'offline' ? 'out of reach: offline' : 'out of reach: sign-in page in the way';
  if (endpoint.breaker === 'open') {
    return endpoint.retryAt === undefined ? 'down' : `down, next try ${endpoint.retryAt <= now ? 'now' : `in ${formatUntil(endpoint.retryAt, now)}`}`;
  }
  if (endpoint.breaker === 'half-open') return 'recovering';
  return endpoint.state === 'unknown' ? 'not used yet' : endpoint.state;
}

function plain(text: string, tooltipText: string, spoken: string, background?: 'error'): StatusBarContent {
  return { text, tooltip: tooltipText, spoken, background, command: 'switchyard.open' };
}
