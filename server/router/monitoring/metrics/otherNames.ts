import { healthOf, isUp, type Condition } from '../../../api/condition.ts';
import type { AttemptRow, RequestRow } from './figures.ts';
import { operationNames, providerName } from '../otlp/providerNames.ts';
import { ofAttempts, ofRequests, ofState, type Metric } from './metric.ts';

const genAi = {
  gen_ai_operation_name: (row: AttemptRow) => operationNames[row.operation],
  gen_ai_provider_name: (row: AttemptRow) => providerName(row.provider),
  gen_ai_request_model: (row: AttemptRow) => row.model,
};

/** The same labels, as the conventions write them. */
const genAiLabels = {
  gen_ai_operation_name: 'gen_ai.operation.name', gen_ai_provider_name: 'gen_ai.provider.name', gen_ai_request_model: 'gen_ai.request.model', gen_ai_token_type: 'gen_ai.token.type', error_type: 'error.type',
};

function asConvention(name: string, unit: string, metric: Metric): Metric {
  return { ...metric, otlp: { name, unit, labels: genAiLabels } };
}

/** The metrics of the OpenTelemetry conventions for generative AI, by the names that Prometheus gives them. */
export const genAiMetrics: readonly Metric[] = [
  asConvention('gen_ai.client.operation.duration', 's', ofAttempts({ name: 'gen_ai_client_operation_duration_seconds', type: 'histogram', help: 'Time of one call of a provider, by the OpenTelemetry conventions.', labels: { ...genAi, error_type: row => (row.outcome === 'failed' ? row.failureClass : '') }, value: row => row.seconds })),
  asConvention('gen_ai.client.operation.time_to_first_chunk', 's', ofAttempts({ name: 'gen_ai_client_operation_time_to_first_chunk_seconds', type: 'histogram', help: 'Time to the first content of an answer, by the OpenTelemetry conventions.', labels: genAi, value: row => (row.firstTokenSeconds.count === 0 ? undefined : row.firstTokenSeconds) })),
  asConvention('gen_ai.client.token.usage', '{token}', usage()),
];

function usage(): Metric {
  const kinds = [{ type: 'input', of: 'inputTokens' }, { type: 'output', of: 'outputTokens' }] as const;
  const each = kinds.map(({ type, of }) => ofAttempts({ name: '', type: 'histogram', help: '', labels: { ...genAi, gen_ai_token_type: () => type }, value: row => (row[of].count === 0 ? undefined : row[of]) }));
  return {
    name: 'gen_ai_client_token_usage', type: 'histogram', labels: [...Object.keys(genAi), 'gen_ai_token_type'], help: 'Tokens of one call that are billed, by the OpenTelemetry conventions; `input` has those of caches too.',
    samples: sources => each.flatMap(one => one.samples(sources)),
  };
}

const asked = { requested_model: (row: RequestRow) => row.asked };
const model = { model: (row: AttemptRow) => row.model, api_provider: (row: AttemptRow) => row.provider };
const deployment = { litellm_model_name: (row: AttemptRow) => row.model, model_id: (row: AttemptRow) => `${row.endpoint}/${row.model}`, api_provider: (row: AttemptRow) => row.provider };
const prompt = ({ tokens }: AttemptRow): number => tokens.input + tokens.cache_read + tokens.cache_write + tokens.cache_write_1h;
const usd = 1e6;

