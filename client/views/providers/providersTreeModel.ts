import { clockText, conditionIcon, failureClassWords, healthOf, isUp, stateText } from '../../../server/api/condition.ts';
import { isSimulated } from '../../../server/api/firstRun/simulated.ts';
import type { EndpointStatus, KeyStatus, LatencySummary, ModelBreakerStatus, StatusSnapshot } from '../../../server/api/status.ts';
import { targetName } from '../../../server/api/targetName.ts';
import { count, formatMoney, isWhollyUnknown } from '../../base/format.ts';
import { atLeastNote } from '../../base/money.ts';
import { describeKey } from '../../keys/keyList.ts';
import { endpointMoney } from '../../status/statusText.ts';
import type { ServerState } from '../../server/waybillServer.ts';
import { formatDuration } from '../../base/figures.ts';
import { breakerText, failedText, hourText, hourTitle, limitText, sparkline, uptimeText } from '../../base/healthFigures.ts';
import { canaryRows } from './canaryRows.ts';
import { portRows } from './portRow.ts';
import type { TreeNode } from './treeNode.ts';

/** `testing.iconFailed` and `list.warningForeground` have no colour in the contrast themes; these have one everywhere. */
const colors = { good: 'testing.iconPassed', warn: 'problemsWarningIcon.foreground', bad: 'problemsErrorIcon.foreground' } as const;

/** The whole tree; empty when there is no endpoint. */
export function providerNodes(status: StatusSnapshot | undefined, now: number): TreeNode[] {
  const drilled = new Set(status?.drill?.running.map(drill => drill.endpoint));
  return [...(status?.endpoints ?? []).map(endpoint => endpointNode(endpoint, now, drilled.has(endpoint.name))), ...canaryRows(status), ...portRows(status)];
}

/** The line above the tree, where something needs saying. */
export function treeMessage(server: ServerState, status: StatusSnapshot | undefined, ownProblems: readonly { message: string }[]): string | undefined {
  if (server === 'failed') return "Waybill's server is not running. Run \"Waybill: Restart Server\".";
  if (server === 'restarting') return "Waybill's server is restarting…";
  if (server === 'stopped') return undefined;
  if (status === undefined) return 'Starting…';
  if (status.link !== undefined) return status.link.kind === 'offline' ? 'Offline: only local models can answer.' : 'A sign-in page of this network is in the way: open any web page and sign in.';
  const problems = [...ownProblems, ...status.problems];
  const first = problems[0];
  if (first !== undefined) return problems.length === 1 ? first.message : `${first.message} (and ${count(problems.length - 1, 'more problem')} in the settings)`;
  return undefined;
}

/** How many enabled endpoints cannot be asked now; for the view's badge. What a fire drill takes away, and what a person paused, is not counted. */
export function downCount(status: StatusSnapshot | undefined): number {
  const drilled = new Set(status?.drill?.running.map(drill => drill.endpoint));
  return (status?.endpoints ?? []).filter(endpoint => endpoint.enabled && !drilled.has(endpoint.name) && endpoint.condition.kind !== 'paused' && !isUp(endpoint.condition)).length;
}

function endpointNode(endpoint: EndpointStatus, now: number, drilled: boolean): TreeNode {
  const figure = endpointMoney(endpoint);
  const money = isWhollyUnknown(figure) ? 'cost unknown' : formatMoney(figure);
  const state = stateText(endpoint, now);
  const spent = endpoint.todayMicroUsd > 0 || endpoint.todayUnknown > 0 || endpoint.todayUnpriced !== undefined;
  const description = [
    ...(isSimulated(endpoint) ? ['simulated'] : []),
    ...(drilled ? ['fire drill'] : []),
    ...(endpoint.condition.kind === 'healthy' ? [] : [state]),
    ...(endpoint.firstToken === undefined || !isUp(endpoint.condition) ? [] : [formatDuration(endpoint.firstToken.p50)]),
    // That nothing is known is in the tooltip: here is room for figures only.
    ...(spent && !isWhollyUnknown(figure) ? [money] : []),
  ].join(' · ');
  const look = drilled ? { icon: 'flame', color: colors.warn } : { icon: conditionIcon(endpoint.condition), color: endpointColor(endpoint) };
  return {
    id: endpoint.name,
    label: endpoint.name,
    description,
    tooltip: endpointTooltip(endpoint, state, money, now),
    icon: look.icon,
    color: look.color,
    context: `endpoint.${endpoint.enabled ? 'enabled' : 'disabled'}.${endpoint.keys.length > 0 ? 'keyed' : 'keyless'}${isSimulated(endpoint) ? '.simulated' : ''}${contextEnd(endpoint)}`,
    spoken: `${endpoint.name}, ${endpoint.providerName}, ${drilled ? 'a fire drill is running, ' : ''}${state}${spent ? `, ${money} today` : ''}`,
    expanded: false,
    endpoint: endpoint.name,
    children: [
      ...errorNodes(endpoint, now),
      ...hourNodes(endpoint, now),
      ...limitNodes(endpoint, now),
      ...endpoint.keys.map(key => keyNode(endpoint.name, key, now)),
      ...(endpoint.models.length === 0 ? [] : [modelsNode(endpoint)]),
    ],
  };
}

