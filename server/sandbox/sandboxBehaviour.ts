import * as z from 'zod';

/**
 * What a sandbox provider does on command, one member for each way in which a real provider misbehaves.
 * The same objects are used in tests (`provider.script`) and over HTTP (`POST /__sandbox/behaviour`).
 */

export const sandboxErrorKinds = [
  'auth', 'permission', 'quota', 'rate-limit', 'overloaded', 'server', 'bad-gateway', 'timeout', 'bad-request',
  'context-overflow', 'content-policy', 'model-not-found', 'foreign-thinking',
] as const;
/** A failure that is written in the provider's own words and shape. */
export type SandboxErrorKind = (typeof sandboxErrorKinds)[number];

/**
 * A moment of a stream: before any event, after the lifecycle events, in the middle of the first tool call's
 * arguments, after all content, after the finish reason but before the terminal event, or after so many pieces
 * of content (words, or pieces of tool arguments).
 */
const streamPoint = z.union([z.int().min(0), z.enum(['headers', 'prelude', 'tool-arguments', 'content', 'finish'])]);
export type StreamPoint = z.infer<typeof streamPoint>;

/** How the wait is written: header in whole seconds, with a fraction, as a date, `retry-after-ms`, or in the body as `retryDelay`. */
const retryAfter = z.strictObject({ form: z.enum(['seconds', 'fraction', 'date', 'milliseconds', 'body']), ms: z.number().min(0) });
export type SandboxRetryAfter = z.infer<typeof retryAfter>;

const headers = z.record(z.string(), z.string()).optional();
/** `all`: model lists, token counts and probes fail too. Default: only generating calls do. */
const scope = z.enum(['generation', 'all']).optional();
const errorKind = z.enum(sandboxErrorKinds);
const status = z.int().min(200).max(599);
const positive = z.int().min(1);
const usageNumbers = z.strictObject({
  /** Fresh prompt tokens, without those read from or written to a cache. */
  input: z.int().min(0).optional(),
  cacheRead: z.int().min(0).optional(),
  cacheWrite: z.int().min(0).optional(),
  cacheWrite1h: z.int().min(0).optional(),
  /** All generated tokens, reasoning included. */
  output: z.int().min(0).optional(),
  reasoning: z.int().min(0).optional(),
});

export const sandboxBehaviourSchema = z.discriminatedUnion('type', [
  /** A good answer; what is given here replaces what the sandbox would have said. */
  z.strictObject({
    type: z.literal('answer'),
    text: z.string().optional(),
    thinking: z.string().optional(),
    toolCalls: z.array(z.strictObject({ name: z.string(), arguments: z.string() })).optional(),
    /** `missing`: none is sent. `inconsistent`: the numbers contradict each other. */
    usage: z.union([z.enum(['missing', 'inconsistent']), usageNumbers]).optional(),
    headers,
    headersMs: z.number().min(0).optional(),
    firstTokenMs: z.number().min(0).optional(),
    betweenWordsMs: z.number().min(0).optional(),
  }),
  /** The model declines, in a well-formed answer. */
  z.strictObject({ type: z.literal('refusal'), text: z.string().optional() }),
  /** Any status; without a body, the provider's usual body for that status. */
  z.strictObject({ type: z.literal('status'), status, headers, body: z.union([z.string(), z.record(z.string(), z.json())]).optional(), scope }),
  /** A provider-shaped failure with its usual status. */
  z.strictObject({ type: z.literal('error'), error: errorKind, status: status.optional(), message: z.string().optional(), headers, retryAfter: retryAfter.optional(), scope }),
  /** Connections are refused until the script changes. */
  z.strictObject({ type: z.literal('refuse') }),
  /** New connections are accepted and never read: no TLS handshake, no answer. */
  z.strictObject({ type: z.literal('black-hole') }),
  /** The request is read and nothing is ever answered. */
  z.strictObject({ type: z.literal('no-answer'), scope }),
  /** 200 with headers, then nothing. */
  z.strictObject({ type: z.literal('silence') }),
  /** 200, then only comments or pings; `lifecycle`: after the protocol's opening events. */
  z.strictObject({ type: z.literal('keep-alives'), everyMs: positive, lifecycle: z.boolean().optional() }),
  /** The whole answer, `bytes` at a time. */
  z.strictObject({ type: z.literal('crawl'), bytes: positive, everyMs: positive }),
  z.strictObject({ type: z.literal('stall'), after: streamPoint }),
  /** `reset`: TCP reset. `close`: the connection closes inside the body. `end`: the body ends cleanly, without the terminal event. */
  z.strictObject({ type: z.literal('cut'), after: streamPoint, how: z.enum(['reset', 'close', 'end']) }),
  /** An error event inside a 200 stream, then the stream ends. */
  z.strictObject({ type: z.literal('error-in-stream'), error: errorKind, after: streamPoint.optional() }),
  /** 200 whose JSON body is an error object, whatever was asked for. */
  z.strictObject({ type: z.literal('error-in-200'), error: errorKind }),
  /** A well-formed answer with neither text nor tool call. */
  z.strictObject({ type: z.literal('empty') }),
  /** One unreadable line in an otherwise good stream. */
  z.strictObject({ type: z.literal('malformed-line'), after: streamPoint.optional(), line: z.string().optional() }),
  /** An HTML page, as a captive portal or a gateway sends it. */
  z.strictObject({ type: z.literal('html'), status: status.optional(), scope }),
  /** The good answer's bytes are replaced by a short text of this content type. */
  z.strictObject({ type: z.literal('content-type'), contentType: z.string(), body: z.string().optional() }),
  z.strictObject({ type: z.literal('redirect'), location: z.string(), status: z.int().min(300).max(399).optional(), scope }),
  /** One event, or one response header, of at least `bytes` bytes. */
  z.strictObject({ type: z.literal('oversize'), what: z.enum(['event', 'header']), bytes: positive, after: streamPoint.optional() }),
  /** Answers well, unless the history carries signed reasoning that this provider did not make. */
  z.strictObject({ type: z.literal('reject-foreign-thinking') }),
]);
export type SandboxBehaviour = z.infer<typeof sandboxBehaviourSchema>;

/** One behaviour (until changed) or a list (one for each of the next generating requests). */
export const sandboxScriptSchema = z.union([sandboxBehaviourSchema, z.array(sandboxBehaviourSchema)]);
export type SandboxScript = z.infer<typeof sandboxScriptSchema>;
