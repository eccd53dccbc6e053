import type { TokenUsage } from '../conversation.ts';
import type { Cost, RequestSummary } from '../receipt.ts';
import { csvText, microUsdToDecimal, type Cell } from './csv.ts';

/** The buckets of tokens, which are disjoint but for reasoning (a part of output), with their columns. */
export const tokenBuckets = [
  ['inputTokens', 'input_tokens'], ['cacheReadTokens', 'cache_read_tokens'], ['cacheWriteTokens', 'cache_write_tokens'],
  ['cacheWrite1hTokens', 'cache_write_1h_tokens'], ['outputTokens', 'output_tokens'], ['reasoningTokens', 'reasoning_tokens'],
] as const satisfies readonly (readonly [keyof TokenUsage, string])[];
export const tokenColumns = tokenBuckets.map(([, column]) => column);

/** The columns of exported requests, each with what it holds. Costs and tokens are sums over all attempts of a request; what is not known is empty. */
export const requestColumns = {
  started_at: 'when it came, in UTC', request_id: 'its id, by which its receipt is found', wanted: 'what the caller asked for: a route, a model or a target',
  answered_by: 'the target that answered', outcome: 'ok, failed, cancelled, interrupted, or open while it runs', failure_class: 'why it failed', attempts: 'how many calls to providers were made',
  first_token_ms: 'milliseconds to the first token', total_ms: 'milliseconds to the end',
  input_tokens: 'fresh prompt tokens', cache_read_tokens: 'prompt tokens read from a cache', cache_write_tokens: 'prompt tokens written to a short-lived cache',
  cache_write_1h_tokens: 'prompt tokens written to a cache of an hour', output_tokens: 'answered tokens, reasoning included', reasoning_tokens: 'of these, reasoning',
  cost_usd: 'US dollars with six decimals', cost_certainty: 'exact, estimated or unknown', price_source: 'where the price came from',
  tool: 'who asked', purpose: 'what for', workspace: 'the name of the workspace', conversation: 'the id of the conversation',
  attempts_of_unknown_cost: 'attempts that are not in cost_usd', not_in_cost: 'parts of the bill that have no price',
  branch: 'the branch of the workspace', token: 'the id of the token', user: 'the person of the token', team: 'the team of the token',
} as const;
type Column = keyof typeof requestColumns;
const columnNames = Object.keys(requestColumns) as Column[];

/** One line for each exchange, in the order given. */
export function requestsCsv(requests: readonly RequestSummary[]): string {
  return requestsCsvHead() + requestsCsvLines(requests);
}

export function requestsCsvHead(): string {
  return csvText([columnNames]);
}

/** The same without the line of names. */
export function requestsCsvLines(requests: readonly RequestSummary[]): string {
  return csvText(requests.map(request => {
    const row = rowOf(request);
    return columnNames.map(name => row[name]);
  }));
}

/** A JSON object a line, with the names of the columns; what is not known is null. Costs in micro-dollars as `cost_micro_usd`, too. */
export function requestsJsonLines(requests: readonly RequestSummary[]): string {
  return requests.map(request => {
    const row = rowOf(request);
    const { microUsd, certainty } = request.cost;
    const isKnown = certainty !== 'unknown' && microUsd !== undefined;
    const plain = Object.fromEntries(columnNames.map(name => [name, row[name] ?? null]));
    return `${JSON.stringify({ ...plain, cost_usd: isKnown ? microUsd / 1e6 : null, cost_micro_usd: isKnown ? microUsd : null })}\n`;
  }).join('');
}

function rowOf({ id, startedAt, requestedModel, target, outcome, failureClass, attempts, firstTokenMs, totalMs, usage, cost, caller }: RequestSummary): Record<Column, Cell> {
  const [input, cacheRead, cacheWrite, cacheWrite1h, output, reasoning] = tokenBuckets.map(([bucket]) => usage[bucket]);
  return {
    started_at: new Date(startedAt).toISOString(), request_id: id, wanted: requestedModel, answered_by: target, outcome, failure_class: failureClass, attempts,
    first_token_ms: rounded(firstTokenMs), total_ms: rounded(totalMs),
    input_tokens: input, cache_read_tokens: cacheRead, cache_write_tokens: cacheWrite, cache_write_1h_tokens: cacheWrite1h, output_tokens: output, reasoning_tokens: reasoning,
    cost_usd: cost.certainty === 'unknown' || cost.microUsd === undefined ? undefined : microUsdToDecimal(cost.microUsd), cost_certainty: cost.certainty, price_source: cost.priceSource,
    tool: caller.tool, purpose: caller.purpose, workspace: caller.workspace, conversation: caller.conversation,
    attempts_of_unknown_cost: unknownAttempts(cost, attempts), not_in_cost: cost.unpriced?.join(', '),
    branch: caller.branch, token: caller.token, user: caller.user, team: caller.team,
  };
}

/** Where the whole cost is unknown, some of the attempts cost nothing that is known: how many is not known either. */
function unknownAttempts(cost: Cost, attempts: number): number | undefined {
  if (cost.certainty !== 'unknown') return cost.unknownParts ?? 0;
  return attempts === 1 ? 1 : undefined;
}

function rounded(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds);
}
