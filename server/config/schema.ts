import * as z from 'zod/mini';
import { protocolNames } from '../api/conversation.ts';
import { requestRoles, workKinds, type RequestRole, type WorkKind } from '../api/purpose.ts';
import { budgetOutcomes, budgetPeriods, budgetScopes, type BudgetOutcome, type BudgetPeriod, type BudgetScope, type BudgetSettings } from '../api/budgets/budgetSettings.ts';
import { amount, described, expectations, listed, optional, percent, positive, share, text, whole } from './fields/fields.ts';
import { monitoringSchema, type alertSchema, type metricsSchema, type webhookSchema } from './monitoring/monitoringSchema.ts';
import { ledgerSchema, type postgresSchema } from './ledger/ledgerSchema.ts';
import type { LedgerSettings, PostgresSettings } from '../api/ledger/ledgerSettings.ts';
import { listenSchema, type listenTlsSchema } from './listen/listenSchema.ts';
import type { ListenSettings, ListenTlsSettings } from '../api/listen/listenSettings.ts';
import { stateSchema, type redisSchema, type redisTlsSchema, type whenAwaySchema } from './state/stateSchema.ts';
import type { AwaySettings, RedisSettings, RedisTlsSettings, StateSettings } from '../api/state/stateSettings.ts';
import type { otlpSchema } from './monitoring/otlpSchema.ts';
import type { AlertSettings, MetricsSettings, MonitoringSettings, OtlpSettings, WebhookSettings } from '../api/monitoring/monitoringSettings.ts';
import { largestPricePerMTok, largestTokenLimit } from '../base/figures.ts';
import { anthropicVersions, cachedTemperatures, canaryAdvances, capOutcomes, capScopes, endpointBillings, keyRotations, routeStrategies, shadowDraws, targetTiers } from '../api/settings.ts';
import type { BreakerSettings, CanaryGateSettings, CanarySettings, CapOutcome, CapSettings, EndpointBilling, EndpointSettings, HedgeSettings, KeyRotationName, LastResortSettings, LimitSettings, ModelSettings, PriceSettings, ResponseCacheSettings, RouteSettings, ShadowSettings, StrategyName, TargetTier, TimeoutSettings, ToolModelSettings, WarmCacheSettings } from '../api/settings.ts';

/*
 * The one schema of what a user writes. Types in server/api/settings.ts, validation, the settings' JSON Schema and
 * the descriptions people read all agree with it. Import it lazily: loading zod is the slowest part of a start.
 */

const hourMs = 3_600_000;

/** Names travel in HTTP headers and in `endpoint/model`, so they are plain. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * What a text names: `target`: `endpoint/model`. `entry`: that, or a route. `name`: a route, a model or a target. `model`. `provider`.
 * A mapping with `keys` has such names before its colons: `targets` of its route, or `models` of its endpoint, of all outside an endpoint.
 */
export type Reference = { to: 'target' | 'entry' | 'name' | 'model' | 'provider' | 'region' } | { keys: 'targets' | 'models' };
export const references = z.registry<Reference>();

function naming(to: 'target' | 'entry' | 'name' | 'model' | 'provider' | 'region', maxLength = 2000): z.ZodMiniString {
  return text(1, maxLength).register(references, { to });
}

export const timeoutSchema = z.strictObject({
  connectMs: optional(whole(10, 120_000), 'Longest wait for a connection, in milliseconds. Default: learnt from the endpoint\'s own connections, at most 5000.'),
  headersMs: optional(whole(10, hourMs), 'Longest wait for the response headers, in milliseconds. Default: learnt from the endpoint\'s own answers, at most 30000; 300000 for a server on this machine or a private network. With no other target to take over: as long as `totalMs`.'),
  firstTokenMs: optional(whole(10, hourMs), 'Longest wait for the first text, reasoning or tool call, in milliseconds. Default: learnt from the endpoint\'s own answers, at most 60000; 300000 for a server on this machine or a private network. With no other target to take over: as long as `totalMs`.'),
  idleMs: optional(whole(10, hourMs), 'Longest silence in the middle of a stream, in milliseconds. Default: learnt from the endpoint\'s own streams, at most 60000.'),
  totalMs: optional(whole(10, 24 * hourMs), 'Longest time of one attempt, in milliseconds. Default 600000; 1800000 for a server on this machine or a private network.'),
  minTokensPerSecond: optional(amount(10_000), 'The least a streamed answer must bring, in tokens a second, once it has begun. 0 turns the check off. Default: learnt, far below what the endpoint usually brings.'),
});

