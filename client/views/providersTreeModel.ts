import type { EndpointStatus, KeyStatus, ModelBreakerStatus, StatusSnapshot } from '../../server/api/status.ts';
import { count, formatMoney, formatUntil, isWhollyUnknown } from '../base/format.ts';
import { describeKey } from '../keys/keyList.ts';
import { endpointMoney, servesWell, stateText } from '../statusText.ts';
import type { ServerState } from '../switchyardServer.ts';
import { formatDuration } from './figures.ts';

/** One line of the Providers view, in plain data. `id` is stable, so that open branches stay open. */
export interface TreeNode {
  id: string;
  label: string;
  description: string;
  /** Plain text; several lines. */
  tooltip: string;
  icon: string;
  /** Theme colour of the icon. */
  color: string | undefined;
  /** What the context menus go by. */
  context: string;
  /** Read out instead of label and description. */
  spoken: string;
  children: TreeNode[];
  expanded: boolean;
  /** What commands of this line need to know. */
  endpoint: string;
  keyId?: string;
  model?: string;
}

/** `testing.iconFailed` and `list.warningForeground` have no colour in the contrast themes; these have one everywhere. */
const colors = { good: 'testing.iconPassed', warn: 'problemsWarningIcon.foreground', bad: 'problemsErrorIcon.foreground' } as const;

/** The whole tree; empty when there is no endpoint. */
export function providerNodes(status: StatusSnapshot | undefined, now: number): TreeNode[] {
  const drilled = new Set(status?.drill?.running.map(drill => drill.endpoint));
  return (status?.endpoints ?? []).map(endpoint => endpointNode(endpoint, now, drilled.has(endpoint.name)));
}

/** The line above the tree, where something needs saying. */
export function treeMessage(server: ServerState, status: StatusSnapshot | undefined, ownProblems: readonly { message: string }[]): string | undefined {
  if (server === 'failed') return "Switchyard's server is not running. Run \"Switchyard: Restart Server\".";
  if (server === 'restarting') return "Switchyard's server is restarting…";
  if (server === 'stopped') return undefined;
  if (status === undefined) return 'Starting…';
  if (status.link !== undefined) return status.link.kind === 'offline' ? 'Offline: only local models can answer.' : 'A sign-in page of this network is in the way: open any web page and sign in.';
  const problems = [...ownProblems, ...status.problems];
  const first = problems[0];
  if (first !== undefined) return problems.length === 1 ? first.message : `${first.message} (and ${count(problems.length - 1, 'more problem')} in the settings)`;
  return undefined;
}

/** How many endpoints that are switched on cannot serve now; for the view's badge. What a fire drill takes away is not counted. */
export function downCount(status: StatusSnapshot | undefined): number {
  const drilled = new Set(status?.drill?.running.map(drill => drill.endpoint));
  return (status?.endpoints ?? []).filter(endpoint => endpoint.enabled && !drilled.has(endpoint.name) && (endpoint.state === 'down' || endpoint.breaker === 'open')).length;
}

function endpointNode(endpoint: EndpointStatus, now: number, drilled: boolean): TreeNode {
  const figure = endpointMoney(endpoint);
  const money = isWhollyUnknown(figure) ? 'cost unknown' : formatMoney(figure);
  const state = stateText(endpoint, now);
  const spent = endpoint.todayMicroUsd > 0 || endpoint.todayUnknown > 0;
  const showsState = !endpoint.enabled || !servesWell(endpoint) || endpoint.state === 'unknown';
  const description = [
    ...(drilled ? ['fire drill'] : []),
    ...(showsState ? [state] : []),
    ...(endpoint.firstToken === undefined ? [] : [formatDuration(endpoint.firstToken.p50)]),
    // What is unknown is said in the tooltip: here is room for figures only.
    ...(spent && !isWhollyUnknown(figure) ? [money] : []),
  ].join(' · ');
  const look = drilled ? { icon: 'flame', color: colors.warn } : endpointLook(endpoint);
  return {
    id: endpoint.name,
    label: endpoint.name,
    description,
    tooltip: endpointTooltip(endpoint, state, money, now),
    icon: look.icon,
    color: look.color,
    context: `endpoint.${endpoint.enabled ? 'enabled' : 'disabled'}.${endpoint.keys.length > 0 ? 'keyed' : 'keyless'}`,
    spoken: `${endpoint.name}, ${endpoint.providerName}, ${drilled ? 'a fire drill is running, ' : ''}${state}${spent ? `, ${money} today` : ''}`,
    expanded: false,
    endpoint: endpoint.name,
    children: [
      ...(endpoint.lastError === undefined || servesWell(endpoint) && now - endpoint.lastError.at > 3_600_000 ? [] : [errorNode(endpoint, endpoint.lastError, now)]),
      ...endpoint.keys.map(key => keyNode(endpoint.name, key, now)),
      ...(endpoint.models.length === 0 ? [] : [modelsNode(endpoint)]),
    ],
  };
}

