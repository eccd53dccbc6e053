import { t } from '@vscode/l10n';
import { clockText, conditionIcon, healthOf, isUp, stateText } from '../../../server/api/condition.ts';
import { isSimulated } from '../../../server/api/firstRun/simulated.ts';
import type { ConfigProblem, EndpointStatus, KeyStatus, LatencySummary, ModelBreakerStatus, StatusSnapshot } from '../../../server/api/status.ts';
import { shownMessage } from '../../../server/api/localization/said.ts';
import { targetName } from '../../../server/api/targetName.ts';
import { shownFailure } from '../../base/failureSentences.ts';
import { count, formatMoney, isWhollyUnknown } from '../../base/format.ts';
import { atLeastNote } from '../../base/money.ts';
import { describeKey } from '../../keys/keyList.ts';
import { endpointMoney } from '../../status/statusText.ts';
import type { ServerState } from '../../server/waybillServer.ts';
import { formatDuration } from '../../base/figures.ts';
import { failureText } from '../../base/outcomeWording.ts';
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
export function treeMessage(server: ServerState, status: StatusSnapshot | undefined, ownProblems: readonly Pick<ConfigProblem, 'message' | 'said'>[]): string | undefined {
  if (server === 'failed') return t('Waybill\'s server is not running. Run "Waybill: Restart Server".');
  if (server === 'restarting') return t('Waybill\'s server is restarting…');
  if (server === 'stopped') return undefined;
  if (status === undefined) return t('Starting…');
  if (status.link !== undefined) return status.link.kind === 'offline' ? t('Offline: only local models can answer.') : t('A sign-in page of this network is in the way: open any web page and sign in.');
  const problems = [...ownProblems, ...status.problems];
  const first = problems[0];
  if (first === undefined) return undefined;
  const more = problems.length - 1;
  return more === 0 ? shownMessage(first) : more === 1 ? t('{0} (and 1 more problem in the settings)', shownMessage(first)) : t('{0} (and {1} more problems in the settings)', shownMessage(first), more);
}

/** How many enabled endpoints cannot be asked now; for the view's badge. What a fire drill takes away, and what a person paused, is not counted. */
export function downCount(status: StatusSnapshot | undefined): number {
  const drilled = new Set(status?.drill?.running.map(drill => drill.endpoint));
  return (status?.endpoints ?? []).filter(endpoint => endpoint.enabled && !drilled.has(endpoint.name) && endpoint.condition.kind !== 'paused' && !isUp(endpoint.condition)).length;
}

