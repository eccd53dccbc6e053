import type { ResponseHeaders } from './responseHeaders.ts';
import { believedWaitMs, plainNumber, resetWaitMs } from './retryAfter.ts';

/** What a provider counts; `tokens` are those of prompts and answers together. */
export const countedKinds = ['requests', 'tokens', 'inputTokens', 'outputTokens'] as const;
export type CountedKind = (typeof countedKinds)[number];

/** One limit as a provider's answer states it. */
export interface ReportedFigure {
  limit?: number | undefined;
  remaining?: number | undefined;
  /** Milliseconds since the epoch; may lie in the past. */
  resetAt?: number | undefined;
}
export type ReportedLimits = Partial<Record<CountedKind, ReportedFigure>>;

/**
 * What the headers of an answer say of the provider's limits, or undefined where they say nothing.
 *
 * Understood are the names of OpenAI, Groq, xAI and Azure (`x-ratelimit-remaining-tokens`), Anthropic
 * (`anthropic-ratelimit-input-tokens-remaining`), Kimi, OpenRouter and others (`x-ratelimit-remaining`), Mistral
 * (`x-ratelimitbysize-remaining-minute`), names with a span (`x-ratelimit-remaining-requests-day`) and the fields of the
 * IETF's draft (`ratelimit-remaining`, `ratelimit: "default";r=50;t=30`). Where one kind is limited over several spans,
 * the one of which least is left is given. Limits and figures that are not above 0, or negative, mean nothing is known
 * (Azure sends -1). A name with any other word in it is of no concern here.
 *
 * Runs for every answer: a look at each name, and nothing more where no limit is stated.
 *
 * @param now milliseconds since the epoch, for resets given as a time to go
 */
export function readRateHeaders(headers: ResponseHeaders, now: number): ReportedLimits | undefined {
  let found: Spans | undefined;
  for (const name in headers) {
    if (!/ratelimit/i.test(name)) continue;
    const value = headers[name];
    const text = (typeof value === 'string' ? value : value?.[0])?.trim();
    if (text === undefined || text === '') continue;
    found ??= {};
    readHeader(name.toLowerCase(), text, now, found);
  }
  return found === undefined ? undefined : tightest(found);
}

type Span = 'any' | 'second' | 'minute' | 'hour' | 'day' | 'month';
interface Stated extends ReportedFigure { void?: boolean }
type Spans = Partial<Record<CountedKind, Partial<Record<Span, Stated>>>>;

type Field = 'limit' | 'remaining' | 'reset';
interface NameParts { kind: CountedKind; span: Span; field: Field }

function readHeader(name: string, text: string, now: number, found: Spans): void {
  if (name === 'ratelimit' || name === 'x-ratelimit') {
    readDraft(text, now, (found.requests ??= {}).any ??= {});
    return;
  }
  const parts = partsOf(name);
  if (parts === undefined) return;
  const reported = (found[parts.kind] ??= {})[parts.span] ??= {};
  if (parts.field === 'reset') {
    const waitMs = resetWaitMs(text, now);
    if (waitMs !== undefined) reported.resetAt = now + waitMs;
    return;
  }
  // The IETF's draft writes policies after the figure: `10, 10;w=1`.
  const figure = plainNumber(text.split(',', 1)[0]);
  if (parts.field === 'remaining') reported.remaining = believedCount(figure);
  else if (figure !== undefined && figure > 0) reported.limit = believedCount(figure);
  else reported.void = true;
}

/** `"default";r=50;t=30` and the older `limit=100, remaining=50, reset=30`. */
function readDraft(text: string, now: number, reported: Stated): void {
  const remaining = /(?:\br|remaining)=(\d{1,15})\b/.exec(text)?.[1];
  const reset = /(?:\bt|reset)=(\d{1,15})\b/.exec(text)?.[1];
  const limit = /(?:\bq|limit)=(\d{1,15})\b/.exec(text)?.[1];
  const waitMs = reset === undefined ? undefined : believedWaitMs(Number(reset) * 1000);
  if (remaining !== undefined) reported.remaining = believedCount(Number(remaining));
  if (waitMs !== undefined) reported.resetAt = now + waitMs;
  if (limit !== undefined && Number(limit) > 0) reported.limit = believedCount(Number(limit));
}

/** More requests or tokens than any limit counts. A limit of more is none. */
const largestCount = 1e15;

function believedCount(figure: number | undefined): number | undefined {
  return figure === undefined || figure > largestCount ? undefined : figure;
}

const spans: ReadonlyMap<string, Span> = new Map((['second', 'minute', 'hour', 'day', 'month'] as const).map(span => [span, span]));

function partsOf(name: string): NameParts | undefined {
  const words = name.slice(name.indexOf('ratelimit') + 'ratelimit'.length).split('-');
  let field: Field | undefined;
  let span: Span = 'any';
  let counts: 'requests' | 'tokens' | undefined;
  let side: 'inputTokens' | 'outputTokens' | undefined;
  for (const word of words) {
    switch (word) {
      case '': break;
      case 'limit': case 'remaining': case 'reset': field = word; break;
      case 'requests': counts = 'requests'; break;
      case 'tokens': case 'bysize': counts = 'tokens'; break;
      case 'input': case 'prompt': side = 'inputTokens'; break;
      case 'output': case 'generated': case 'completion': side = 'outputTokens'; break;
      default: {
        const known = spans.get(word);
        if (known === undefined) return undefined;
        span = known;
      }
    }
  }
  if (field === undefined) return undefined;
  return { kind: counts === 'tokens' ? side ?? 'tokens' : counts ?? 'requests', span, field };
}

function tightest(found: Spans): ReportedLimits | undefined {
  let limits: ReportedLimits | undefined;
  for (const kind of countedKinds) {
    const bySpan = found[kind];
    if (bySpan === undefined) continue;
    let least: Stated | undefined;
    for (const reported of Object.values(bySpan)) {
      if (reported.void === true || reported.remaining === undefined) continue;
      // A reset without a span belongs to all that have none of their own.
      reported.resetAt ??= bySpan.any?.resetAt;
      const tighter = least === undefined || reported.remaining < (least.remaining ?? 0)
        || (reported.remaining === least.remaining && (reported.resetAt ?? 0) > (least.resetAt ?? 0));
      if (tighter) least = reported;
    }
    if (least !== undefined) (limits ??= {})[kind] = { limit: least.limit, remaining: least.remaining, resetAt: least.resetAt };
  }
  return limits;
}