export const priceSchema = z.strictObject({
  inputPerMTok: described(amount(largestPricePerMTok), 'US dollars for a million input tokens.'),
  outputPerMTok: described(amount(largestPricePerMTok), 'US dollars for a million output tokens, reasoning included.'),
  cacheReadPerMTok: optional(amount(largestPricePerMTok), 'US dollars for a million input tokens read from the prompt cache.'),
  cacheWritePerMTok: optional(amount(largestPricePerMTok), 'US dollars for a million tokens written to a short-lived prompt cache.'),
  cacheWrite1hPerMTok: optional(amount(largestPricePerMTok), 'US dollars for a million tokens written to a long-lived (1 hour) prompt cache.'),
});

export const modelSchema = z.strictObject({
  upstream: optional(text(), "The provider's own name of this model, such as `deepseek-chat`."),
  contextWindow: optional(whole(256, largestTokenLimit), 'Tokens that prompt and answer may have together.'),
  maxOutputTokens: optional(whole(1, largestTokenLimit), 'Tokens an answer may have.'),
  tools: optional(z.boolean(), 'The model can call tools.'),
  images: optional(z.boolean(), 'The model can read images.'),
  thinking: optional(z.boolean(), 'The model can reason before it answers.'),
  prices: optional(priceSchema, 'What this endpoint charges for the model; wins over every built-in price.'),
});

export const limitSchema = z.strictObject({
  requestsPerMinute: optional(whole(1, 10_000_000), 'Requests in any 60 seconds.'),
  tokensPerMinute: optional(whole(1, 1_000_000_000_000), 'Tokens in any 60 seconds, in and out. The prompt and the longest answer that a request allows are reserved before it is sent; an answer to a request that names no longest one counts at its end.'),
  concurrency: optional(whole(1, 100_000), 'Requests at the same time. The places of a window or server that was killed are free within two seconds.'),
  perKey: optional(z.strictObject({
    requestsPerMinute: optional(whole(1, 10_000_000), 'Requests a minute.'),
    tokensPerMinute: optional(whole(1, 1_000_000_000_000), 'Tokens a minute, in and out.'),
  }), 'Limits of each key by itself; when one is reached, the next key is used.'),
});

export const breakerSchema = z.strictObject({
  failures: optional(whole(1, 1000), 'Failures in a row that open the breaker. Default 5.'),
  failureRate: optional(share(), 'Share of failed attempts, from 0 to 1, above which the breaker opens. Default 0.5.'),
  minimumAttempts: optional(whole(1, 10_000), 'Attempts that must have been made before the share counts. Default 10.'),
  windowMs: optional(whole(1000, 24 * hourMs), 'The time over which the share is taken, in milliseconds. Default 600000.'),
  openForMs: optional(whole(100, 24 * hourMs), 'How long an open breaker keeps requests away, in milliseconds; twice as long each time in a row. Default 30000.'),
  maxOpenForMs: optional(whole(100, 24 * hourMs), 'The longest an open breaker keeps requests away, in milliseconds. Default: ten times `openForMs`, and not above 600000.'),
  halfOpenProbes: optional(whole(1, 100), 'Trial requests that must go well before it closes, one at a time. Default 1.'),
});

