import type { EndpointStatus } from '../../../api/status.ts';
import type { SharedLedgerFigures } from '../../../ledger/sharedLedger.ts';
import { answerMetrics } from './answerTable.ts';
import { sharedStoreMetrics } from './sharedStoreTable.ts';
import { worstBudgets } from '../worstBudgets.ts';
import { tokenBuckets, type AttemptRow, type RequestRow } from './figures.ts';
import { ofAttempts, ofRequests, ofState, type Metric, type Sample, type TelemetryDrop, type TelemetryFigures } from './metric.ts';

const usd = 1e6;
const target = { endpoint: (row: AttemptRow) => row.endpoint, model: (row: AttemptRow) => row.model };
const route = { route: (row: RequestRow) => row.route };

const requests: readonly Metric[] = [
  ofRequests({ name: 'waybill_requests_total', type: 'counter', help: 'Requests that ended.', labels: { ...route, protocol: row => row.protocol, inbound: row => row.inbound, outcome: row => row.outcome }, value: row => row.seconds.count }),
  ofRequests({ name: 'waybill_request_failures_total', type: 'counter', help: 'Requests whose caller got an error, by the class of the failure.', labels: { ...route, class: row => row.failureClass }, value: row => (row.outcome === 'failed' ? row.seconds.count : undefined) }),
  ofRequests({ name: 'waybill_request_duration_seconds', type: 'histogram', help: 'Time from the arrival of a request to the last byte of its answer.', labels: { ...route, outcome: row => row.outcome }, value: row => row.seconds }),
  ofRequests({ name: 'waybill_request_time_to_first_token_seconds', type: 'histogram', help: 'Time from the arrival of a request to the first content for its caller.', labels: route, value: row => (row.firstTokenSeconds.count === 0 ? undefined : row.firstTokenSeconds) }),
  ofRequests({ name: 'waybill_request_overhead_seconds', type: 'histogram', help: 'Time of a request in which no provider was asked: reading, planning, waiting for a free target, writing.', labels: route, value: row => row.overheadSeconds }),
  ofRequests({ name: 'waybill_fallbacks_total', type: 'counter', help: 'Requests that went on to another target after a failure, by how they ended.', labels: { ...route, outcome: row => row.outcome }, value: row => row.fallbacks }),
  ofRequests({ name: 'waybill_hedged_requests_total', type: 'counter', help: 'Requests of which a second target was asked while the first was slow.', labels: route, value: row => (row.hedged === 0 ? undefined : row.hedged) }),
  ofRequests({ name: 'waybill_hedges_won_total', type: 'counter', help: 'Of those, how many the second target answered.', labels: route, value: row => (row.hedged === 0 ? undefined : row.hedgesWon) }),
  ofRequests({ name: 'waybill_response_cache_requests_total', type: 'counter', help: 'Requests of routes that keep answers, by what became of them: `hit`, `shared`, `miss`, `refresh`, `bypass`.', labels: { ...route, state: row => row.cache }, value: row => (row.cache === '' ? undefined : row.seconds.count) }),
  ofState('waybill_requests_in_flight', 'gauge', [], 'Requests that run in this server now.', ({ figures }) => [[[], figures.running]]),
];

