import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/*
 * The cost APIs of OpenAI, Anthropic and OpenRouter as they answer, refusals and paging included. Sources, all read 2026-11:
 * platform.openai.com api-reference/usage (start_time required; limits 1..180 for costs and 1..31 for usage by day; cursors),
 * platform.claude.com usage-cost-api and api/admin/cost_report (RFC 3339, limit 1..31, cents as decimal text, days in UTC),
 * openrouter.ai activity (management keys only, the last 30 whole days in UTC).
 */

export interface SimulatedCost { at: string; model?: string; item: string; usd: string; requests?: number; input?: number; output?: number }

export interface CostApi {
  readonly origin: string;
  /** Method, path and headers of each request. */
  readonly seen: { path: string; headers: IncomingMessage['headers'] }[];
  close(): Promise<void>;
}

export const openAiAdminKey = 'sk-admin-simulated-0123456789';
export const anthropicAdminKey = 'sk-ant-admin01-simulated-0123456789';
export const openRouterKey = 'sk-or-v1-management-0123456789';

interface Refusal { status: number; body: unknown }
type Answer = { body: unknown } | Refusal;
const dayMs = 86_400_000;

/** Serves the three APIs on one port of this machine. @param costs what was used, by moment */
export async function serveCostApis(costs: readonly SimulatedCost[], options: { daysAPage?: number; now?: number; fail?: (path: string) => Refusal | undefined; /** Answers what is no question about costs. */ other?: (method: string, path: string) => unknown } = {}): Promise<CostApi> {
  const seen: CostApi['seen'] = [];
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    seen.push({ path: request.url ?? '', headers: request.headers });
    const other = options.other?.(request.method ?? '', url.pathname);
    if (other !== undefined) {
      request.resume().on('end', () => { response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(other)); });
      return;
    }
    const answer = request.method !== 'GET' ? refuse(405, 'method_not_allowed') : options.fail?.(url.pathname) ?? route(url, request, costs, options);
    response.writeHead('status' in answer ? answer.status : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer.body));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen,
    close: () => new Promise(resolve => {
      server.closeAllConnections();
      server.close(() => resolve());
    }),
  };
}

function route(url: URL, request: IncomingMessage, costs: readonly SimulatedCost[], { daysAPage, now }: { daysAPage?: number; now?: number }): Answer {
  switch (url.pathname) {
    case '/v1/organization/costs': return openAi(url, request, costs, { most: 180, groups: ['project_id', 'line_item'], daysAPage }, openAiCost);
    case '/v1/organization/usage/completions': return openAi(url, request, costs, { most: 31, groups: ['project_id', 'user_id', 'api_key_id', 'model', 'batch'], daysAPage }, openAiUsage);
    case '/v1/organizations/cost_report': return anthropic(url, request, costs, { groups: ['workspace_id', 'description'], daysAPage }, anthropicCost);
    case '/v1/organizations/usage_report/messages': return anthropic(url, request, costs, { groups: ['api_key_id', 'workspace_id', 'model', 'service_tier', 'context_window'], daysAPage }, anthropicUsage);
    case '/api/v1/activity': return openRouter(url, request, costs, now ?? Date.now());
    default: return refuse(404, 'not_found');
  }
}

type ResultOf = (cost: SimulatedCost) => unknown[];
interface Rules { most?: number; groups: string[]; daysAPage?: number | undefined }