export const endpointSchema = z.strictObject({
  provider: described(naming('provider'), 'The kind of provider, such as `openai`, `anthropic`, `holysheep` or `openai-compatible`.'),
  protocol: optional(z.enum(protocolNames), 'The wire format to use, where the provider speaks several.'),
  baseUrl: optional(text(), 'Where the provider is reached. It replaces the default address, and is used as it is but for a slash at its end: give `/v1` where the server wants it.'),
  region: optional(naming('region'), 'One of the regions of the provider, which picks its address; for others, a label. Amazon Bedrock: any region of AWS; default: `AWS_REGION` of the environment, else `us-east-1`.'),
  project: optional(text(), 'Vertex AI: the Google Cloud project. Default: the project of the service account, or of the login of this machine.'),
  location: optional(text(), 'Vertex AI: `global`, `us`, `eu`, or a region such as `europe-west4`. Default: `region`, else `global`.'),
  profile: optional(text(1, 128), 'Amazon Bedrock: the profile in the AWS configuration of this machine whose credentials are used (static keys, role, SSO, or a program). Default: what AWS\'s own tools find in the environment, the profile `default`, the container or the machine. A key wins over it.'),
  entra: optional(z.boolean(), 'Azure: log in at Microsoft Entra ID in place of a key, with what this machine has: a service principal (`AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET`), a workload or managed identity, or the login of Azure CLI. Default false. A key wins over it.'),
  tenant: optional(text(1, 255), 'Azure: the Entra tenant to log in to, as its ID or domain. Default: `AZURE_TENANT_ID`, or the tenant of the login.'),
  apiVersion: optional(text(), 'Azure: a dated API version such as `2024-10-21`, which changes the form of the address. Default: the address without a version.'),
  anthropicVersion: optional(z.enum(anthropicVersions), 'The version of the Anthropic API. `2026-10-21` refuses sampling parameters such as the temperature, so they are left out. Default `2023-06-01`.'),
  enabled: optional(z.boolean(), 'When false, nothing is sent to this endpoint. Default true.'),
  keys: optional(z.array(text()), 'Environment variables that hold the keys, as `${NAME}`; the next one is used when one fails.'),
  keyRotation: optional(z.enum(Object.keys(keyRotations) as KeyRotationName[]), `Which of several usable keys a new conversation gets. ${Object.entries(keyRotations).map(([name, meaning]) => `\`${name}\`: ${meaning}.`).join(' ')} A conversation stays with its key while that can be used, because prompt caches belong to an account; it returns to a key that it had to leave while its prompt is in the cache there, or once the cache of the new key is cold. Default \`failover\`.`),
  keyAccounts: optional(z.record(text(1, 64), z.array(text(1, 200))), 'Keys that share their limits, by account: a name of your own, and the names of its keys (in a file: the variable, or `key 1` and so on). When one of them is rate-limited or out of money, so are the others, and rotation counts them as one. Default: learnt from the answers of providers that name the account.'),
  priority: optional(whole(1, 1000), 'When a model is asked for by name, endpoints with a smaller number are tried first; a route has an order of its own. Default 100.'),
  weight: optional(amount(1_000_000), 'When a model is asked for by name, of endpoints with the same priority the one with the larger weight is tried first. Default 100.'),
  proxy: optional(text(), 'The proxy of this endpoint: `http://`, `https://`, `socks5://` (names are looked up here) or `socks5h://` (by the proxy), with user name and password where it wants them; `none`: no proxy. It wins over the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`) and over `http.proxy` of VS Code, and is used for private addresses too.'),
  headers: optional(z.record(z.string(), text(0, 8000)), 'Extra headers of every request to this endpoint.'),
  billing: optional(z.enum(Object.keys(endpointBillings) as EndpointBilling[]), `How this endpoint is paid for. ${Object.entries(endpointBillings).map(([name, meaning]) => `\`${name}\`: ${meaning}.`).join(' ')} What a provider says that it charged is counted all the same. Default \`usage\`.`),
  limits: optional(limitSchema, "Limits to stay under; when one is reached, the next target is used. All windows and servers on one data folder count together, exactly. While they cannot (a full disk), each keeps to its equal share, at least one request. The provider's own limits are learnt from its answers."),
  timeouts: optional(timeoutSchema, 'Timers of every attempt at this endpoint.'),
  breaker: optional(breakerSchema, 'When to stop sending requests to an endpoint, or to one model on it, that fails.'),
  probe: optional(z.strictObject({
    enabled: optional(z.boolean(), 'Check the endpoint now and then with its cheapest call. Default true.'),
    intervalMs: optional(whole(200, 24 * hourMs), 'Time between two checks, in milliseconds. Default 60000.'),
  }), 'Active health checks.'),
  models: optional(z.record(text(), modelSchema).register(references, { keys: 'models' }), 'Facts about single models of this endpoint, by name.'),
});

export const hedgeSchema = z.strictObject({
  enabled: optional(z.boolean(), 'Ask a second target for every request of the route (hedging). Default: only for inline completions.'),
  afterMs: optional(whole(10, 600_000), "How long to wait for the first token, in milliseconds. Default: the 95th percentile of the target's own first tokens."),
  dailyCapUsd: optional(amount(100_000), 'US dollars that second requests of this route may cost a day. Default 1.'),
});

/** A rate that a gate can be set to: 0 and 1 leave nothing to judge. */
function rate(): z.ZodMiniNumber {
  return z.number().check(z.minimum(0.001), z.maximum(0.999)).register(expectations, { expected: 'a number from 0.001 to 0.999' });
}