/** Metrics by the names that dashboards for LiteLLM read; a deployment is an endpoint and a model. */
export const liteLlmMetrics: readonly Metric[] = [
  ofRequests({ name: 'litellm_proxy_total_requests_metric_total', type: 'counter', help: 'Requests that ended.', labels: asked, value: row => row.seconds.count }),
  ofRequests({ name: 'litellm_proxy_failed_requests_metric_total', type: 'counter', help: 'Requests whose caller got an error.', labels: { ...asked, exception_class: row => row.failureClass }, value: row => (row.outcome === 'failed' ? row.seconds.count : undefined) }),
  ofRequests({ name: 'litellm_request_total_latency_metric', type: 'histogram', help: 'Time of a request, in seconds.', labels: asked, value: row => row.seconds }),
  ofRequests({ name: 'litellm_overhead_latency_metric', type: 'histogram', help: 'Time of a request in which no provider was asked, in seconds.', labels: asked, value: row => row.overheadSeconds }),
  ofRequests({ name: 'litellm_cache_hits_metric_total', type: 'counter', help: 'Requests that were answered from the response cache.', labels: asked, value: row => (row.cache === 'hit' || row.cache === 'shared' ? row.seconds.count : undefined) }),
  ofRequests({ name: 'litellm_deployment_successful_fallbacks_total', type: 'counter', help: 'Requests that another target answered after a failure.', labels: asked, value: row => (row.outcome === 'ok' ? row.fallbacks : undefined) }),
  ofRequests({ name: 'litellm_deployment_failed_fallbacks_total', type: 'counter', help: 'Requests that other targets could not answer either.', labels: asked, value: row => (row.outcome === 'failed' ? row.fallbacks : undefined) }),
  ofAttempts({ name: 'litellm_llm_api_latency_metric', type: 'histogram', help: 'Time of one call of a provider, in seconds.', labels: model, value: row => row.seconds }),
  ofAttempts({ name: 'litellm_llm_api_time_to_first_token_metric', type: 'histogram', help: 'Time to the first content of a call, in seconds.', labels: model, value: row => (row.firstTokenSeconds.count === 0 ? undefined : row.firstTokenSeconds) }),
  ofAttempts({ name: 'litellm_spend_metric_total', type: 'counter', help: 'US dollars, as far as they are known.', labels: model, value: row => (row.exactMicroUsd + row.estimatedMicroUsd) / usd }),
  ofAttempts({ name: 'litellm_zero_cost_requests_total', type: 'counter', help: 'Calls that are known to have cost nothing.', labels: model, value: row => (row.free === 0 ? undefined : row.free) }),
  ofAttempts({ name: 'litellm_total_tokens_metric_total', type: 'counter', help: 'Tokens in and out.', labels: model, value: row => prompt(row) + row.tokens.output }),
  ofAttempts({ name: 'litellm_input_tokens_metric_total', type: 'counter', help: 'Tokens of prompts, those of caches too.', labels: model, value: prompt }),
  ofAttempts({ name: 'litellm_output_tokens_metric_total', type: 'counter', help: 'Tokens of answers.', labels: model, value: row => row.tokens.output }),
  ofAttempts({ name: 'litellm_input_cached_tokens_metric_total', type: 'counter', help: 'Tokens of prompts that were read from a cache.', labels: model, value: row => row.tokens.cache_read }),
  ofAttempts({ name: 'litellm_input_cache_creation_tokens_metric_total', type: 'counter', help: 'Tokens of prompts that were written to a cache.', labels: model, value: row => row.tokens.cache_write + row.tokens.cache_write_1h }),
  ofAttempts({ name: 'litellm_deployment_total_requests_total', type: 'counter', help: 'Calls of a deployment.', labels: deployment, value: row => row.ended }),
  ofAttempts({ name: 'litellm_deployment_success_responses_total', type: 'counter', help: 'Calls of a deployment that were answered.', labels: deployment, value: row => (row.outcome === 'ok' ? row.ended : undefined) }),
  ofAttempts({ name: 'litellm_deployment_failure_responses_total', type: 'counter', help: 'Calls of a deployment that failed.', labels: { ...deployment, exception_class: row => row.failureClass }, value: row => (row.outcome === 'failed' ? row.ended : undefined) }),
  ofState('litellm_deployment_state', 'gauge', ['litellm_model_name', 'model_id', 'api_provider'], '0: healthy, 1: degraded, 2: out. Of targets that routes name.', ({ status }) => Object.entries(status.targets ?? {}).flatMap(([target, { condition }]) => {
    const slash = target.indexOf('/');
    const endpoint = status.endpoints.find(({ name }) => name === target.slice(0, slash));
    return endpoint === undefined ? [] : [[[target.slice(slash + 1), target, endpoint.provider], deploymentState(condition)] as const];
  })),
  ofState('litellm_in_flight_requests', 'gauge', [], 'Requests that run now.', ({ figures }) => [[[], figures.running]]),
];

function deploymentState(condition: Condition): number {
  const state = healthOf(condition);
  return state === 'degraded' ? 1 : isUp(condition) ? 0 : 2;
}
