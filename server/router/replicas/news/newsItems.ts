import * as z from 'zod/mini';
import { failureClasses, type RefusalScope } from '../../../api/failure.ts';
import { failureCodes, type FailureCode, type TimerPhase } from '../../../base/failureCodes.ts';
import { countedKinds } from '../../../base/headers/rateHeaders.ts';
import { parseJson } from '../../../base/json.ts';

/** Changes with the form of news. Replicas of another version are not understood, and their news are dropped. */
export const newsVersion = '1';
/** The longest text of a batch that is read, in UTF-16 units. */
export const longestBatch = 65_536;
const mostItems = 500;

const codes = Object.keys(failureCodes) as FailureCode[];
const scopes = ['key', 'key-model', 'model', 'account', 'endpoint'] as const satisfies readonly RefusalScope[];
const phases = ['connect', 'headers', 'first-token', 'idle', 'throughput', 'total'] as const satisfies readonly TimerPhase[];

const name = z.string().check(z.minLength(1), z.maxLength(500));
const digest = z.string().check(z.maxLength(64));
const moment = z.int().check(z.minimum(0));
const span = z.number().check(z.minimum(0), z.maximum(366 * 86_400_000));
const count = z.int().check(z.minimum(0));

/** Where an endpoint is, so that an endpoint of the same name elsewhere is not meant. */
const about = { endpoint: name, place: digest };

const attempt = z.strictObject({
  kind: z.literal('attempt'), ...about, model: name, id: name,
  /** What the key is known by among replicas; absent: the endpoint needs none. */
  key: z.optional(digest),
  startedAt: moment, at: moment, tokens: count,
  failureClass: z.optional(z.enum(failureClasses)), code: z.optional(z.enum(codes)), scope: z.optional(z.enum(scopes)), phase: z.optional(z.enum(phases)),
  status: z.optional(z.int()), retryAfterMs: z.optional(span), firstTokenMs: z.optional(span), totalMs: span,
});

const probe = z.strictObject({ kind: z.literal('probe'), ...about, at: moment, failureClass: z.optional(z.enum(failureClasses)), latencyMs: z.optional(span) });

const keyState = z.strictObject({ kind: z.literal('state'), ...about, key: digest, model: z.optional(name), at: moment, state: z.enum(['ok', 'rejected', 'no-money', 'cooling']), until: z.optional(moment) });
const limit = z.strictObject({ kind: z.enum(countedKinds), ...about, key: digest, model: z.optional(name), at: moment, remaining: z.number(), limit: z.optional(z.number()), resetAt: z.optional(moment) });
const repair = z.strictObject({ kind: z.literal('repair'), ...about, model: name, repair: z.string().check(z.maxLength(2000)), at: moment, until: z.optional(moment) });

const item = z.union([attempt, probe, keyState, limit, repair]);

/** One thing that a replica found out. Moments are milliseconds of the store's clock. It holds no text of a provider, no prompt and no key. */
export type NewsItem = z.infer<typeof item>;
export type AttemptNews = z.infer<typeof attempt>;
export type ProbeNews = z.infer<typeof probe>;
/** News that stand until a later one of the same subject. */
export type StandingNews = Exclude<NewsItem, AttemptNews | ProbeNews>;

/** What can be understood of news that another replica wrote, and how much cannot. */
export interface ReadItems { readonly items: NewsItem[]; readonly refused: number }

/** Reads a batch. */
export function readItems(version: string, text: string): ReadItems {
  return readValues(version, text.length > longestBatch ? undefined : parseJson(text));
}

/** Reads what stands, as `standingText` writes it. */
export function readStanding(text: string): ReadItems {
  const values = text.length > longestBatch ? undefined : parseJson(text);
  const [version, value] = Array.isArray(values) ? values : [];
  return readValues(version, value === undefined ? undefined : [value]);
}

export function standingText(news: NewsItem): string {
  return JSON.stringify([newsVersion, news]);
}

function readValues(version: unknown, values: unknown): ReadItems {
  if (version !== newsVersion || !Array.isArray(values) || values.length > mostItems) return { items: [], refused: 1 };
  const items: NewsItem[] = [];
  for (const value of values) {
    const read = item.safeParse(value);
    if (read.success) items.push(read.data);
  }
  return { items, refused: values.length - items.length };
}

/** The subject of news that stand: of one subject only the latest are kept. */
export function subjectOf(news: StandingNews | AttemptNews): string {
  const { kind, endpoint, place, model } = news;
  return JSON.stringify([kind, endpoint, place, model ?? '', news.kind === 'repair' ? news.repair : news.key ?? '']);
}