export const canaryGateSchema = z.strictObject({
  errorRate: optional(rate(), 'The largest share of the canary\'s requests that may have a failed attempt, as a fraction. Default 0.05. Also without this limit, a canary that fails more often than the baseline is rolled back.'),
  successRate: optional(rate(), 'The smallest share of requests that the canary itself must answer, as a fraction. Default 0.95.'),
  p99FirstTokenMs: optional(whole(1, hourMs), 'The longest 99th percentile of the time to the first token, in milliseconds. Default: `p99Ratio`.'),
  p99TotalMs: optional(whole(1, hourMs), 'The longest 99th percentile of the whole time, in milliseconds. Default: `p99Ratio`.'),
  p99Ratio: optional(z.number().check(z.minimum(1), z.maximum(1000)).register(expectations, { expected: 'a number from 1 to 1000' }), 'How many times the baseline\'s 99th percentiles the canary\'s may be, where there is no limit in milliseconds. Default 2.'),
  costRatio: optional(z.number().check(z.minimum(0.01), z.maximum(1000)).register(expectations, { expected: 'a number from 0.01 to 1000' }), 'How many times the baseline\'s cost per 1,000 tokens the canary\'s may be. Default: the cost is reported and not judged.'),
});

export const canarySchema = z.strictObject({
  targets: described(z.array(naming('target')), 'The targets to try, as `endpoint/model`, first choice first. Where one fails, the targets of the route take over in the same turn.'),
  stages: optional(z.array(z.number().check(z.minimum(0.1), z.maximum(100)).register(expectations, { expected: 'a number from 0.1 to 100' })), 'Per cent of conversations that go to the canary, stage by stage, rising to 100. Default 5, 15, 30, 50, 100.'),
  advance: optional(z.enum(canaryAdvances), 'What ends a stage. `time`: `stageMinutes`. `requests`: `stageRequests`. `manual`: only a person. A stage with too little data, or whose figures are inconclusive, never ends by itself. Default `time`.'),
  stageMinutes: optional(z.number().check(z.minimum(0.01), z.maximum(43_200)).register(expectations, { expected: 'a number from 0.01 to 43200' }), 'How long a stage lasts, in minutes. Default 60.'),
  stageRequests: optional(whole(1, 10_000_000), 'How many requests of both arms a stage lasts. Default 200.'),
  minRequests: optional(whole(1, 1_000_000), 'Requests of each arm that a stage must have before the next one. Default 20.'),
  failuresInARow: optional(whole(3, 100), 'Failures of the canary in a row that roll it back, where the baseline can serve. With fewer than 8, half an outage of both may look like one of the canary. Default 8.'),
  gates: optional(canaryGateSchema, 'What the canary must keep to. A gate that fails rolls it back at once.'),
});

export const warmCacheSchema = z.strictObject({
  enabled: optional(z.boolean(), 'Whether a conversation stays with its target while the prompt cache there is likely warm. Default true.'),
  payBackTurns: optional(whole(1, 1000), 'Within how many turns, the one that leaves included, what a cheaper target saves must have paid for the prompt that it reads anew, and for the chance that the conversation comes back to a cold cache. Default 8.'),
  higherKinds: optional(z.enum(['at-once', 'when-it-pays']), 'What a higher kind of work (`byKind`) does to a warm conversation. `at-once`: it goes to the target of that kind; a lower kind has to pay for the way back. `when-it-pays`: it stays until the cache is cold. A loop of tool calls that is stuck always goes. Default `at-once`.'),
});

/** A share of requests. */
function perCent(least: number): z.ZodMiniNumber {
  return z.number().check(z.minimum(least), z.maximum(100)).register(expectations, { expected: `a number from ${String(least)} to 100` });
}

/** How many times as much something may be. */
function times(least: number): z.ZodMiniNumber {
  return z.number().check(z.minimum(least), z.maximum(1000)).register(expectations, { expected: `a number from ${String(least)} to 1000` });
}