/** What menus go by: it is paused, or its failures keep it away and can be forgotten. */
function contextEnd({ condition, breaker, modelBreakers, retryAt }: EndpointStatus): string {
  if (condition.kind === 'paused') return '.paused';
  return breaker !== 'closed' || modelBreakers !== undefined || retryAt !== undefined || condition.kind === 'down' ? '.kept' : '';
}

function endpointColor({ condition }: EndpointStatus): string | undefined {
  if (condition.kind === 'disabled' || condition.kind === 'paused') return 'disabledForeground';
  if (condition.kind === 'offline' || condition.kind === 'portal') return colors.warn;
  switch (healthOf(condition)) {
    case 'healthy': return colors.good;
    case 'degraded': return colors.warn;
    case 'down': return colors.bad;
    case 'unknown': return undefined;
  }
}

function modelBreakerText({ breaker, retryAt, reason }: ModelBreakerStatus, now: number): string {
  const state = breaker === 'half-open' ? 'recovering'
    : `kept away, ${retryAt === undefined || retryAt <= now ? 'tried again with the next request' : `next try at ${clockText(retryAt, now, 'up')}`}`;
  return `${state} (${reason})`;
}

function endpointTooltip(endpoint: EndpointStatus, state: string, money: string, now: number): string {
  const { downtime, errorRate, latestHour, limitsLeft } = endpoint;
  const breaker = breakerText(endpoint, now);
  const uptime = downtime === undefined ? undefined : uptimeText(downtime, now, endpoint.lastCheckedAt);
  return [
    ...(isSimulated(endpoint) ? ['This provider is simulated: it answers without a model, at no cost.'] : []),
    `${endpoint.name}: ${endpoint.providerName}${endpoint.region === undefined ? '' : ` (${endpoint.region})`}, ${state}`,
    ...(isUp(endpoint.condition) || endpoint.lastError === undefined ? [] : [`${clockText(endpoint.lastError.at, now, 'down')}: ${endpoint.lastError.message}`]),
    endpoint.baseUrl,
    ...(breaker === undefined ? [] : [breaker]),
    ...(endpoint.modelBreakers ?? []).map(one => `${one.model}: ${modelBreakerText(one, now)}`),
    ...(endpoint.firstToken === undefined ? [] : [`First token in the last 10 min: ${latencyText(endpoint.firstToken)}`]),
    ...(endpoint.total === undefined ? [] : [`Whole answer in the last 10 min: ${latencyText(endpoint.total)}`]),
    ...(errorRate === undefined ? [] : [`Errors in the last 10 min: ${String(Math.round(errorRate * 100))} %`]),
    ...(latestHour === undefined ? [] : [`${hourTitle(latestHour, now)}: ${sparkline(latestHour)} ${hourText(latestHour, now)}`]),
    ...(downtime === undefined ? [] : [downtimeText(downtime, now)]),
    ...(uptime === undefined ? [] : [uptime]),
    ...(limitsLeft ?? []).map(one => `Limit: ${limitText(one, now)}`),
    `Today: ${money}${endpoint.todayUnknown > 0 && endpoint.todayMicroUsd > 0 ? `, without ${count(endpoint.todayUnknown, 'request')} of unknown cost` : ''}${endpoint.todayUnpriced === undefined ? '' : `, ${atLeastNote(endpoint.todayUnpriced)}`}`,
  ].join('\n');
}

/** `420 ms usually, 900 ms at most for 95 of 100 requests`. */
function latencyText({ p50, p95, p99 }: LatencySummary): string {
  return [
    `${formatDuration(p50)} usually`,
    ...(p95 === undefined ? [] : [`up to ${formatDuration(p95)} for 95 of 100 requests`]),
    ...(p99 === undefined ? [] : [`up to ${formatDuration(p99)} for 99`]),
  ].join(', ');
}

/** The figures stand still while nothing changes, so that the tooltip stays open. */
function downtimeText({ watchedSince, pastMs, downSince }: NonNullable<EndpointStatus['downtime']>, now: number): string {
  const since = clockText(watchedSince, now, 'down');
  const before = pastMs < 1000 ? '' : formatDuration(pastMs);
  if (downSince !== undefined) return `Down since ${clockText(downSince, now, 'down')}${before === '' ? '' : `, before that for ${before} since ${since}`}`;
  return before === '' ? `Not down since ${since}` : `Down for ${before} in all since ${since}`;
}