function openAi(url: URL, { headers }: IncomingMessage, costs: readonly SimulatedCost[], { most = 31, groups, daysAPage }: Rules, resultOf: ResultOf): Answer {
  const key = headers.authorization?.replace(/^Bearer /, '');
  if (key === undefined) return openAiError(401, 'You didn\'t provide an API key.', 'invalid_request_error');
  if (key.startsWith('sk-admin-limited')) return openAiError(403, 'You have insufficient permissions for this operation. Missing scopes: api.usage.read.', 'invalid_request_error');
  if (key !== openAiAdminKey) return openAiError(401, 'Incorrect API key provided.', 'invalid_request_error', 'invalid_api_key');
  const { searchParams: query } = url;
  for (const name of query.keys()) if (!['start_time', 'end_time', 'bucket_width', 'group_by', 'limit', 'page'].includes(name)) return openAiError(400, `Unknown parameter: '${name}'.`, 'invalid_request_error');
  const start = query.get('start_time');
  if (start === null || !/^\d{10}$/.test(start)) return openAiError(400, 'Missing required parameter: \'start_time\'.', 'invalid_request_error');
  const limit = Number(query.get('limit') ?? 7);
  if (!Number.isInteger(limit) || limit < 1 || limit > most) return openAiError(400, `Invalid 'limit': integer above maximum value. Expected a value <= ${most}.`, 'invalid_request_error');
  if ((query.get('bucket_width') ?? '1d') !== '1d') return openAiError(400, 'Invalid \'bucket_width\'.', 'invalid_request_error');
  if (query.getAll('group_by').some(group => !groups.includes(group))) return openAiError(400, 'Invalid \'group_by\'.', 'invalid_request_error');
  const end = query.get('end_time') === null ? Infinity : Number(query.get('end_time')) * 1000;
  const page = query.get('page');
  if (page !== null && !/^page_\d+$/.test(page)) return openAiError(400, 'Invalid \'page\'.', 'invalid_request_error');
  const from = page === null ? Number(start) * 1000 : Number(page.slice(5));
  const buckets = [];
  const perPage = Math.min(limit, daysAPage ?? limit);
  let day = Math.floor(from / dayMs) * dayMs;
  for (; day < end && buckets.length < perPage; day += dayMs) {
    buckets.push({ object: 'bucket', start_time: day / 1000, end_time: (day + dayMs) / 1000, results: ofDay(costs, day).flatMap(resultOf) });
  }
  return { body: { object: 'page', data: buckets, has_more: day < end, next_page: day < end ? `page_${day}` : null } };
}

const openAiCost: ResultOf = ({ item, usd }) => [{ object: 'organization.costs.result', amount: { value: Number(usd), currency: 'usd' }, line_item: item, project_id: null }];
const openAiUsage: ResultOf = ({ model, requests = 0, input, output }) => (input === undefined ? [] : [{
  object: 'organization.usage.completions.result', input_tokens: input, input_cached_tokens: 0, output_tokens: output ?? 0, num_model_requests: requests, model: model ?? null,
  project_id: null, user_id: null, api_key_id: null, batch: null,
}]);

function anthropic(url: URL, { headers }: IncomingMessage, costs: readonly SimulatedCost[], { groups, daysAPage }: Rules, resultOf: ResultOf): Answer {
  const key = headers['x-api-key'];
  if (headers['anthropic-version'] !== '2023-06-01') return anthropicError(400, 'invalid_request_error', 'anthropic-version: header is required');
  if (key === undefined || Array.isArray(key)) return anthropicError(401, 'authentication_error', 'x-api-key header is required');
  if (key.startsWith('sk-ant-admin01-other')) return anthropicError(403, 'permission_error', 'This endpoint requires an admin role.');
  if (key !== anthropicAdminKey) return anthropicError(401, 'authentication_error', 'invalid x-api-key');
  const { searchParams: query } = url;
  for (const name of query.keys()) if (!['starting_at', 'ending_at', 'bucket_width', 'group_by[]', 'limit', 'page'].includes(name)) return anthropicError(400, 'invalid_request_error', `${name}: Extra inputs are not permitted`);
  const start = query.get('starting_at');
  if (start === null || !/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(start)) return anthropicError(400, 'invalid_request_error', 'starting_at: Field required');
  const limit = Number(query.get('limit') ?? 7);
  if (!Number.isInteger(limit) || limit < 1 || limit > 31) return anthropicError(400, 'invalid_request_error', 'limit: Input should be less than or equal to 31');
  if (query.getAll('group_by[]').some(group => !groups.includes(group))) return anthropicError(400, 'invalid_request_error', 'group_by: Input should be a known value');
  const end = Date.parse(query.get('ending_at') ?? '2100-01-01T00:00:00Z');
  const page = query.get('page');
  const from = page === null ? Date.parse(start) : Number(Buffer.from(page.replace(/^page_/, ''), 'base64').toString());
  if (Number.isNaN(from)) return anthropicError(400, 'invalid_request_error', 'page: Invalid page token');
  const buckets = [];
  let day = Math.floor(from / dayMs) * dayMs;
  for (; day < end && buckets.length < Math.min(limit, daysAPage ?? limit); day += dayMs) {
    buckets.push({ starting_at: new Date(day).toISOString(), ending_at: new Date(day + dayMs).toISOString(), results: ofDay(costs, day).flatMap(resultOf) });
  }
  return { body: { data: buckets, has_more: day < end, next_page: day < end ? `page_${Buffer.from(String(day)).toString('base64')}` : null } };
}