export const shadowSchema = z.strictObject({
  target: described(naming('target'), 'The target to try, as `endpoint/model`. It gets copies of requests; callers get nothing of its answers.'),
  share: optional(perCent(0.1), 'Per cent of the route\'s requests that are mirrored. Default 10.'),
  sameTargetShare: optional(perCent(0), 'Per cent of the mirrored requests that also go to the route\'s own target once more, so that its own noise is known. Default 20.'),
  draw: optional(z.enum(shadowDraws), 'What is drawn. `conversation`: all requests of a conversation or none, so that prompt caches work as they would. `request`: each by itself, which has data sooner where conversations are few and long. Default `conversation`.'),
  budgetUsd: optional(amount(100_000), 'US dollars that mirrored requests of this route may cost a day, those to the route\'s own target included. A target whose price is not known gets none. Default 1.'),
  atOnce: optional(whole(1, 100), 'Requests that may be mirrored at once by one server; others are left out. Default 2.'),
  timeoutSeconds: optional(whole(1, 3600), 'After so long a mirrored request is given up, in seconds. Default 120.'),
  maxBodyKiB: optional(whole(1, 16_384), 'Larger request bodies are not mirrored, in KiB. Default 512.'),
  exceptWorkspaces: optional(z.array(text(1, 200)), 'Names of workspaces whose requests are never mirrored. A request with the header `x-waybill-no-shadow`, or with something that looks like a key, never is.'),
  minRequests: optional(whole(10, 1_000_000), 'Pairs of answers that must have been compared before there is a verdict. Default 40.'),
  agreement: optional(rate(), 'How much the answers must be like the caller\'s, in proportion to a second answer of the route\'s own target, as a fraction. Default 0.8.'),
  latencyRatio: optional(times(0.1), 'How many times the time of the route\'s own target the first token and the whole answer may take. Default 2.'),
  costRatio: optional(times(0.01), 'How many times the cost at the route\'s own target a request may cost. Default: the cost is reported and not judged.'),
});

export const responseCacheSchema = z.strictObject({
  enabled: optional(z.boolean(), 'Keep answers. Default true where this section stands.'),
  maxAgeMs: optional(whole(100, 30 * 24 * hourMs), 'How long an answer is used, in milliseconds. Default 3600000.'),
  maxBytes: optional(whole(1024, 2_000_000_000), 'Memory for all answers of the route, in bytes; those that were not used for longest go first. Default 16777216.'),
  temperatures: optional(z.enum(cachedTemperatures), 'Which requests take part. `zero`: those at temperature 0, and embeddings. `any`: all of them. A caller asks for it itself with the header `x-waybill-cache: use`. Default `zero`.'),
  includeTools: optional(z.boolean(), 'Requests with tools take part, too. Default false.'),
  includeStored: optional(z.boolean(), 'Requests that the provider is to store (`store: true`), or that continue one (`previous_response_id`), take part, too. Default false.'),
  includeTruncated: optional(z.boolean(), 'Answers that a length limit cut off are kept, too. Default false.'),
  includeRefused: optional(z.boolean(), 'Answers in which a model declines are kept, too. Default false.'),
  replicas: optional(z.boolean(), 'Servers that share a Redis keep answers for each other there, encrypted with the secret of `state.answers`; for a YAML configuration. Without it no answer leaves the server. Default false.'),
});

export const largestCapUsd = 1_000_000;

/** US dollars that are a cap. */
function cap(scope: keyof typeof capScopes): z.ZodMiniOptional<z.ZodMiniNumber> {
  return optional(z.number().check(z.minimum(0.0001), z.maximum(largestCapUsd)).register(expectations, { expected: `a number of US dollars from 0.0001 to ${String(largestCapUsd)}` }), `US dollars for ${capScopes[scope]}.`);
}

export const capSchema = z.strictObject({
  requestUsd: cap('request'),
  turnUsd: cap('turn'),
  conversationUsd: cap('conversation'),
  sessionUsd: cap('session'),
  whenReached: optional(z.enum(Object.keys(capOutcomes) as CapOutcome[]), `What follows when the next target is expected to cost more than is left. ${Object.entries(capOutcomes).map(([name, meaning]) => `\`${name}\`: ${meaning}.`).join(' ')} Default \`stop\`.`),
  unpriced: optional(z.enum(['pass-over', 'allow']), 'What becomes of targets whose price is not known. `pass-over`: they are left out. `allow`: they serve, and count for what their provider says they cost, else for nothing. Default `pass-over`.'),
});

