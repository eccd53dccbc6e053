import type { ProviderErrorBody } from '../../api/conversation.ts';
import type { FailureClass, RefusalScope } from '../../api/failure.ts';
import { WaybillError } from '../../base/failure.ts';
import type { FailureCode } from '../../base/failureCodes.ts';
import { parseJson } from '../../base/json.ts';
import type { ResponseHeaders } from '../../base/headers/responseHeaders.ts';
import { momentInWordsMs, parseRetryAfter } from '../../base/headers/retryAfter.ts';
import type { ErrorRule, Provider } from '../../catalog/provider.ts';
import { keyInSentence } from '../../keys/keyState.ts';
import { readErrorBody, readErrorText } from '../../protocols/errorBody.ts';
import { deniesModel, isRegional, refusalScope, type Refusal } from './refusalScope.ts';

/** Whose failure it is, for the sentence and for the provider's own rules. */
export interface FailureSource {
  endpoint: string;
  provider: Provider;
  /** Such as `work …a1b2`; absent where no key was used. */
  keyName?: string | undefined;
  model: string;
  /** The provider's own name of the model, where it is another one. */
  upstreamModel?: string | undefined;
  /** Whether the caller's request has this text in it; absent where the request is none of a caller's. */
  asked?(text: string): boolean;
}

/**
 * Rules that hold for every provider. Money is asked before rate, because empty balances come as 429 too.
 * Source: the providers' error references.
 */
const commonRules: readonly ErrorRule[] = [
  { code: 'insufficient_quota', failureClass: 'quota' },
  { code: 'credit_balance_exhausted', failureClass: 'quota' },
  { code: 'organization_spend_limit_exceeded', failureClass: 'quota' },
  { code: 'project_spend_limit_exceeded', failureClass: 'quota' },
  { code: 'organization_usage_limit_exceeded', failureClass: 'quota' },
  { code: 'enforced_spend_limit_reached', failureClass: 'quota' },
  { code: 'contract_spend_limit_reached', failureClass: 'quota' },
  { code: 'exceeded_current_quota_error', failureClass: 'quota' },
  { code: 'billing_error', failureClass: 'quota' },
  { code: 'billing_hard_limit_reached', failureClass: 'quota' },
  { code: 'payment_required', failureClass: 'quota' },
  // Relays, of which many are built of the same parts and answer in Chinese, and Alibaba.
  { code: 'insufficient_user_quota', failureClass: 'quota' },
  { code: 'pre_consume_token_quota_failed', failureClass: 'quota' },
  { code: 'Arrearage', failureClass: 'quota' },
  { message: '余额不足', failureClass: 'quota' },
  { message: '额度不足', failureClass: 'quota' },
  { message: 'insufficient account balance', failureClass: 'quota' },
  { message: 'insufficient quota', failureClass: 'quota' },
  { message: 'credit balance is too low', failureClass: 'quota' },
  { message: 'insufficient balance', failureClass: 'quota' },
  { message: 'insufficient credits', failureClass: 'quota' },
  { message: 'insufficient funds', failureClass: 'quota' },
  { message: 'used all available credits', failureClass: 'quota' },
  // Google's message for a prepaid account that is empty.
  { message: 'credits are depleted', failureClass: 'quota' },
  { message: 'exceeded your current quota, please check your plan', failureClass: 'quota' },
  { message: 'spend limit', failureClass: 'quota' },
  { message: 'spending limit', failureClass: 'quota' },
  { code: 'context_length_exceeded', failureClass: 'context-overflow' },
  { code: 'request_too_large', failureClass: 'context-overflow' },
  { message: 'prompt is too long', failureClass: 'context-overflow' },
  { message: 'maximum context length', failureClass: 'context-overflow' },
  // SGLang and clouds that run it (QwenLM/Qwen3#1321), and llama.cpp (its README).
  { message: "longer than the model's context length", failureClass: 'context-overflow' },
  { code: 'exceed_context_size_error', failureClass: 'context-overflow' },
  { message: 'exceeds the available context size', failureClass: 'context-overflow' },
  { message: 'exceed context limit', failureClass: 'context-overflow' },
  { message: 'context length exceeded', failureClass: 'context-overflow' },
  { message: 'context window', failureClass: 'context-overflow' },
  { message: 'exceeds the maximum number of tokens', failureClass: 'context-overflow' },
  { message: 'input token count', failureClass: 'context-overflow' },
  { message: 'input token length too long', failureClass: 'context-overflow' },
  { message: 'exceeded model token limit', failureClass: 'context-overflow' },
  { code: 'content_policy_violation', failureClass: 'content-policy' },
  { code: 'content_filter', failureClass: 'content-policy' },
  { code: 'image_content_policy_violation', failureClass: 'content-policy' },
  { code: 'misalignment_policy_violation', failureClass: 'content-policy' },
  { code: 'bio_policy', failureClass: 'content-policy' },
  { code: 'invalid_prompt', failureClass: 'content-policy' },
  { message: 'content filtering policy', failureClass: 'content-policy' },
  { code: 'ResponsibleAIPolicyViolation', failureClass: 'content-policy' },
  { message: 'responsible ai practices', failureClass: 'content-policy' },
  { code: 'invalid_api_key', failureClass: 'auth' },
  { code: 'API_KEY_INVALID', failureClass: 'auth' },
  { code: 'authentication_error', failureClass: 'auth' },
  { code: 'invalid_authentication_error', failureClass: 'auth' },
  { code: 'incorrect_api_key_error', failureClass: 'auth' },
  { code: 'organization_on_hold', failureClass: 'auth' },
  { message: 'incorrect api key', failureClass: 'auth' },
  { message: 'invalid api key', failureClass: 'auth' },
  { message: 'api key not valid', failureClass: 'auth' },
  { code: 'model_not_found', failureClass: 'model-not-found' },
  { code: 'DeploymentNotFound', failureClass: 'model-not-found' },
  { code: 'overloaded_error', failureClass: 'overloaded' },
  { code: 'server_is_overloaded', failureClass: 'overloaded' },
  { status: 503, code: 'UNAVAILABLE', failureClass: 'overloaded' },
  { code: 'engine_overloaded_error', failureClass: 'overloaded' },
  { code: 'insufficient_system_resource', failureClass: 'overloaded' },
  { code: 'ModelNotReadyException', failureClass: 'overloaded' },
  { status: 503, code: 'slow_down', failureClass: 'overloaded' },
  { code: 'slow_down', failureClass: 'rate-limit' },
  { code: 'too_many_requests', failureClass: 'rate-limit' },
  { code: 'rate_limit_error', failureClass: 'rate-limit' },
  { code: 'rate_limit_exceeded', failureClass: 'rate-limit' },
  { code: 'rate_limit_reached_error', failureClass: 'rate-limit' },
  { code: 'timeout_error', failureClass: 'timeout' },
];

