import type { Attempt, Cost, Receipt } from '../../../api/receipt.ts';
import type { TokenUsage } from '../../../api/conversation.ts';
import { promptTokens } from '../../../api/usage.ts';
import type { RequestBody } from '../../../exchange/request.ts';
import type { AttributeValue } from './otlpJson.ts';
import { operationNames, providerName } from './providerNames.ts';

/** Where an attempt went. */
export interface Place { address: string; port: number }

/** What the span of an exchange is written from. */
export interface ExchangeSubject {
  receipt: Receipt;
  route: string | undefined;
  operation: RequestBody['kind'];
  /** Absent: nobody asked for it. */
  prompt?: string | undefined;
  answer?: string | undefined;
}

/** What the span of an attempt is written from. */
export interface AttemptSubject {
  attempt: Attempt;
  operation: RequestBody['kind'];
  stream: boolean;
  place: Place | undefined;
}

/** One attribute of a span. */
export interface SpanAttribute<Subject> {
  name: string;
  type: 'string' | 'int' | 'double' | 'boolean';
  /** What it says, as a sentence. */
  help: string;
  /** Undefined: it is left out. */
  value(subject: Subject): AttributeValue | undefined;
}

function int(value: number | undefined): AttributeValue | undefined {
  return value === undefined ? undefined : { int: value };
}

function seconds(ms: number | undefined): AttributeValue | undefined {
  return ms === undefined ? undefined : { double: ms / 1000 };
}

/** The tokens of a prompt that were written to a cache, whatever their price. */
function cacheWrites({ cacheWriteTokens, cacheWrite1hTokens }: TokenUsage): number | undefined {
  return cacheWriteTokens === undefined && cacheWrite1hTokens === undefined ? undefined : (cacheWriteTokens ?? 0) + (cacheWrite1hTokens ?? 0);
}

/** What both kinds of spans say of tokens and money. */
function used<Subject>(usage: (subject: Subject) => TokenUsage, cost: (subject: Subject) => Cost): readonly SpanAttribute<Subject>[] {
  return [
    { name: 'gen_ai.usage.input_tokens', type: 'int', help: 'Tokens of prompts, those of caches too. Absent: unknown.', value: subject => int(promptTokens(usage(subject))) },
    { name: 'gen_ai.usage.output_tokens', type: 'int', help: 'Tokens of answers, reasoning too.', value: subject => int(usage(subject).outputTokens) },
    { name: 'gen_ai.usage.cache_read.input_tokens', type: 'int', help: 'Of the prompt, what was read from the provider\'s cache.', value: subject => int(usage(subject).cacheReadTokens) },
    { name: 'gen_ai.usage.cache_write.input_tokens', type: 'int', help: 'Of the prompt, what was written to the provider\'s cache.', value: subject => int(cacheWrites(usage(subject))) },
    { name: 'gen_ai.usage.reasoning.output_tokens', type: 'int', help: 'Of the answer, reasoning.', value: subject => int(usage(subject).reasoningTokens) },
    { name: 'waybill.cost.micro_usd', type: 'int', help: 'Cost in millionths of a US dollar. Absent: unknown.', value: subject => int(cost(subject).microUsd) },
    { name: 'waybill.cost.certainty', type: 'string', help: '`exact`, `estimated` or `unknown`.', value: subject => cost(subject).certainty },
    { name: 'waybill.cost.is_lower_bound', type: 'boolean', help: 'A part of the cost is not known and not in the figure.', value: subject => ((cost(subject).unknownParts ?? 0) > 0 || cost(subject).unpriced !== undefined ? true : undefined) },
  ];
}