/** Each budget is checked by itself, so that a wrong one costs only itself. */
export const budgetSchema = z.strictObject({
  limitUsd: described(positive(1_000_000), 'What may be spent in a period, in US dollars.'),
  period: described(z.enum(Object.keys(budgetPeriods) as BudgetPeriod[]), `How long it counts, by the time zone of the machine. ${listed(budgetPeriods)}`),
  per: optional(z.enum(Object.keys(budgetScopes) as BudgetScope[]), `What it is for. ${listed(budgetScopes)} Default \`everything\`.`),
  only: optional(z.array(text(1, 200)), 'The names for which it holds, such as `["claude-code"]` with `"per": "tool"`; each has the whole limit for itself. Default: every one has a budget of its own.'),
  whenReached: optional(z.enum(Object.keys(budgetOutcomes) as BudgetOutcome[]), `What follows at the limit. ${listed(budgetOutcomes)} Default \`stop\`.`),
  warnAt: optional(percent(), 'The share of the limit, in per cent, at which a notification warns once. Default 80.'),
  cheaperAt: optional(percent(), 'The share of the limit, in per cent, from which targets that are expected to cost less come first. Default: never.'),
});

export const lastResortSchema = z.strictObject({
  targets: described(z.array(naming('target')), 'The targets, as `endpoint/model`, first choice first.'),
  kinds: described(z.array(z.enum(Object.keys(workKinds) as WorkKind[])), 'The kinds of work that they are for; see `byKind`.'),
});

function strategyDescription(): string {
  return `How targets are ordered. ${Object.entries(routeStrategies).map(([name, order]) => `\`${name}\`: ${order}.`).join(' ')}`;
}

/** A field for each name, with what the name means. */
function leads<Name extends string>(meanings: Readonly<Record<Name, string>>): z.ZodMiniObject<Record<Name, z.ZodMiniOptional<z.ZodMiniString>>, z.core.$strict> {
  const fields = Object.entries<string>(meanings).map(([name, meaning]) => [name, optional(naming('entry', 200), `A route or \`endpoint/model\` for: ${meaning}.`)]);
  return z.strictObject(Object.fromEntries(fields) as Record<Name, z.ZodMiniOptional<z.ZodMiniString>>);
}