/** A provider refuses reasoning or signatures that it did not make itself. */
const reasoningRejected = /signature.{0,20}thinking|thinking.{0,40}(?:signature|cannot be modified)|thought[_ ]?signature|encrypted[_ ](?:reasoning[_ ])?content|reasoning_content.{0,60}passed back/i;

/** A server refuses a part of the request, though it answers with the status of what does not exist. */
const partUnknown = /(?:unsupported|unknown|unrecogni[sz]ed) (?:request )?(?:param|argument|field|property|key)|extra inputs are not permitted|anthropic-beta/i;

const classOfStatus: Record<number, FailureClass> = {
  400: 'bad-request', 401: 'auth', 402: 'quota', 403: 'auth', 404: 'model-not-found', 405: 'bad-request', 408: 'timeout', 409: 'server',
  413: 'context-overflow', 415: 'bad-request', 422: 'bad-request', 424: 'server', 425: 'server', 429: 'rate-limit', 498: 'overloaded', 499: 'server',
  500: 'server', 501: 'server', 502: 'server', 503: 'server', 504: 'server', 524: 'timeout', 529: 'overloaded',
};

/**
 * Classifies a refused request: the provider's own rules first, then the common ones, then the status.
 * @param status HTTP status; 200 for an error inside a good answer
 * @param headers lower-case response headers
 * @param body the response body as text, bounded by the caller
 * @param now milliseconds since the epoch, for HTTP dates in Retry-After
 */
export function responseFailure(
  status: number, headers: ResponseHeaders, body: string, source: FailureSource, now: number,
): WaybillError {
  const parsed = parseJson(body.trim());
  const error = (parsed === undefined ? undefined : readErrorBody(parsed)) ?? readErrorText(body);
  return providerFailure(withAwsType(error, headers), status, source, now, parseRetryAfter(headers, now));
}

/**
 * AWS names its error in a header, such as `ThrottlingException:http://internal.amazon.com/…`. What it says of a wrong signature
 * repeats the headers that were signed, a session token among them, and is cut before that.
 */
function withAwsType(error: ProviderErrorBody, headers: ResponseHeaders): ProviderErrorBody {
  const named = headers['x-amzn-errortype'];
  if (typeof named !== 'string') return error;
  const type = /^[A-Za-z]{1,80}/.exec(named)?.[0] ?? error.type;
  const echo = error.message.search(/The (?:Canonical String|String-to-Sign)|X-Amz-Security-Token/i);
  return { ...error, type, message: echo === -1 ? error.message : error.message.slice(0, echo).trimEnd() };
}