/** The attributes of an exchange's span, in the order in which they are written. */
export const exchangeAttributes: readonly SpanAttribute<ExchangeSubject>[] = [
  { name: 'gen_ai.operation.name', type: 'string', help: '`chat`, `text_completion` or `embeddings`.', value: ({ operation }) => operationNames[operation] },
  { name: 'gen_ai.request.model', type: 'string', help: 'The name that the caller asked for: a route, a model or a target.', value: ({ receipt }) => receipt.plan.requestedModel },
  { name: 'gen_ai.provider.name', type: 'string', help: 'The provider that answered, by the conventions\' name. Absent: none did.', value: ({ receipt }) => {
    const provider = answering(receipt)?.provider;
    return provider === undefined ? undefined : providerName(provider);
  } },
  { name: 'gen_ai.response.model', type: 'string', help: 'The model that the answer names. Absent: it names none, or the response cache gave it.', value: ({ receipt }) => answering(receipt)?.answeredModel },
  { name: 'gen_ai.request.stream', type: 'boolean', help: 'The caller asked for a stream.', value: ({ receipt }) => receipt.stream },
  { name: 'gen_ai.response.time_to_first_chunk', type: 'double', help: 'Seconds from the arrival of the request to the first content for its caller.', value: ({ receipt }) => seconds(receipt.firstTokenMs) },
  { name: 'gen_ai.conversation.id', type: 'string', help: 'The id that the caller gave for its conversation.', value: ({ receipt }) => receipt.caller.conversation },
  ...used<ExchangeSubject>(({ receipt }) => receipt.usage, ({ receipt }) => receipt.cost),
  { name: 'error.type', type: 'string', help: 'The class of the failure, where the caller got an error.', value: ({ receipt: { outcome, failureClass } }) => (outcome === 'failed' || outcome === 'interrupted' ? failureClass ?? '_OTHER' : undefined) },
  { name: 'waybill.exchange.id', type: 'string', help: 'The id by which the receipt is found.', value: ({ receipt }) => receipt.id },
  { name: 'waybill.outcome', type: 'string', help: '`ok`, `failed`, `cancelled` or `interrupted`.', value: ({ receipt }) => receipt.outcome },
  { name: 'waybill.inbound', type: 'string', help: '`http`: the local endpoint. `lsp`: the editor.', value: ({ receipt }) => receipt.inbound },
  { name: 'waybill.protocol', type: 'string', help: 'The caller\'s protocol; `editor` for the chat of VS Code.', value: ({ receipt }) => receipt.protocol },
  { name: 'waybill.route', type: 'string', help: 'The route that was asked for.', value: ({ route }) => route },
  { name: 'waybill.strategy', type: 'string', help: 'How its targets were ordered.', value: ({ receipt }) => receipt.plan.strategy },
  { name: 'waybill.why', type: 'string', help: 'Why the first target came first.', value: ({ receipt }) => receipt.plan.why },
  { name: 'waybill.target', type: 'string', help: 'The target that answered.', value: ({ receipt }) => receipt.target },
  { name: 'waybill.attempts', type: 'int', help: 'How many calls of providers there were.', value: ({ receipt }) => int(receipt.attempts.length) },
  { name: 'waybill.excluded', type: 'int', help: 'How many targets the plan left out.', value: ({ receipt }) => int(receipt.plan.excluded.length) },
  { name: 'waybill.cache.state', type: 'string', help: 'What the response cache of the route made of it: `hit`, `shared`, `miss`, `refresh`, `bypass`.', value: ({ receipt }) => receipt.cache?.state },
  { name: 'waybill.cache.saved_micro_usd', type: 'int', help: 'What the kept answer had cost.', value: ({ receipt }) => int(receipt.cache?.savedMicroUsd) },
  { name: 'waybill.canary.arm', type: 'string', help: 'The arm of the route\'s canary.', value: ({ receipt }) => receipt.plan.canary?.arm },
  { name: 'waybill.shadow.of', type: 'string', help: 'It is a copy that a shadow sent: the exchange that it is a copy of.', value: ({ receipt }) => receipt.shadow?.of },
  { name: 'waybill.caller.tool', type: 'string', help: 'The tool that asked.', value: ({ receipt }) => receipt.caller.tool },
  { name: 'waybill.caller.purpose', type: 'string', help: 'What the request is for, where that is known.', value: ({ receipt }) => receipt.caller.purpose },
  { name: 'waybill.caller.token', type: 'string', help: 'The id of the token that came with the request, where it has one of its own. It is no secret.', value: ({ receipt }) => receipt.caller.token },
  { name: 'gen_ai.input.messages', type: 'string', help: 'The texts of the request as JSON, with `content: [prompts]` alone.', value: ({ prompt }) => prompt },
  { name: 'gen_ai.output.messages', type: 'string', help: 'The texts of the answer as JSON, with `content: [answers]` alone.', value: ({ answer }) => answer },
];