export const routeSchema = z.strictObject({
  strategy: optional(z.enum(Object.keys(routeStrategies) as StrategyName[]), strategyDescription()),
  targets: described(z.array(naming('entry')), 'Where requests go, first choice first: each as `endpoint/model`, or the name of another route, which then orders its own targets by its own strategy.'),
  weights: optional(z.record(text(), positive(1_000_000)).register(references, { keys: 'targets' }), 'With the strategies `weighted`, `sticky` and `least-busy`: how much each target gets in proportion to the others, by the target as it is written in `targets`. Default 1 each.'),
  tiers: optional(z.record(text(), z.enum(Object.keys(targetTiers) as TargetTier[])).register(references, { keys: 'targets' }), `Targets that wait behind the others whatever the strategy, by the target as it is written in \`targets\`. ${Object.entries(targetTiers).map(([name, when]) => `\`${name}\`: ${when}.`).join(' ')}`),
  equivalents: optional(z.array(naming('model', 200)), 'Models that may stand in for those of this route, by name and in this order, when no target of the route can answer: first the same models at other endpoints, then these, wherever they are served. Never another one. Default: what `equivalents` of the configuration has for the models of the route; `[]`: nothing.'),
  timeouts: optional(timeoutSchema, "Timers of this route; they win over the endpoint's."),
  afterCommit: optional(z.enum(['error', 'resume']), 'What callers of the local endpoint get when a stream breaks after its first words. `error`: their protocol\'s error event. `resume`: the next target goes on from what was said, unless a tool call was handed over. VS Code\'s chat always starts again in sight. Default `error`.'),
  hedge: optional(hedgeSchema, 'Ask a second target when the first takes unusually long to begin; the first to begin wins, both are paid for.'),
  byRole: optional(leads<RequestRole>(requestRoles), 'Where requests of a role go first; the targets of this route follow. The role comes from headers that tools send, from the editor, from `x-waybill-role`, from the end of the name that is asked for (`ROUTE:subagent`), or from the request.'),
  byKind: optional(leads<WorkKind>(workKinds), 'Where a kind of work goes first, unless `byRole` says it; the targets of this route follow. The kind comes from `x-waybill-kind`, from the end of the name that is asked for (`ROUTE:low-cost`), or from the words of the request, in English or Vietnamese; no model is asked (docs/classifier.md says how well that works). It stays through a loop of tool calls; a loop that is stuck is taken for the next higher kind.'),
  onRefusal: optional(z.enum(['tell', 'ask']), 'What follows when a model refuses for content policy. `tell`: the refusal, as it is. `ask`: VS Code\'s chat asks whether the next target may be tried. Default `tell`.'),
  canary: optional(canarySchema, 'Targets that take the route over in measured stages. Described here, it waits until it is started: from the palette, with `waybill canary start`, or by `POST /waybill/canary`.'),
  shadow: optional(shadowSchema, 'A target that gets a share of the requests too, beside the caller\'s own, and whose answers are only compared. Described here, it waits until it is started: from the palette, with `waybill shadow start`, or by `POST /waybill/shadow`.'),
  warmCache: optional(warmCacheSchema, 'A conversation stays with its target while the prompt cache there is likely warm: strategies, `byRole` and `byKind` propose another one, and it goes there when that pays. A target that is out, or cannot serve the request, is left at once. What is known of a cache comes from the usage that answers report.'),
  responseCache: optional(responseCacheSchema, 'Answer a request from memory that is the same to the last field as an earlier one of the same tool and workspace, for the same target. Requests that are the same and run at the same time share one call. Answers are in the memory of each window and server, never on disk; `replicas` shares them between servers. A caller decides for a request with the header `x-waybill-cache`: `use`, `refresh` (ask again and keep the new answer) or `off`. Default: off.'),
  caps: optional(capSchema, 'What requests of this route may cost, whatever targets serve them. Caps of everything (`waybill.caps`, or `caps` of the file) hold besides. docs/caps.md says how they are counted.'),
  lastResort: optional(lastResortSchema, 'Expensive targets that are tried after all others of the route, and only for kinds of work that say so; the receipt marks them.'),
});

/** Aliases are names of models, so they may have what those have. */
export const aliasPattern = /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,99}$/;

/** Each alias is checked by itself, so that a wrong one costs only itself. */
export const aliasesSchema = z.record(z.string().check(z.regex(aliasPattern)), naming('model', 200));

/** Each model is checked by itself, so that a wrong one costs only itself. */
export const equivalentsSchema = z.record(text(1, 200), z.array(naming('model', 200))).register(references, { keys: 'models' });

/** Tools whose own names of models can be given routes. */
export const toolsWithModels = ['claude-code'] as const;

export const toolSchema = z.strictObject({
  opus: optional(naming('name', 200), 'What it gets for `opus` and the names of every Claude Opus: a route, a model or `endpoint/model`.'),
  sonnet: optional(naming('name', 200), 'The same for Claude Sonnet.'),
  haiku: optional(naming('name', 200), 'The same for Claude Haiku, which it uses for small errands.'),
  subagents: optional(naming('name', 200), 'What its subagents get, whatever they ask for.'),
});

/** What holds for every endpoint; in the editor its own `http.*` settings say it. */
export const networkSchema = z.strictObject({
  systemCertificates: optional(z.boolean(), 'Trust the certificate authorities of the system besides those of Node and of `NODE_EXTRA_CA_CERTS`. Default true.'),
});

/** The whole configuration. */
export const configurationSchema = z.strictObject({
  endpoints: described(z.record(z.string().check(z.regex(namePattern)), endpointSchema), 'Endpoints by name: each is one reachable place of a provider.'),
  routes: described(z.record(z.string().check(z.regex(namePattern)), routeSchema), 'Routes by name: each turns a request into an ordered list of targets.'),
  aliases: described(aliasesSchema, 'Names of your own for models: each stands for the model it is given.'),
  equivalents: optional(equivalentsSchema, 'Models that may stand in for a model, by its name and in their order, when no endpoint that serves it can answer. It holds for requests that ask for the model and for routes that lead to it. A model without an entry is never replaced.'),
  tools: optional(z.partialRecord(z.enum(toolsWithModels), toolSchema), 'What a tool gets for names of models that it asks for by itself; NAME is `claude-code`. A route of the name it asks for comes first.'),
  caps: optional(capSchema, 'What requests may cost, whatever they ask for. Routes may have caps of their own, which hold besides.'),
  budgets: optional(z.record(z.string().check(z.regex(namePattern)), budgetSchema), 'What may be spent in a day, a week or a month, by names of your own. docs/budgets.md says how they are counted.'),
  monitoring: optional(monitoringSchema, 'What is measured for others. Nothing of it runs where it is not written.'),
  state: optional(stateSchema, 'Where servers on several machines find each other and share what they count: limits and budgets. It holds for `serve` alone. docs/replicas.md says what is exact, and what holds while it is away.'),
  ledger: optional(ledgerSchema, 'What the ledger keeps beside figures, and where servers on several machines keep one together. It holds for `serve` alone.'),
  listen: optional(listenSchema, 'Where the server listens, beside what the command line says, which comes first. It is read by `serve` alone, and at its start. docs/addresses.md has the rest.'),
  network: optional(networkSchema, 'How this machine reaches the outside. Proxies come from the environment or stand at their endpoint.'),
});

/** Does not compile when a type of the contract and its schema differ. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
type AllTrue<T extends readonly true[]> = T;
export type SchemaMatchesContract = AllTrue<[
  Same<z.infer<typeof timeoutSchema>, { [K in keyof TimeoutSettings]: TimeoutSettings[K] }>,
  Same<z.infer<typeof limitSchema>, { [K in keyof LimitSettings]: LimitSettings[K] }>,
  Same<z.infer<typeof breakerSchema>, { [K in keyof BreakerSettings]: BreakerSettings[K] }>,
  Same<z.infer<typeof canaryGateSchema>, { [K in keyof CanaryGateSettings]: CanaryGateSettings[K] }>,
  Same<z.infer<typeof canarySchema>, { [K in keyof CanarySettings]: CanarySettings[K] }>,
  Same<z.infer<typeof shadowSchema>, { [K in keyof ShadowSettings]: ShadowSettings[K] }>,
  Same<z.infer<typeof warmCacheSchema>, { [K in keyof WarmCacheSettings]: WarmCacheSettings[K] }>,
  Same<z.infer<typeof responseCacheSchema>, { [K in keyof ResponseCacheSettings]: ResponseCacheSettings[K] }>,
  Same<z.infer<typeof capSchema>, { [K in keyof CapSettings]: CapSettings[K] }>,
  Same<z.infer<typeof budgetSchema>, { [K in keyof BudgetSettings]: BudgetSettings[K] }>,
  Same<z.infer<typeof lastResortSchema>, { [K in keyof LastResortSettings]: LastResortSettings[K] }>,
  Same<z.infer<typeof hedgeSchema>, { [K in keyof HedgeSettings]: HedgeSettings[K] }>,
  Same<z.infer<typeof priceSchema>, { [K in keyof PriceSettings]: PriceSettings[K] }>,
  Same<z.infer<typeof modelSchema>, { [K in keyof ModelSettings]: ModelSettings[K] }>,
  Same<z.infer<typeof endpointSchema>, { [K in keyof EndpointSettings]: EndpointSettings[K] }>,
  Same<z.infer<typeof toolSchema>, { [K in keyof ToolModelSettings]: ToolModelSettings[K] }>,
  Same<z.infer<typeof metricsSchema>, { [K in keyof MetricsSettings]: MetricsSettings[K] }>,
  Same<z.infer<typeof alertSchema>, { [K in keyof AlertSettings]: AlertSettings[K] }>,
  Same<z.infer<typeof webhookSchema>, { [K in keyof WebhookSettings]: WebhookSettings[K] }>,
  Same<z.infer<typeof otlpSchema>, { [K in keyof OtlpSettings]: OtlpSettings[K] }>,
  Same<z.infer<typeof monitoringSchema>, { [K in keyof MonitoringSettings]: MonitoringSettings[K] }>,
  Same<z.infer<typeof redisTlsSchema>, { [K in keyof RedisTlsSettings]: RedisTlsSettings[K] }>,
  Same<z.infer<typeof redisSchema>, { [K in keyof RedisSettings]: RedisSettings[K] }>,
  Same<z.infer<typeof whenAwaySchema>, { [K in keyof AwaySettings]: AwaySettings[K] }>,
  Same<z.infer<typeof stateSchema>, { [K in keyof StateSettings]: StateSettings[K] }>,
  Same<z.infer<typeof postgresSchema>, { [K in keyof PostgresSettings]: PostgresSettings[K] }>,
  Same<z.infer<typeof listenTlsSchema>, { [K in keyof ListenTlsSettings]: ListenTlsSettings[K] }>,
  Same<z.infer<typeof listenSchema>, { [K in keyof ListenSettings]: ListenSettings[K] }>,
  Same<z.infer<typeof ledgerSchema>, { [K in keyof LedgerSettings]: LedgerSettings[K] }>,
  Same<z.infer<typeof routeSchema>, { [K in keyof RouteSettings]: RouteSettings[K] }>,
]>;
