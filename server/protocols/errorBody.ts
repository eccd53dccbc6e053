import type { ProviderErrorBody } from '../api/conversation.ts';
import { asNumber, asString, isObject, parseJson } from '../base/json.ts';
import type { JsonObject, JsonValue } from '../base/json.ts';
import { believedWaitMs, durationMs, longestWaitMs, waitInWordsMs } from '../base/headers/retryAfter.ts';

/**
 * Of a message, and of a body that is not JSON, no more than this is read: error pages can be megabytes. What is shown is
 * far shorter, and cut only after it was redacted, because a cut here could leave a part of a secret that redaction misses.
 */
const maxTextLength = 16_384;
/** A longer text is not a code; a code is kept whole or left out. */
const maxCodeLength = 200;
const maxNesting = 3;

/**
 * Reads an error out of a JSON body or a stream event of any provider: the shapes of Anthropic, the OpenAI
 * family, Google (also wrapped in an array), Mistral and older vLLM, FastAPI, xAI, Ollama, AWS, Cloudflare, and
 * relays that wrap one of these in another.
 * `code` is the most specific machine-readable name there is: Anthropic's `details.error_code`, Google's
 * `details[].reason` or the id of the quota that was exceeded, OpenRouter's `metadata.limit_source`, else `error.code`.
 * @returns undefined when the value holds no error, such as a good answer
 */
export function readErrorBody(body: JsonValue): ProviderErrorBody | undefined {
  return readError(body, 0);
}

/**
 * Reads an error out of the raw text of a body, which may be JSON, a stream event, HTML of a proxy, or nothing.
 * Always gives a message, without markup.
 */
export function readErrorText(text: string): ProviderErrorBody {
  const head = text.slice(0, maxTextLength).trim();
  // A whole JSON body may be longer than the excerpt; only then is the full text worth parsing.
  const json = parseJson(head.length < maxTextLength ? head : text) ?? parseJson(/^data:\s*(.+)$/m.exec(head)?.[1] ?? '');
  const read = json === undefined ? undefined : readErrorBody(json);
  if (read !== undefined) return read;
  const plain = withoutMarkup(head);
  return { message: plain === '' ? 'The provider sent an empty answer.' : plain };
}

function readError(body: JsonValue | undefined, depth: number): ProviderErrorBody | undefined {
  if (depth > maxNesting) return undefined;
  if (Array.isArray(body)) {
    for (const entry of body.slice(0, 4)) {
      const read = isObject(entry) ? readError(entry, depth + 1) : undefined;
      if (read !== undefined) return read;
    }
    return undefined;
  }
  if (!isObject(body)) return undefined;
  const { error } = body;
  const ownStatus = ownStatusOf(body);
  if (ownStatus !== undefined) return ownStatus;
  if (isObject(error)) return Object.keys(error).length === 0 ? undefined : fromErrorObject(error, body, depth);
  if (Array.isArray(error)) return readError(error, depth + 1);
  if (typeof error === 'string' && error !== '') return fromErrorString(error, body);
  if (body.object === 'error' || (body.type === 'error' && body.message !== undefined) || error === true) return fromErrorObject(body, body, depth);
  if (body.choices !== undefined || body.content !== undefined || body.candidates !== undefined || body.output !== undefined) return undefined;
  if (body.detail !== undefined && body.detail !== null) return fromDetail(body.detail, body, depth);
  if (Array.isArray(body.errors) && body.errors.length > 0) return fromErrorObject(isObject(body.errors[0]) ? body.errors[0] : { message: body.errors[0] }, body, depth);
  if (typeof body.message === 'string') return fromErrorObject(body, body, depth);
  return undefined;
}