/** An error that is over is shown for so long. */
const pastErrorMs = 3_600_000;

/** The last error, with its moment; one of an endpoint that is well again says so, and goes after an hour. */
function errorNodes({ name, condition, lastError }: EndpointStatus, now: number): TreeNode[] {
  const past = condition.kind === 'healthy' || condition.kind === 'unknown' || condition.kind === 'disabled' || condition.kind === 'paused';
  if (lastError === undefined || (past && now - lastError.at > pastErrorMs)) return [];
  const at = clockText(lastError.at, now, 'down');
  return [leaf(name, 'error', {
    // The moment first: a narrow sidebar cuts off the end.
    label: past ? `${at}, over` : at,
    // The line above says which provider it is.
    description: withoutSubject(lastError.message, name),
    tooltip: `${failureClassWords[lastError.failureClass]} at ${at}${past ? ', over since' : ''}: ${lastError.message}`,
    icon: past ? 'history' : 'info', color: undefined, context: 'error',
  }, past ? `Past error at ${at}: ${lastError.message}` : `Error at ${at}: ${lastError.message}`)];
}

/** The latest hour as a line of small bars; their words are what screen readers say. */
function hourNodes({ name, latestHour }: EndpointStatus, now: number): TreeNode[] {
  if (latestHour === undefined) return [];
  const words = hourText(latestHour, now);
  const failed = latestHour.spans.some(({ failures }) => failures > 0);
  const title = hourTitle(latestHour, now);
  return [leaf(name, 'hour', { label: title, description: `${sparkline(latestHour)} ${failedText(latestHour)}`, tooltip: `${title}: ${words}. Each bar is five minutes, as high as the share of requests that failed.`, icon: 'graph-line', color: failed ? colors.warn : undefined, context: 'hour' }, `${title}: ${words}`)];
}

function limitNodes({ name, limitsLeft }: EndpointStatus, now: number): TreeNode[] {
  return (limitsLeft ?? []).map(one => leaf(name, `limit:${one.kind}`, {
    label: 'Limit', description: limitText(one, now), tooltip: 'As the provider said with its last answers, less what was sent since; of several keys and models the least.', icon: 'dashboard', color: undefined, context: 'limit',
  }));
}

/** `refused the connection` of the sentence `north refused the connection.` about `north`. */
function withoutSubject(sentence: string, subject: string): string {
  return sentence.startsWith(`${subject} `) ? sentence.slice(subject.length + 1).replace(/\.$/, '') : sentence;
}

const keyStates: Readonly<Record<KeyStatus['state'], { text: string; color: string | undefined; until?: string }>> = {
  'ok': { text: '', color: undefined },
  'unused': { text: 'not used yet', color: undefined },
  'rejected': { text: 'rejected: replace it', color: colors.bad, until: 'tried again at' },
  'no-money': { text: 'out of money', color: colors.bad, until: 'tried again at' },
  'cooling': { text: 'rate-limited', color: colors.warn, until: 'back at' },
};

function keyNode(endpoint: string, key: KeyStatus, now: number): TreeNode {
  const look = keyStates[key.state];
  const until = look.until === undefined || key.until === undefined || key.until <= now ? '' : `, ${look.until} ${clockText(key.until, now, 'up')}`;
  const isWell = key.state === 'ok' || key.state === 'unused';
  const shares = key.sharesLimitsWith === undefined ? [] : [`shares limits with ${key.sharesLimitsWith.join(', ')}`];
  const description = [look.text + until, ...(isWell && key.reason !== undefined ? [key.reason] : []), ...shares].filter(text => text !== '').join(', ');
  // A label such as `key 1` says by itself what it is.
  const name = /^key\b/i.test(key.label) ? `K${key.label.slice(1)}` : `Key ${key.label}`;
  return {
    ...leaf(endpoint, `key:${key.id}`, {
      label: describeKey(key), description, tooltip: key.reason ?? (description === '' ? 'Key in use' : `Key ${description}`), icon: 'key', color: look.color, context: 'key',
    }, `${name}${key.last4 === '' ? '' : `, ending in ${[...key.last4].join(' ')}`}${description === '' ? '' : `, ${description}`}${key.reason === undefined || isWell ? '' : `, ${key.reason}`}`),
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
        label: model, description: '', tooltip: targetName(endpoint.name, model), icon: 'circle-small', color: undefined, context: 'model',
      }),
      model,
    })),
  };
}

function leaf(
  endpoint: string, id: string, look: Pick<TreeNode, 'label' | 'description' | 'tooltip' | 'icon' | 'color' | 'context'>, spoken = `${look.label} ${look.description}`.trim(),
): TreeNode {
  return { ...look, id: `${endpoint}/${id}`, spoken, children: [], expanded: false, endpoint };
}