function endpointNode(endpoint: EndpointStatus, now: number, drilled: boolean): TreeNode {
  const figure = endpointMoney(endpoint);
  const money = isWhollyUnknown(figure) ? t('cost unknown') : formatMoney(figure);
  const state = stateText(endpoint, now);
  const spent = endpoint.todayMicroUsd > 0 || endpoint.todayUnknown > 0 || endpoint.todayUnpriced !== undefined;
  const description = [
    ...(isSimulated(endpoint) ? [t('simulated')] : []),
    ...(drilled ? [t('fire drill')] : []),
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
    spoken: [endpoint.name, endpoint.providerName, ...(drilled ? [t('a fire drill is running')] : []), state, ...(spent ? [t('{0} today', money)] : [])].join(', '),
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
  const state = breaker === 'half-open' ? t('recovering')
    : retryAt === undefined || retryAt <= now ? t('kept away, tried again with the next request') : t('kept away, next try at {0}', clockText(retryAt, now, 'up'));
  return `${state} (${reason})`;
}

function endpointTooltip(endpoint: EndpointStatus, state: string, money: string, now: number): string {
  const { downtime, errorRate, latestHour, limitsLeft } = endpoint;
  const breaker = breakerText(endpoint, now);
  const uptime = downtime === undefined ? undefined : uptimeText(downtime, now, endpoint.lastCheckedAt);
  return [
    ...(isSimulated(endpoint) ? [t('This provider is simulated: it answers without a model, at no cost.')] : []),
    `${endpoint.name}: ${endpoint.providerName}${endpoint.region === undefined ? '' : ` (${endpoint.region})`}, ${state}`,
    ...(isUp(endpoint.condition) || endpoint.lastError === undefined ? [] : [`${clockText(endpoint.lastError.at, now, 'down')}: ${shownFailure(endpoint.lastError.message)}`]),
    endpoint.baseUrl,
    ...(breaker === undefined ? [] : [breaker]),
    ...(endpoint.modelBreakers ?? []).map(one => `${one.model}: ${modelBreakerText(one, now)}`),
    ...(endpoint.firstToken === undefined ? [] : [t('First token in the last 10 min: {0}', latencyText(endpoint.firstToken))]),
    ...(endpoint.total === undefined ? [] : [t('Whole answer in the last 10 min: {0}', latencyText(endpoint.total))]),
    ...(errorRate === undefined ? [] : [t('Errors in the last 10 min: {0} %', Math.round(errorRate * 100))]),
    ...(latestHour === undefined ? [] : [`${hourTitle(latestHour, now)}: ${sparkline(latestHour)} ${hourText(latestHour, now)}`]),
    ...(downtime === undefined ? [] : [downtimeText(downtime, now)]),
    ...(uptime === undefined ? [] : [uptime]),
    ...(limitsLeft ?? []).map(one => t('Limit: {0}', limitText(one, now))),
    [
      t('Today: {0}', money), ...(endpoint.todayUnknown > 0 && endpoint.todayMicroUsd > 0 ? [t('without {0} of unknown cost', count(endpoint.todayUnknown, 'attempt'))] : []),
      ...(endpoint.todayUnpriced === undefined ? [] : [atLeastNote(endpoint.todayUnpriced)]),
    ].join(', '),
  ].join('\n');
}

/** `420 ms usually, 900 ms at most for 95 of 100 requests`. */
function latencyText({ p50, p95, p99 }: LatencySummary): string {
  return [
    t('{0} usually', formatDuration(p50)),
    ...(p95 === undefined ? [] : [t('up to {0} for 95 of 100 requests', formatDuration(p95))]),
    ...(p99 === undefined ? [] : [t('up to {0} for 99', formatDuration(p99))]),
  ].join(', ');
}

/** The figures stand still while nothing changes, so that the tooltip stays open. */
function downtimeText({ watchedSince, pastMs, downSince }: NonNullable<EndpointStatus['downtime']>, now: number): string {
  const since = clockText(watchedSince, now, 'down');
  const before = pastMs < 1000 ? '' : formatDuration(pastMs);
  if (downSince === undefined) return before === '' ? t('Not down since {0}', since) : t('Down for {0} in all since {1}', before, since);
  const from = clockText(downSince, now, 'down');
  return before === '' ? t('Down since {0}', from) : t('Down since {0}, before that for {1} since {2}', from, before, since);
}

/** An error that is over is shown for so long. */
const pastErrorMs = 3_600_000;

/** The last error, with its moment; one of an endpoint that is well again says so, and goes after an hour. */
function errorNodes({ name, condition, lastError }: EndpointStatus, now: number): TreeNode[] {
  const past = condition.kind === 'healthy' || condition.kind === 'unknown' || condition.kind === 'disabled' || condition.kind === 'paused';
  if (lastError === undefined || (past && now - lastError.at > pastErrorMs)) return [];
  const at = clockText(lastError.at, now, 'down');
  const message = shownFailure(lastError.message);
  return [leaf(name, 'error', {
    // The moment first: a narrow sidebar cuts off the end.
    label: past ? t('{0}, over', at) : at,
    // The line above says which provider it is.
    description: withoutSubject(message, name),
    tooltip: past ? t('{0} at {1}, over since: {2}', failureText(lastError.failureClass), at, message) : t('{0} at {1}: {2}', failureText(lastError.failureClass), at, message),
    icon: past ? 'history' : 'info', color: undefined, context: 'error',
  }, past ? t('Past error at {0}: {1}', at, message) : t('Error at {0}: {1}', at, message))];
}

/** The latest hour as a line of small bars; their words are what screen readers say. */
function hourNodes({ name, latestHour }: EndpointStatus, now: number): TreeNode[] {
  if (latestHour === undefined) return [];
  const words = hourText(latestHour, now);
  const failed = latestHour.spans.some(({ failures }) => failures > 0);
  const title = hourTitle(latestHour, now);
  return [leaf(name, 'hour', { label: title, description: `${sparkline(latestHour)} ${failedText(latestHour)}`, tooltip: t('{0}: {1}. Each bar is five minutes, as high as the share of requests that failed.', title, words), icon: 'graph-line', color: failed ? colors.warn : undefined, context: 'hour' }, `${title}: ${words}`)];
}

function limitNodes({ name, limitsLeft }: EndpointStatus, now: number): TreeNode[] {
  return (limitsLeft ?? []).map(one => leaf(name, `limit:${one.kind}`, {
    label: t('Limit'), description: limitText(one, now), tooltip: t('As the provider said with its last answers, less what was sent since; of several keys and models the least.'), icon: 'dashboard', color: undefined, context: 'limit',
  }));
}

/** `refused the connection` of the sentence `north refused the connection.` about `north`. */
function withoutSubject(sentence: string, subject: string): string {
  return sentence.startsWith(`${subject} `) ? sentence.slice(subject.length + 1).replace(/\.$/, '') : sentence;
}

const keyStates: Readonly<Record<KeyStatus['state'], { text: string; color: string | undefined; until?: (state: string, at: string) => string }>> = {
  'ok': { text: '', color: undefined },
  'unused': { text: t('not used yet'), color: undefined },
  'rejected': { text: t('rejected: replace it'), color: colors.bad, until: (state, at) => t('{0}, tried again at {1}', state, at) },
  'no-money': { text: t('out of money'), color: colors.bad, until: (state, at) => t('{0}, tried again at {1}', state, at) },
  'cooling': { text: t('rate-limited'), color: colors.warn, until: (state, at) => t('{0}, back at {1}', state, at) },
};

function keyNode(endpoint: string, key: KeyStatus, now: number): TreeNode {
  const look = keyStates[key.state];
  const state = look.until === undefined || key.until === undefined || key.until <= now ? look.text : look.until(look.text, clockText(key.until, now, 'up'));
  const isWell = key.state === 'ok' || key.state === 'unused';
  const shares = key.sharesLimitsWith === undefined ? [] : [t('shares limits with {0}', key.sharesLimitsWith.join(', '))];
  const description = [state, ...(isWell && key.reason !== undefined ? [key.reason] : []), ...shares].filter(text => text !== '').join(', ');
  // A label such as `key 1` says by itself what it is.
  const name = /^key\b/i.test(key.label) ? `K${key.label.slice(1)}` : t('Key {0}', key.label);
  return {
    ...leaf(endpoint, `key:${key.id}`, {
      label: describeKey(key), description, tooltip: key.reason ?? (description === '' ? t('Key in use') : t('Key {0}', description)), icon: 'key', color: look.color, context: 'key',
    }, [
      name, ...(key.last4 === '' ? [] : [t('ending in {0}', [...key.last4].join(' '))]), ...(description === '' ? [] : [description]), ...(key.reason === undefined || isWell ? [] : [key.reason]),
    ].join(', ')),
    keyId: key.id,
  };
}

function modelsNode(endpoint: EndpointStatus): TreeNode {
  return {
    ...leaf(endpoint.name, 'models', {
      label: count(endpoint.models.length, 'model'), description: '', tooltip: t('Models this provider lists'), icon: 'symbol-misc', color: undefined, context: 'models',
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