const attempts: readonly Metric[] = [
  ofAttempts({ name: 'waybill_attempts_total', type: 'counter', help: 'Calls of providers that ended.', labels: { ...target, protocol: row => row.protocol, outcome: row => row.outcome }, value: row => row.ended }),
  ofAttempts({ name: 'waybill_attempt_failures_total', type: 'counter', help: 'Calls of providers that failed, by the class of the failure.', labels: { ...target, class: row => row.failureClass }, value: row => (row.outcome === 'failed' ? row.ended : undefined) }),
  ofAttempts({ name: 'waybill_attempt_duration_seconds', type: 'histogram', help: 'Time of one call of a provider.', labels: { ...target, outcome: row => row.outcome }, value: row => row.seconds }),
  ofAttempts({ name: 'waybill_attempt_time_to_first_token_seconds', type: 'histogram', help: 'Time from the start of a call to the first text, reasoning or tool call.', labels: target, value: row => (row.firstTokenSeconds.count === 0 ? undefined : row.firstTokenSeconds) }),
  ofAttempts({ name: 'waybill_hedges_total', type: 'counter', help: 'Calls of a second target beside a slow first one.', labels: { ...target, outcome: row => row.outcome }, value: row => (row.hedges === 0 ? undefined : row.hedges) }),
  tokens(),
  ofAttempts({ name: 'waybill_estimated_usage_attempts_total', type: 'counter', help: 'Calls whose tokens were not all reported, so that some are an estimate.', labels: target, value: row => row.estimatedUsage }),
  ofAttempts({ name: 'waybill_spend_usd_total', type: 'counter', copies: true, help: 'US dollars, as far as they are known. `purpose` is `shadow` for copies that shadows send.', labels: { ...target, purpose: row => row.purpose }, value: row => (row.exactMicroUsd + row.estimatedMicroUsd) / usd }),
  ofAttempts({ name: 'waybill_estimated_spend_usd_total', type: 'counter', copies: true, help: 'The part of `waybill_spend_usd_total` that is an estimate.', labels: { ...target, purpose: row => row.purpose }, value: row => row.estimatedMicroUsd / usd }),
  ofAttempts({ name: 'waybill_unknown_cost_attempts_total', type: 'counter', copies: true, help: 'Calls whose cost is not known, or not all of it: `waybill_spend_usd_total` is then a lower bound.', labels: { ...target, purpose: row => row.purpose }, value: row => row.unknownCost }),
];

function tokens(): Metric {
  const each = tokenBuckets.map(bucket => ofAttempts({ name: '', type: 'counter', help: '', copies: true, labels: { ...target, purpose: row => row.purpose, bucket: () => bucket }, value: row => row.tokens[bucket] }));
  return {
    name: 'waybill_tokens_total', type: 'counter', labels: ['endpoint', 'model', 'purpose', 'bucket'],
    help: 'Tokens by kind: `input` (neither read from nor written to a cache), `cache_read`, `cache_write`, `cache_write_1h`, `output`, and `reasoning`, which is a part of `output`.',
    samples: sources => each.flatMap(one => one.samples(sources)),
  };
}

function endpoints(samples: (endpoint: EndpointStatus, now: number) => readonly Sample[]): Metric['samples'] {
  return ({ status, now }) => status.endpoints.flatMap(endpoint => samples(endpoint, now));
}

function ofSharedLedger(value: (figures: SharedLedgerFigures) => number): Metric['samples'] {
  return ({ sharedLedger }) => (sharedLedger === undefined ? [] : [[[], value(sharedLedger)]]);
}

const states = ['healthy', 'degraded', 'down', 'unknown'] as const;
const breakers = ['closed', 'half-open', 'open'] as const;