/** The attributes of an attempt's span, in the order in which they are written. */
export const attemptAttributes: readonly SpanAttribute<AttemptSubject>[] = [
  { name: 'gen_ai.operation.name', type: 'string', help: '`chat`, `text_completion` or `embeddings`.', value: ({ operation }) => operationNames[operation] },
  { name: 'gen_ai.provider.name', type: 'string', help: 'The provider, by the conventions\' name.', value: ({ attempt: { provider } }) => (provider === undefined ? undefined : providerName(provider)) },
  { name: 'gen_ai.request.model', type: 'string', help: 'The model, by the name that the provider knows it by.', value: ({ attempt }) => attempt.upstreamModel },
  { name: 'gen_ai.response.model', type: 'string', help: 'The model that the answer names; absent where it names none.', value: ({ attempt }) => attempt.answeredModel },
  { name: 'gen_ai.request.stream', type: 'boolean', help: 'The caller asked for a stream.', value: ({ stream }) => stream },
  { name: 'gen_ai.response.time_to_first_chunk', type: 'double', help: 'Seconds from the start of the call to the first text, reasoning or tool call.', value: ({ attempt }) => seconds(attempt.firstTokenMs) },
  { name: 'server.address', type: 'string', help: 'The host of the endpoint.', value: ({ place }) => place?.address },
  { name: 'server.port', type: 'int', help: 'Its port.', value: ({ place }) => int(place?.port) },
  { name: 'http.response.status_code', type: 'int', help: 'The status that the provider answered with.', value: ({ attempt }) => int(attempt.status) },
  ...used<AttemptSubject>(({ attempt }) => attempt.usage, ({ attempt }) => attempt.cost),
  { name: 'error.type', type: 'string', help: 'The class of the failure.', value: ({ attempt: { outcome, failureClass } }) => (outcome === 'failed' || outcome === 'interrupted' ? failureClass ?? '_OTHER' : undefined) },
  { name: 'waybill.outcome', type: 'string', help: '`ok`, `failed`, `cancelled` (also where another target was faster) or `interrupted`.', value: ({ attempt }) => attempt.outcome },
  { name: 'waybill.endpoint', type: 'string', help: 'The endpoint of the configuration.', value: ({ attempt }) => attempt.endpoint },
  { name: 'waybill.target', type: 'string', help: 'Endpoint and model.', value: ({ attempt }) => attempt.target },
  { name: 'waybill.protocol', type: 'string', help: 'The protocol that was spoken.', value: ({ attempt }) => attempt.protocol },
  { name: 'waybill.attempt.number', type: 'int', help: 'Counts from 1 within the exchange.', value: ({ attempt }) => int(attempt.number) },
  { name: 'waybill.attempt.role', type: 'string', help: 'Why it was made, where it was not simply the next: `hedge`, `resume`, `restart`, `last-resort`, `shadow`.', value: ({ attempt }) => attempt.role },
  { name: 'waybill.attempt.connect_seconds', type: 'double', help: 'Time that a new connection took. Absent: a kept one was used.', value: ({ attempt }) => seconds(attempt.connectMs) },
  { name: 'waybill.attempt.retry_after_seconds', type: 'double', help: 'How long the provider asked to be left alone.', value: ({ attempt }) => seconds(attempt.retryAfterMs) },
  { name: 'waybill.drill', type: 'boolean', help: 'A fire drill made it fail; nothing was wrong with the provider.', value: ({ attempt }) => (attempt.drill === true ? true : undefined) },
];

/** Events of an exchange's span. */
export const spanEvents = {
  'waybill.failover': 'After a failure the request went on to another target: `waybill.from`, `waybill.to`, and the class of the failure in `error.type`.',
  'waybill.retry': 'After a failure the same target was asked again: `waybill.to`, `error.type`.',
  'waybill.hedge': 'A second target was asked beside a slow first one: `waybill.to`.',
  'waybill.resume': 'Another target went on from where an answer broke off: `waybill.to`.',
  'waybill.restart': 'The answer began anew in sight of its reader: `waybill.to`.',
} as const;
export type SpanEventName = keyof typeof spanEvents;

/** The attempt that answered. */
function answering({ target, attempts }: Receipt): Attempt | undefined {
  return target === undefined ? undefined : attempts.findLast(attempt => attempt.target === target);
}