const anthropicCost: ResultOf = ({ model, item, usd }) => [{
  currency: 'USD', amount: cents(usd), workspace_id: null, description: item, cost_type: model === undefined ? 'web_search' : 'tokens', context_window: model === undefined ? null : '0-200k',
  model: model ?? null, service_tier: model === undefined ? null : 'standard', token_type: model === undefined ? null : 'uncached_input_tokens', inference_geo: null,
}];
const anthropicUsage: ResultOf = ({ model, input, output }) => (input === undefined ? [] : [{
  uncached_input_tokens: input, cache_creation: { ephemeral_1h_input_tokens: 0, ephemeral_5m_input_tokens: 0 }, cache_read_input_tokens: 0, output_tokens: output ?? 0,
  server_tool_use: { web_search_requests: 0 }, api_key_id: null, workspace_id: null, model, service_tier: null, context_window: null,
}]);

/** Dollars as cents, without rounding. */
function cents(usd: string): string {
  const [whole = '0', fraction = ''] = usd.split('.');
  const padded = fraction.padEnd(2, '0');
  return `${Number(whole + padded.slice(0, 2))}.${padded.slice(2) || '0'}`;
}

function openRouter(url: URL, { headers }: IncomingMessage, costs: readonly SimulatedCost[], now: number): Answer {
  const key = headers.authorization?.replace(/^Bearer /, '');
  if (key === undefined || !key.startsWith('sk-or-v1-')) return { status: 401, body: { error: { code: 401, message: 'Missing Authentication header' } } };
  if (key !== openRouterKey) return { status: 403, body: { error: { code: 403, message: 'Only management keys can fetch activity for an account' } } };
  if ([...url.searchParams.keys()].some(name => name !== 'date')) return { status: 400, body: { error: { code: 400, message: 'Invalid date format' } } };
  const today = Math.floor(now / dayMs) * dayMs;
  const rows = costs.filter(({ at }) => Date.parse(at) < today && Date.parse(at) >= today - 30 * dayMs).map(({ at, model, usd, requests, input, output }) => ({
    date: at.slice(0, 10), model, model_permaslug: model, endpoint_id: 'e', provider_name: 'p', usage: Number(usd), byok_usage_inference: 0,
    requests, prompt_tokens: input, completion_tokens: output, reasoning_tokens: 0,
  }));
  return { body: { data: rows } };
}

function ofDay(costs: readonly SimulatedCost[], day: number): SimulatedCost[] {
  return costs.filter(({ at }) => Date.parse(at) >= day && Date.parse(at) < day + dayMs);
}

function openAiError(status: number, message: string, type: string, code: string | null = null): Refusal {
  return { status, body: { error: { message, type, param: null, code } } };
}

function anthropicError(status: number, type: string, message: string): Refusal {
  return { status, body: { type: 'error', error: { type, message }, request_id: 'req_1' } };
}

function refuse(status: number, type: string): Refusal {
  return { status, body: { error: { type, message: type } } };
}