const health: readonly Metric[] = [
  ofState('waybill_endpoint_up', 'gauge', ['endpoint', 'provider'], '1 where requests can go to the endpoint now; 0 where it is down, disabled or paused.', endpoints(({ name, provider, state, enabled, condition }) => [[[name, provider], state !== 'down' && enabled && condition.kind !== 'paused' ? 1 : 0]])),
  ofState('waybill_endpoint_state', 'gauge', ['endpoint', 'state'], '1 for the state that the endpoint is in, 0 for the others.', endpoints(({ name, state }) => states.map(one => [[name, one], one === state ? 1 : 0] as const))),
  ofState('waybill_breaker_state', 'gauge', ['endpoint', 'state'], '1 for the state that the breaker of the endpoint is in, 0 for the others.', endpoints(({ name, breaker }) => breakers.map(one => [[name, one], one === breaker ? 1 : 0] as const))),
  ofState('waybill_models_kept_away', 'gauge', ['endpoint'], 'Models at the endpoint whose own breaker is not closed.', endpoints(({ name, modelBreakers }) => [[[name], modelBreakers?.length ?? 0]])),
  ofState('waybill_cooldown_seconds', 'gauge', ['endpoint'], 'Time until the endpoint is asked again; 0 where it is asked now.', endpoints(({ name, retryAt }, now) => [[[name], retryAt === undefined ? 0 : Math.max(0, retryAt - now) / 1000]])),
  ofState('waybill_keys', 'gauge', ['endpoint', 'state'], 'Keys of the endpoint by their state: `ok`, `unused`, `rejected`, `no-money`, `cooling`.', endpoints(({ name, keys }) => [...Map.groupBy(keys, ({ state }) => state)].map(([state, those]) => [[name, state], those.length] as const))),
  ofState('waybill_limit_remaining', 'gauge', ['endpoint', 'kind'], 'What the provider said is left of its limit, less what was sent since: of several keys and models the least.', endpoints(({ name, limitsLeft }) => (limitsLeft ?? []).map(({ kind, remaining }) => [[name, kind], remaining] as const))),
  ofState('waybill_limit', 'gauge', ['endpoint', 'kind'], 'The limit of which `waybill_limit_remaining` is left.', endpoints(({ name, limitsLeft }) => (limitsLeft ?? []).flatMap(({ kind, limit }) => (limit === undefined ? [] : [[[name, kind], limit] as const])))),
  ofState('waybill_spend_today_usd', 'gauge', ['endpoint'], 'US dollars of today, by the ledger of all servers of the data folder, as far as they are known.', endpoints(({ name, todayMicroUsd }) => [[[name], todayMicroUsd / usd]])),
  ofState('waybill_unknown_cost_today', 'gauge', ['endpoint'], 'Calls of today whose cost is not known.', endpoints(({ name, todayUnknown }) => [[[name], todayUnknown]])),
  ofState('waybill_budget_limit_usd', 'gauge', ['budget'], 'The limit of a budget.', ({ status }) => worstBudgets(status.budgets ?? []).map(({ name, limitMicroUsd }) => [[name], limitMicroUsd / usd] as const)),
  ofState('waybill_budget_remaining_usd', 'gauge', ['budget'], 'What is left of a budget; of one that is for many, the least. Negative where more was spent.', ({ status }) => worstBudgets(status.budgets ?? []).flatMap(({ name, leftMicroUsd }) => (leftMicroUsd === undefined ? [] : [[[name], leftMicroUsd / usd] as const]))),
  ofState('waybill_budget_used_ratio', 'gauge', ['budget'], 'What is used of a budget as a share of its limit; of one that is for many, the most.', ({ status }) => worstBudgets(status.budgets ?? []).map(({ name, share }) => [[name], share] as const)),
  ofState('waybill_canary_share', 'gauge', ['route', 'phase'], 'The share of conversations that go to the canary of the route now, 0 to 1.', ({ status }) => (status.canaries ?? []).map(({ route: name, phase, share }) => [[name, phase], share / 100] as const)),
  ofState('waybill_nothing_can_serve', 'gauge', [], '1 where no route and no model can serve, though there are endpoints.', ({ status }) => [[[], status.nothingCanServe ? 1 : 0]]),
  ofState('waybill_configuration_problems', 'gauge', [], 'What is wrong in the configuration in use.', ({ status }) => [[[], status.problems.length]]),
];