function fromErrorObject(error: JsonObject, body: JsonObject, depth: number): ProviderErrorBody {
  // Some relays put the upstream's whole error body under `error.error`.
  const inner = isObject(error.error) ? readError({ error: error.error }, depth + 1) : undefined;
  if (inner !== undefined && error.message === undefined) return inner;
  const details = Array.isArray(error.details) ? error.details.filter((entry) => isObject(entry)) : [];
  const metadata = isObject(error.metadata) ? error.metadata : undefined;
  const numericCode = statusOf(error.code);
  const message = messageOf(error.message ?? error.msg, error, metadata, depth);
  return {
    type: word(error.status) ?? word(error.type) ?? (body === error ? undefined : wordUnlessError(body.type)) ?? word(body.__type),
    code: word(isObject(error.details) ? error.details.error_code : undefined)
      ?? firstWord(details, (detail) => detail.reason)
      ?? firstWord(details, quotaIdOf)
      ?? word(metadata?.limit_source)
      ?? (metadata?.reasons !== undefined || metadata?.flagged_input !== undefined ? 'moderation' : undefined)
      ?? (numericCode === undefined ? word(typeof error.code === 'number' ? String(error.code) : error.code) : undefined),
    status: numericCode ?? statusOf(error.status) ?? statusOf(error.status_code) ?? statusOf(body.status) ?? statusOf(body.statusCode),
    message,
    param: word(error.param),
    retryAfterMs: waitOf(message, details, error, body, metadata),
  };
}

/** MiniMax: `base_resp` of a status other than 0, also inside a good answer. */
function ownStatusOf({ base_resp: own }: JsonObject): ProviderErrorBody | undefined {
  if (!isObject(own) || typeof own.status_code !== 'number' || own.status_code === 0) return undefined;
  return { code: String(own.status_code), message: bounded(asString(own.status_msg) ?? `status ${own.status_code}`) };
}

/** `{"error":"text"}` of Ollama and others, `{"code":"…","error":"text"}` of xAI. */
function fromErrorString(text: string, body: JsonObject): ProviderErrorBody {
  // `{"error":"Too Many Requests","message":"…"}`: the sentence is worth more than the title.
  const message = bounded(asString(body.message) ?? text);
  return {
    type: wordUnlessError(body.type),
    code: word(body.code) ?? (asString(body.message) === undefined ? undefined : word(text)),
    status: statusOf(body.code) ?? statusOf(body.status) ?? statusOf(body.statusCode),
    message,
    retryAfterMs: waitOf(message, [], body),
  };
}

/** FastAPI: `detail` is a sentence, a list of validation errors, or an object of the application's own. */
function fromDetail(detail: JsonValue, body: JsonObject, depth: number): ProviderErrorBody | undefined {
  const status = statusOf(body.status) ?? statusOf(body.status_code);
  if (typeof detail === 'string') return { message: bounded(detail), code: word(body.code), status, retryAfterMs: waitOf(detail, [], body) };
  if (isObject(detail)) return readError(isObject(detail.error) || typeof detail.error === 'string' ? detail : { error: detail }, depth + 1);
  if (!Array.isArray(detail)) return undefined;
  const sentences = detail.slice(0, 5).map((entry) => {
    if (!isObject(entry)) return text(entry);
    const path = Array.isArray(entry.loc) ? entry.loc.map(String).join('.') : '';
    return `${path === '' ? '' : `${path}: `}${asString(entry.msg) ?? text(entry)}`;
  });
  const first = detail.find((entry) => isObject(entry));
  return { type: word(first?.type), message: bounded(sentences.join('; ')), status };
}

function messageOf(message: JsonValue | undefined, error: JsonObject, metadata: JsonObject | undefined, depth: number): string {
  const own = typeof message === 'string' && message !== '' ? message : message === undefined || message === null || message === '' ? undefined : text(message);
  // OpenRouter says "Provider returned error"; what the provider said is beside it.
  const raw = metadata?.raw;
  const cause = typeof raw === 'string' ? readError(parseJson(raw), depth + 1)?.message ?? raw : isObject(raw) ? readError(raw, depth + 1)?.message : undefined;
  if (own !== undefined) return bounded(cause === undefined || cause === '' ? own : `${own}: ${cause}`);
  return bounded(cause ?? word(error.type) ?? word(error.code) ?? word(error.status) ?? text(error));
}

