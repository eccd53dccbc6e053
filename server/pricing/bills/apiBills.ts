import { asString, isObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { BillProblem, dayOf, type BillItem } from './billItem.ts';
import { billDay, modelOfLineItem } from './csvBill.ts';
import { exactUsd } from './usd.ts';

/** One page of a provider's answer. */
export interface BillPage { items: BillItem[]; /** The cursor of the next page; absent: this is the last one. */ next?: string | undefined }

/** One list that a cost API has, page by page. */
export interface BillList {
  /** Below the provider's own address, with its question, without the cursor. */
  path(fromMs: number, toMs: number): string;
  read(body: JsonValue): BillPage;
}

/** A provider's cost API. */
export interface BillApi {
  /** Its own address: the key goes there and nowhere else. */
  readonly origin: string;
  readonly name: string;
  headers(adminKey: string): Record<string, string>;
  readonly lists: readonly BillList[];
}

/** Cost APIs by provider id; the keys they want are `billKeys` of the contract. Sources: platform.openai.com usage and costs, platform.claude.com usage-cost-api, openrouter.ai activity; 2026-11. */
export const billApis: Readonly<Record<string, BillApi>> = {
  openai: {
    origin: 'https://api.openai.com', name: 'OpenAI',
    headers: adminKey => ({ authorization: `Bearer ${adminKey}` }),
    lists: [
      { path: (from, to) => `/v1/organization/costs?${seconds(from, to)}&bucket_width=1d&group_by=line_item&limit=180`, read: openAiCosts },
      { path: (from, to) => `/v1/organization/usage/completions?${seconds(from, to)}&bucket_width=1d&group_by=model&limit=31`, read: openAiUsage },
    ],
  },
  anthropic: {
    origin: 'https://api.anthropic.com', name: 'Anthropic',
    headers: adminKey => ({ 'x-api-key': adminKey, 'anthropic-version': '2023-06-01' }),
    lists: [
      { path: (from, to) => `/v1/organizations/cost_report?${moments(from, to)}&bucket_width=1d&group_by[]=description&limit=31`, read: anthropicCosts },
      { path: (from, to) => `/v1/organizations/usage_report/messages?${moments(from, to)}&bucket_width=1d&group_by[]=model&limit=31`, read: anthropicUsage },
    ],
  },
  openrouter: {
    origin: 'https://openrouter.ai', name: 'OpenRouter',
    headers: adminKey => ({ authorization: `Bearer ${adminKey}` }),
    lists: [{ path: () => '/api/v1/activity', read: openRouterActivity }],
  },
};

function seconds(from: number, to: number): string {
  return `start_time=${Math.floor(from / 1000)}&end_time=${Math.floor(to / 1000)}`;
}

function moments(from: number, to: number): string {
  return `starting_at=${encodeURIComponent(new Date(from).toISOString())}&ending_at=${encodeURIComponent(new Date(to).toISOString())}`;
}

/** Buckets of days: the amount is dollars. */
function openAiCosts(body: JsonValue): BillPage {
  return bucketPage(body, bucket => unixDay(bucket.start_time), (result, day) => {
    const amount = isObject(result.amount) ? result.amount : undefined;
    const exact = amountOf(amount?.value);
    if (exact === undefined || (amount?.currency ?? 'usd') !== 'usd') throw unreadable('OpenAI');
    const item = asString(result.line_item) ?? '';
    const model = modelOfLineItem(item);
    return { day, exactUsd: exact, ...(model === item ? { what: item === '' ? 'everything' : item } : { model }) };
  }, 'OpenAI');
}

/** Cached tokens are in the input. */
function openAiUsage(body: JsonValue): BillPage {
  return bucketPage(body, bucket => unixDay(bucket.start_time), (result, day) => ({
    day, model: asString(result.model), requests: countOf(result.num_model_requests), tokens: sum(result.input_tokens, result.output_tokens),
  }), 'OpenAI');
}

/** Amounts are cents, as decimal text. */
function anthropicCosts(body: JsonValue): BillPage {
  return bucketPage(body, bucket => momentDay(bucket.starting_at), (result, day) => {
    const exact = amountOf(result.amount, 2);
    if (exact === undefined || (asString(result.currency) ?? 'USD').toUpperCase() !== 'USD') throw unreadable('Anthropic');
    const model = asString(result.model);
    return { day, exactUsd: exact, ...(model === undefined ? { what: asString(result.description) ?? asString(result.cost_type) ?? 'everything' } : { model }) };
  }, 'Anthropic');
}

function anthropicUsage(body: JsonValue): BillPage {
  return bucketPage(body, bucket => momentDay(bucket.starting_at), (result, day) => {
    const written = isObject(result.cache_creation) ? result.cache_creation : {};
    return {
      day, model: asString(result.model),
      tokens: sum(result.uncached_input_tokens, result.cache_read_input_tokens, written.ephemeral_5m_input_tokens, written.ephemeral_1h_input_tokens, result.output_tokens),
    };
  }, 'Anthropic');
}

/** The last 30 whole days (UTC), one row a day, model and provider; amounts are dollars. */
function openRouterActivity(body: JsonValue): BillPage {
  const rows = isObject(body) && Array.isArray(body.data) ? body.data : undefined;
  if (rows === undefined) throw unreadable('OpenRouter');
  return { items: rows.map((row): BillItem => {
    const day = isObject(row) ? momentDay(row.date) : undefined;
    const exact = isObject(row) ? amountOf(row.usage) : undefined;
    if (!isObject(row) || day === undefined || exact === undefined) throw unreadable('OpenRouter');
    return { day, model: asString(row.model_permaslug) ?? asString(row.model), exactUsd: exact, requests: countOf(row.requests), tokens: sum(row.prompt_tokens, row.completion_tokens) };
  }) };
}

/**
 * Records of generations, as OpenRouter gives them one by one: an array, or `{ data }` of one or of an array.
 * @throws BillProblem
 */
export function generationRecords(body: JsonValue, offsetMs: number): BillItem[] {
  const data = isObject(body) && body.data !== undefined ? body.data : body;
  const records = Array.isArray(data) ? data : [data];
  return records.map((entry, index): BillItem => {
    const record = isObject(entry) && isObject(entry.data) ? entry.data : entry;
    const day = isObject(record) ? billDay(asString(record.created_at) ?? '', offsetMs) : undefined;
    const exact = isObject(record) ? amountOf(record.total_cost ?? record.usage) : undefined;
    if (!isObject(record) || day === undefined || exact === undefined) {
      throw new BillProblem(`Record ${index + 1} of the file is no generation of OpenRouter: it needs created_at, model and total_cost.`);
    }
    return {
      day, model: asString(record.model), exactUsd: exact, requests: 1,
      tokens: sum(record.native_tokens_prompt ?? record.tokens_prompt, record.native_tokens_completion ?? record.tokens_completion),
    };
  });
}

function bucketPage(body: JsonValue, dayOfBucket: (bucket: JsonObject) => string | undefined, itemOf: (result: JsonObject, day: string) => BillItem, name: string): BillPage {
  if (!isObject(body) || !Array.isArray(body.data)) throw unreadable(name);
  const items: BillItem[] = [];
  for (const bucket of body.data) {
    const day = isObject(bucket) ? dayOfBucket(bucket) : undefined;
    if (!isObject(bucket) || day === undefined || !Array.isArray(bucket.results)) throw unreadable(name);
    for (const result of bucket.results) {
      if (!isObject(result)) throw unreadable(name);
      items.push(itemOf(result, day));
    }
  }
  if (body.has_more !== true) return { items };
  const next = asString(body.next_page);
  if (next === undefined || next === '') throw unreadable(name);
  return { items, next };
}

function unixDay(value: JsonValue | undefined): string | undefined {
  return typeof value === 'number' && value > 1_000_000_000 && value < 10_000_000_000 ? dayOf(value * 1000) : undefined;
}

/** A moment of a bucket is in UTC. */
function momentDay(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? billDay(value, 0) : undefined;
}

function amountOf(value: JsonValue | undefined, shift = 0): bigint | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? exactUsd(String(value), shift) : undefined;
  return typeof value === 'string' ? exactUsd(value, shift) : undefined;
}

function countOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function sum(...values: (JsonValue | undefined)[]): number | undefined {
  const counts = values.map(countOf).filter(count => count !== undefined);
  return counts.length === 0 ? undefined : counts.reduce((total, count) => total + count, 0);
}

function unreadable(name: string): BillProblem {
  return new BillProblem(`${name} answered with a report that Waybill cannot read: export a CSV file there and use that.`);
}