const server: readonly Metric[] = [
  ofState('waybill_build_info', 'gauge', ['version'], 'Always 1, with the version of Waybill.', ({ process }) => [[[process.version], 1]]),
  ofState('waybill_event_loop_delay_p50_seconds', 'gauge', [], 'How late the event loop was since metrics were last read, looked at once a second, the median.', ({ process }) => [[[], process.loopDelay.p50]]),
  ofState('waybill_event_loop_delay_p99_seconds', 'gauge', [], 'The same, the 99th percentile.', ({ process }) => [[[], process.loopDelay.p99]]),
  ofState('waybill_event_loop_delay_max_seconds', 'gauge', [], 'The same, the longest.', ({ process }) => [[[], process.loopDelay.max]]),
  ofState('waybill_ledger_open', 'gauge', [], '1 where the ledger can be used now.', ({ ledger }) => [[[], ledger.isOpen ? 1 : 0]]),
  ofState('waybill_ledger_backlog', 'gauge', [], 'Requests whose record waits to be written.', ({ ledger }) => [[[], ledger.waiting]]),
  ofState('waybill_ledger_lag_seconds', 'gauge', [], 'How long the oldest record waits to be written.', ({ ledger }) => [[[], ledger.lagMs / 1000]]),
  ofState('waybill_replica_news_total', 'counter', ['outcome'], 'What this server found out and `told` other replicas over Redis, what it `heard` from them, and what it dropped: `refused`, of another version or a wrong form; `elsewhere`, of an endpoint or key that it does not have; `dropped`, of many that say the same, or too many while Redis was away.', ({ news }) => (news === undefined ? [] : Object.entries(news).map(([outcome, count]) => [[outcome], count] as const))),
  ofState('waybill_shared_ledger_up', 'gauge', [], '1 where the ledger that replicas share in PostgreSQL can be read and written now. The metrics of it are there where one is configured.', ofSharedLedger(({ isUp }) => (isUp ? 1 : 0))),
  ofState('waybill_shared_ledger_backlog', 'gauge', [], 'Requests that wait to be copied to the shared ledger.', ofSharedLedger(({ waiting }) => waiting)),
  ofState('waybill_shared_ledger_lag_seconds', 'gauge', [], 'How long ago the first of them ended.', ofSharedLedger(({ lagMs }) => lagMs / 1000)),
  ofState('waybill_shared_ledger_batches_total', 'counter', [], 'Batches that were copied to the shared ledger.', ofSharedLedger(({ batches }) => batches)),
  ofState('waybill_shared_ledger_requests_total', 'counter', [], 'Requests that were copied to the shared ledger; one that got another price later counts again.', ofSharedLedger(({ exchanges }) => exchanges)),
  ofState('waybill_shared_ledger_refused_total', 'counter', [], 'Requests that PostgreSQL refused for what is in them; they stay in the local ledger.', ofSharedLedger(({ refused }) => refused)),
  ofState('waybill_shared_ledger_errors_total', 'counter', [], 'Reads and writes of the shared ledger that failed.', ofSharedLedger(({ errors }) => errors)),
  ofState('waybill_shared_ledger_copy_seconds_total', 'counter', [], 'Time that copying to the shared ledger took.', ofSharedLedger(({ busyMs }) => busyMs / 1000)),
  ofState('waybill_metrics_dropped_total', 'counter', [], 'Attempts and requests that are in no metric, because there are too many sets of labels.', ({ figures }) => [[[], figures.dropped]]),
  ofState('process_cpu_seconds_total', 'counter', [], 'Processor time of the server.', ({ process }) => [[[], process.cpuSeconds]]),
  ofState('process_resident_memory_bytes', 'gauge', [], 'Memory of the server that is in use.', ({ process }) => [[[], process.residentBytes]]),
  ofState('process_start_time_seconds', 'gauge', [], 'When the server started, in seconds since the epoch.', ({ process }) => [[[], process.startedAt]]),
  ofState('nodejs_heap_size_used_bytes', 'gauge', [], 'Memory that JavaScript objects of the server use.', ({ process }) => [[[], process.heapBytes]]),
];

/** Where metrics or traces are sent. */
function telemetry(samples: (figures: TelemetryFigures) => readonly Sample[]): Metric['samples'] {
  return sources => (sources.telemetry === undefined ? [] : samples(sources.telemetry));
}

const drops: Readonly<Record<TelemetryDrop, string>> = { full: 'queue-full', tooMany: 'too-many-requests', refused: 'refused', unreachable: 'unreachable', rejected: 'rejected', ended: 'ended', points: 'rejected-points' };

const sent: readonly Metric[] = [
  ofState('waybill_telemetry_spans_sent_total', 'counter', [], 'Spans that a receiver of the OpenTelemetry protocol took.', telemetry(({ spansSent }) => [[[], spansSent]])),
  ofState('waybill_telemetry_spans_waiting', 'gauge', [], 'Spans that wait to be sent.', telemetry(({ waiting }) => [[[], waiting]])),
  ofState('waybill_telemetry_dropped_total', 'counter', ['reason'], 'What was left out: spans because too many wait (`queue-full`), the receiver refused them (`refused`), took them out (`rejected`) or was not reached (`unreachable`), or the server ended or sends elsewhere (`ended`, one for each request that still ran); requests because too many were traced at once (`too-many-requests`); values of metrics that the receiver took out (`rejected-points`).', telemetry(({ dropped }) => (Object.keys(drops) as TelemetryDrop[]).map(one => [[drops[one]], dropped[one]] as const))),
  ofState('waybill_telemetry_metrics_sent_total', 'counter', [], 'How often a receiver took the metrics.', telemetry(({ metricsSent }) => [[[], metricsSent]])),
  ofState('waybill_telemetry_metrics_lost_total', 'counter', [], 'How often it did not. Sums lose nothing by that.', telemetry(({ metricsLost }) => [[[], metricsLost]])),
];

/** Waybill's own metrics, in the order in which they are written. */
export const ownMetrics: readonly Metric[] = [...requests, ...attempts, ...health, ...server, ...sharedStoreMetrics, ...answerMetrics, ...sent];