/** Classifies an error object found in a body or in a stream. @param now milliseconds since the epoch, for moments that its sentence names */
export function providerFailure(error: ProviderErrorBody, httpStatus: number, source: FailureSource, now: number, retryAfterMs?: number): WaybillError {
  const status = httpStatus >= 300 ? httpStatus : error.status ?? httpStatus;
  const rule = ruleOf(error, status, source.provider);
  const refusal = { error, status, models: [source.model, source.upstreamModel ?? ''] };
  const failureClass = classify(rule, refusal);
  const scope = rule?.scope ?? refusalScope(failureClass, refusal);
  const wait = longest(retryAfterMs, longest(error.retryAfterMs, momentInWordsMs(error.message, now)));
  const code: FailureCode = failureClass === 'bad-request' && reasoningRejected.test(error.message) ? 'reasoning-rejected' : `provider-${failureClass}`;
  const { says, advice, namesKeyOwner } = ownSentence(failureClass, scope, error, status, source);
  const quotes = quotingClasses.has(failureClass);
  return new WaybillError(code, failureClass, quotes ? withProviderWords(says, error.message, shortened) : says, {
    advice,
    scope,
    namesKeyOwner,
    status: status >= 300 ? status : undefined,
    retryAfterMs: wait,
    ownSentence: quotes ? says : undefined,
    detail: error.message,
    providerCode: error.code ?? error.type,
    providerParam: error.param,
    helpUrl: failureClass === 'quota' ? source.provider.billingUrl : failureClass === 'auth' ? source.provider.keyUrl : undefined,
  });
}

function ruleOf(error: ProviderErrorBody, status: number, provider: Provider): ErrorRule | undefined {
  const message = error.message.toLowerCase();
  // A server-side status is the provider's fault whatever its message says, but for codes of money and overload.
  return provider.errorRules?.find(rule => matches(rule, error, message, status))
    ?? commonRules.find(rule => (status < 500 || rule.code !== undefined) && matches(rule, error, message, status));
}

/** Statuses with which providers refuse a key, a model or a region. */
const refusingStatuses: ReadonlySet<number> = new Set([400, 401, 403, 422, 451]);

function classify(rule: ErrorRule | undefined, refusal: Refusal): FailureClass {
  const { error, status } = refusal;
  if (refusingStatuses.has(status) && (rule === undefined || rule.failureClass === 'auth') && (deniesModel(refusal) || isRegional(refusal))) return 'auth';
  if (rule !== undefined) return rule.failureClass;
  if (status === 404 && partUnknown.test(error.message)) return 'bad-request';
  const known = classOfStatus[status];
  if (known !== undefined) return known;
  if (status >= 300 && status < 400) return 'server';
  if (status >= 400 && status < 500) return 'bad-request';
  if (status < 300) return inBandClass(error);
  return 'server';
}

function inBandClass(error: ProviderErrorBody): FailureClass {
  switch (error.type) {
    case 'invalid_request_error':
    case 'INVALID_ARGUMENT': return 'bad-request';
    case 'not_found_error':
    case 'NOT_FOUND': return 'model-not-found';
    case 'permission_error':
    case 'PERMISSION_DENIED':
    case 'UNAUTHENTICATED': return 'auth';
    case 'RESOURCE_EXHAUSTED': return 'rate-limit';
    case 'UNAVAILABLE': return 'overloaded';
    case 'DEADLINE_EXCEEDED': return 'timeout';
    default: return 'server';
  }
}

function matches(rule: ErrorRule, error: ProviderErrorBody, lowerMessage: string, status: number): boolean {
  if (rule.status !== undefined && rule.status !== status) return false;
  if (rule.code !== undefined && rule.code !== error.code && rule.code !== error.type) return false;
  if (rule.codePart !== undefined && error.code?.includes(rule.codePart) !== true) return false;
  if (rule.message !== undefined && !lowerMessage.includes(rule.message.toLowerCase())) return false;
  return rule.status !== undefined || rule.code !== undefined || rule.codePart !== undefined || rule.message !== undefined;
}

function longest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.max(a, b);
}

/** Classes of which only the provider's own message says what is wrong. */
const quotingClasses: ReadonlySet<FailureClass> = new Set<FailureClass>(['content-policy', 'bad-request', 'server', 'network', 'cancelled', 'rate-limit']);

interface OwnSentence { says: string; advice?: string; namesKeyOwner?: true }