function quotaIdOf(detail: JsonObject): JsonValue | undefined {
  const violation = Array.isArray(detail.violations) ? detail.violations[0] : undefined;
  return isObject(violation) ? violation.quotaId : undefined;
}

/** The longest wait an error asks for: in Google's details, in a field of its own, or in its sentence. */
function waitOf(message: string, details: readonly JsonObject[], ...places: readonly (JsonObject | undefined)[]): number | undefined {
  let longest = longestWaitMs(retryDelayOf(details), waitInWordsMs(message));
  for (const place of places) if (place !== undefined) longest = longestWaitMs(longest, retryFieldOf(place));
  return longest;
}

/** Google's `RetryInfo`: `"34s"`, `"1.5s"`, or a protobuf duration object. */
function retryDelayOf(details: readonly JsonObject[]): number | undefined {
  let longest: number | undefined;
  for (const { retryDelay } of details) {
    const seconds = isObject(retryDelay) ? Number(retryDelay.seconds ?? 0) + Number(retryDelay.nanos ?? 0) / 1e9 : NaN;
    longest = longestWaitMs(longest, isObject(retryDelay) ? believedWaitMs(Math.round(seconds * 1_000)) : durationMs(asString(retryDelay) ?? ''));
  }
  return longest;
}

/** Fields of other makers, in seconds, in milliseconds where their name says so, or as a duration. */
function retryFieldOf(place: JsonObject): number | undefined {
  const seconds = longestWaitMs(
    longestWaitMs(waitField(place.retry_after), waitField(place.retryAfter)),
    longestWaitMs(waitField(place.retry_after_seconds), waitField(place.retryAfterSeconds)),
  );
  const milliseconds = longestWaitMs(waitField(place.retry_after_ms, 1), waitField(place.retryAfterMs, 1));
  return longestWaitMs(seconds, milliseconds);
}

function waitField(value: JsonValue | undefined, unitMs = 1_000): number | undefined {
  const figure = asNumber(value) ?? (typeof value === 'string' && /^\d{1,12}(\.\d+)?$/.test(value) ? Number(value) : undefined);
  if (figure === undefined) return durationMs(asString(value) ?? '');
  return believedWaitMs(Math.round(figure * unitMs));
}

function firstWord(details: readonly JsonObject[], pick: (detail: JsonObject) => JsonValue | undefined): string | undefined {
  for (const detail of details) {
    const found = word(pick(detail));
    if (found !== undefined) return found;
  }
  return undefined;
}

function word(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= maxCodeLength ? value : undefined;
}

/** Anthropic's outer `type` is always `error`, which carries no information. */
function wordUnlessError(value: JsonValue | undefined): string | undefined {
  return value === 'error' ? undefined : word(value);
}

/** An HTTP status, also one written as text such as `"429"`; a vendor's own error number is none. */
function statusOf(code: JsonValue | undefined): number | undefined {
  const text = typeof code === 'number' ? String(code) : code;
  return typeof text === 'string' && /^[1-5]\d\d$/.test(text) ? Number(text) : undefined;
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value) ?? '';
}

/** As much of a text as is looked at. */
export function bounded(message: string): string {
  return message.length > maxTextLength ? message.slice(0, maxTextLength) : message;
}

function withoutMarkup(source: string): string {
  if (!/<[a-z!/]/i.test(source)) return source.replace(/\s+/g, ' ').trim();
  const title = plainText(/<title[^<>]*>([^<]*)/i.exec(source)?.[1] ?? '');
  const body = plainText(source.replace(/<(script|style|title)\b[\s\S]*?(?:<\/\1\s*>|$)/gi, ' '));
  if (title === '' || body.startsWith(title)) return body;
  return body === '' ? title : `${title}: ${body}`;
}

function plainText(markup: string): string {
  return markup
    .replace(/<!--[\s\S]*?(?:-->|$)/g, ' ')
    .replace(/<[^>]*(?:>|$)/g, ' ')
    .replace(/&(nbsp|amp|lt|gt|quot|#39|#x27);/g, (_entity, name: string) => entities[name] ?? ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

const entities: Readonly<Record<string, string>> = { nbsp: ' ', amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'" };