function endpointLook(endpoint: EndpointStatus): { icon: string; color: string | undefined } {
  if (!endpoint.enabled) return { icon: 'circle-slash', color: 'disabledForeground' };
  if (endpoint.cutOff !== undefined) return { icon: 'debug-disconnect', color: colors.warn };
  if (endpoint.breaker === 'open' || endpoint.state === 'down') return { icon: 'error', color: colors.bad };
  if (endpoint.breaker === 'half-open' || endpoint.state === 'degraded') return { icon: 'warning', color: colors.warn };
  return endpoint.state === 'healthy' ? { icon: 'pass', color: colors.good } : { icon: 'circle-outline', color: undefined };
}

function modelBreakerText({ breaker, retryAt, reason }: ModelBreakerStatus, now: number): string {
  const state = breaker === 'half-open' ? 'recovering' : `kept away, next try ${retryAt === undefined || retryAt <= now ? 'now' : `in ${formatUntil(retryAt, now)}`}`;
  return `${state} (${reason})`;
}

function endpointTooltip(endpoint: EndpointStatus, state: string, money: string, now: number): string {
  const percent = (share: number): string => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
  return [
    `${endpoint.name}: ${endpoint.providerName}${endpoint.region === undefined ? '' : ` (${endpoint.region})`}, ${state}`,
    endpoint.baseUrl,
    ...(endpoint.modelBreakers ?? []).map(one => `${one.model}: ${modelBreakerText(one, now)}`),
    ...(endpoint.firstToken === undefined ? [] : [`First token: ${formatDuration(endpoint.firstToken.p50)} (p50), ${formatDuration(endpoint.firstToken.p95)} (p95), ${formatDuration(endpoint.firstToken.p99)} (p99)`]),
    ...(endpoint.total === undefined ? [] : [`Whole answer: ${formatDuration(endpoint.total.p50)} (p50), ${formatDuration(endpoint.total.p95)} (p95), ${formatDuration(endpoint.total.p99)} (p99)`]),
    ...(endpoint.errorRate === undefined ? [] : [`Errors: ${percent(endpoint.errorRate)}`]),
    ...(endpoint.uptime === undefined ? [] : [`Uptime: ${percent(endpoint.uptime)}`]),
    `Today: ${money}${endpoint.todayUnknown > 0 && endpoint.todayMicroUsd > 0 ? `, without ${count(endpoint.todayUnknown, 'call')} of unknown cost` : ''}`,
  ].join('\n');
}

function errorNode(endpoint: EndpointStatus, error: NonNullable<EndpointStatus['lastError']>, now: number): TreeNode {
  const ago = formatUntil(now, error.at);
  return leaf(endpoint.name, 'error', {
    label: error.message,
    description: ago === 'now' ? 'just now' : `${ago} ago`,
    tooltip: `${error.failureClass}: ${error.message}`,
    icon: 'info', color: undefined, context: 'error',
  });
}

const keyStates: Readonly<Record<KeyStatus['state'], { text: string; color: string | undefined }>> = {
  'ok': { text: '', color: undefined },
  'unused': { text: 'not used yet', color: undefined },
  'rejected': { text: 'rejected: replace it', color: colors.bad },
  'no-money': { text: 'out of money', color: colors.bad },
  'cooling': { text: 'resting', color: colors.warn },
};

function keyNode(endpoint: string, key: KeyStatus, now: number): TreeNode {
  const look = keyStates[key.state];
  const until = key.until !== undefined && key.until > now ? ` (${formatUntil(key.until, now)})` : '';
  return {
    ...leaf(endpoint, `key:${key.id}`, {
      label: describeKey(key), description: look.text === '' ? '' : look.text + until, tooltip: key.reason ?? 'Key', icon: 'key', color: look.color, context: 'key',
    }),
    spoken: `Key ${key.label}${key.last4 === '' ? '' : ` ending in ${[...key.last4].join(' ')}`}${look.text === '' ? '' : `, ${look.text}`}`,
    keyId: key.id,
  };
}

function modelsNode(endpoint: EndpointStatus): TreeNode {
  return {
    ...leaf(endpoint.name, 'models', {
      label: count(endpoint.models.length, 'model'), description: '', tooltip: 'Models this provider lists', icon: 'symbol-misc', color: undefined, context: 'models',
    }),
    children: endpoint.models.map(model => ({
      ...leaf(endpoint.name, `model:${model}`, {
        label: model, description: '', tooltip: `${endpoint.name}/${model}`, icon: 'circle-small', color: undefined, context: 'model',
      }),
      model,
    })),
  };
}

function leaf(endpoint: string, id: string, look: Pick<TreeNode, 'label' | 'description' | 'tooltip' | 'icon' | 'color' | 'context'>): TreeNode {
  return { ...look, id: `${endpoint}/${id}`, spoken: `${look.label} ${look.description}`.trim(), children: [], expanded: false, endpoint };
}