function ownSentence(failureClass: FailureClass, scope: RefusalScope | undefined, error: ProviderErrorBody, status: number, source: FailureSource): OwnSentence {
  const { endpoint, model } = source;
  const key = keyText(source.keyName);
  const said = status >= 300 ? ` (${status})` : '';
  switch (failureClass) {
    case 'auth':
      if (scope !== undefined && scope !== 'key' && model !== '') return scopedSentence(scope, said, source);
      if (source.keyName !== undefined) return { says: `${endpoint} rejected ${key}${said}.`, advice: 'replace the key, or check what it may use', namesKeyOwner: true };
      if (source.provider.auth === 'entra') return { says: `${endpoint} rejected the Entra login of this machine${said}.`, advice: 'log in again with "az login", or give the identity the role "Cognitive Services OpenAI User"', namesKeyOwner: true };
      if (source.provider.auth === 'aws') return { says: `${endpoint} rejected the AWS credentials of this machine${said}.`, advice: 'log in again, check the profile, or add a Bedrock API key', namesKeyOwner: true };
      return source.provider.auth === 'google-oauth'
        ? { says: `${endpoint} rejected the Google login of this machine${said}.`, advice: 'log in anew, or add a key file', namesKeyOwner: true }
        : { says: `${endpoint} wants a key${said}.`, advice: 'add one' };
    case 'quota': return { says: `${endpoint} says there is no money or quota left on ${key}${said}.`, advice: 'top up or raise the limit at the provider' };
    case 'rate-limit': return { says: `${endpoint} limits the rate of requests${said}.` };
    case 'overloaded': return { says: `${endpoint} is overloaded${said}.` };
    case 'timeout': return { says: `${endpoint} reported a timeout${said}.` };
    case 'context-overflow': return { says: `The conversation is too long for ${model} at ${endpoint}.`, advice: 'shorten it or choose a model with a larger context window' };
    case 'content-policy': return { says: `${endpoint} refused the request for its content policy.` };
    case 'model-not-found':
      if (scope === 'key-model' && source.keyName !== undefined) return scopedSentence(scope, said, source);
      return { says: `${endpoint} does not know the model ${model}${said}.`, advice: 'check its name or your access to it' };
    case 'bad-request': return { says: `${endpoint} refused the request as wrong${statusAndCode(error, status, source)}.` };
    default: return { says: `${endpoint} failed${statusAndCode(error, status, source)}.` };
  }
}

/** A refusal that does not speak of the key as a whole, in words. */
function scopedSentence(scope: Exclude<RefusalScope, 'key'>, said: string, { endpoint, model, keyName, provider }: FailureSource): OwnSentence {
  const key = keyName === undefined && provider.auth === 'google-oauth' ? 'the Google login of this machine'
    : keyName === undefined && provider.auth === 'aws' ? 'the AWS login of this machine'
      : keyName === undefined && provider.auth === 'entra' ? 'the Entra login of this machine' : keyText(keyName);
  switch (scope) {
    case 'key-model': return { says: `${endpoint} says that ${key} may not use ${model}${said}.`, advice: 'give the key the right to the model, or use a key that has it', namesKeyOwner: true };
    case 'account': return { says: `${endpoint} has blocked the account of ${key}${said}.`, advice: 'see the account at the provider, or use a key of another one', namesKeyOwner: true };
    case 'model': return { says: `${endpoint} does not offer ${model} in this country or region${said}.`, advice: 'use another model or endpoint', namesKeyOwner: true };
    case 'endpoint': return { says: `${endpoint} does not serve this country or region${said}.`, advice: 'use another endpoint', namesKeyOwner: true };
  }
}

function keyText(keyName: string | undefined): string {
  return keyName === undefined ? 'the key' : keyInSentence(keyName);
}

/** Codes are stored, so only what looks like a name from the provider's documentation is one, and no word of the conversation. */
const codeShape = /^(?:[A-Za-z]{1,40}(?:[_.-][A-Za-z]{1,40}){0,5}|\d{1,6})$/;

function statusAndCode(error: ProviderErrorBody, status: number, source: FailureSource): string {
  const code = error.code ?? error.type;
  const isCode = code !== undefined && code.length <= 64 && codeShape.test(code) && source.asked?.(code) !== true;
  const parts = [...(status >= 300 ? [String(status)] : []), ...(isCode ? [code] : [])];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

/** The longest part of a provider's message that a sentence quotes. */
const longestQuote = 300;

/** Our sentence with the provider's message behind it, in one line. @param excerpt redacts and cuts */
export function withProviderWords(own: string, words: string, excerpt: (text: string, maxLength: number) => string): string {
  const line = words.replace(/\s+/g, ' ').trim();
  return `${own.replace(/\.$/, '')}: ${line === '' ? 'it gave no reason.' : excerpt(line, longestQuote)}`;
}

function shortened(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
}
