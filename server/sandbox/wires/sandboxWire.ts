import type { IncomingHttpHeaders } from 'node:http';
import { isObject, parseJson } from '../../base/json.ts';
import type { JsonObject } from '../../base/json.ts';
import type { SandboxErrorKind, SandboxRetryAfter } from '../sandboxBehaviour.ts';

/** Wire formats the sandbox can speak; each is one `SandboxWire`. */
export const sandboxProtocols = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'] as const;
export type SandboxProtocol = (typeof sandboxProtocols)[number];

export interface SandboxToolCall {
  name: string;
  /** JSON text. */
  arguments: string;
}

/** Words or calls for the sandbox to answer with. */
export interface SandboxSpeech {
  text?: string | undefined;
  toolCalls?: SandboxToolCall[] | undefined;
}

/** What a request asks of the sandbox, whatever protocol it came in. */
export interface SandboxPrompt {
  model: string;
  stream: boolean;
  /** By the sandbox's own rule, see tokens.ts. */
  inputTokens: number;
  /** Text of the newest user message. */
  userText: string;
  /** Results of the newest tool calls, when the conversation ends with them. */
  toolResults: string[];
  images: number;
  /** `custom`: the tool takes free text instead of JSON. */
  tools: { name: string; parameters: JsonObject | undefined; custom?: boolean | undefined }[];
  toolChoice: 'auto' | 'none' | 'required' | { name: string };
  parallelToolCalls: boolean;
  maxOutputTokens: number | undefined;
  stop: string[];
  choices: number;
  thinking: 'off' | 'visible' | 'hidden';
  format: 'text' | 'json' | { schema: JsonObject };
  /** The log probability of every token of the text is wanted. */
  logprobs?: boolean | undefined;
  /** The stream shall end with usage (openai-chat says so in the request; others always send it). */
  includeUsage: boolean;
}

/** Disjoint buckets, as in `TokenUsage`; `reasoning` is part of `output`. */
export interface SandboxUsage {
  input: number;
  cacheRead: number;
  cacheWrite: number;
  cacheWrite1h: number;
  output: number;
  reasoning: number;
}

/** One choice of an answer. */
export interface SandboxAnswer {
  /** In the pieces in which it is streamed; empty when there is none. */
  thinking: string[];
  text: string[];
  refusal: string | undefined;
  toolCalls: { name: string; id: string; pieces: string[] }[];
  stop: 'end' | 'length' | 'stop-sequence' | 'tool-calls' | 'refusal';
  stopSequence: string | undefined;
}

export interface SandboxReply {
  /** Unique in this provider; becomes the response id. */
  id: string;
  /** Name of the sandbox provider; goes into signatures. */
  provider: string;
  model: string;
  /** Unix seconds. */
  createdAt: number;
  answers: SandboxAnswer[];
  /** Absent: no usage is sent. */
  usage: SandboxUsage | undefined;
  /** Write numbers that contradict each other. */
  inconsistentUsage: boolean;
  includeUsage: boolean;
  thinkingHidden: boolean;
  logprobs: boolean;
  /** Names of the tools that take free text. */
  customTools: ReadonlySet<string>;
}

/**
 * One event of a stream as text for the socket. `prelude` and `structure` hold no content;
 * `finish` carries the finish reason and usage; `terminal` ends the protocol's stream.
 */
export interface Frame {
  kind: 'prelude' | 'structure' | 'content' | 'tool-arguments' | 'finish' | 'terminal';
  text: string;
}

export interface WireFailure {
  status: number;
  headers: Record<string, string>;
  body: JsonObject;
}
export interface FailureRequest {
  kind: SandboxErrorKind;
  model: string;
  requestId: string;
  message?: string | undefined;
  retryAfter?: SandboxRetryAfter | undefined;
  /** The credential that was refused, already masked. */
  maskedKey?: string | undefined;
}

export type SandboxCall =
  /** Gemini says in the path which model shall answer, and whether as a stream. */
  | { kind: 'generate' | 'count-tokens'; model?: string | undefined; stream?: boolean | undefined }
  | { kind: 'models' }
  | { kind: 'model'; id: string };

/** A wire format: how requests are read and answers, streams and errors are written. Pure. */
export interface SandboxWire {
  readonly protocol: SandboxProtocol;
  /** What an endpoint's base URL has after host and port. */
  readonly basePath: string;
  /** A line that keeps a stream alive and carries no event. */
  readonly keepAlive: string;
  /** Which call a method and path stand for; undefined: none. */
  call(method: string, path: string, query: URLSearchParams): SandboxCall | undefined;
  /** The credential the request carries. */
  credential(headers: IncomingHttpHeaders): string | undefined;
  /** Reads a generating or counting request; a string says in the provider's words what is wrong with it. */
  readPrompt(body: JsonObject, headers: IncomingHttpHeaders, call: SandboxCall): SandboxPrompt | string;
  /** The history holds signed reasoning that `provider` did not make. */
  hasForeignThinking(body: JsonObject, provider: string): boolean;
  frames(reply: SandboxReply): Frame[];
  /** One content event whose text has at least so many bytes. */
  oversizeFrame(reply: SandboxReply, bytes: number): string;
  body(reply: SandboxReply): JsonObject;
  failure(request: FailureRequest): WireFailure;
  /** An error body as an event of a stream. */
  errorEvent(body: JsonObject): string;
  /** Headers every answer of this provider carries. */
  headers(requestId: string): Record<string, string>;
  modelList(models: readonly string[], createdAt: number): JsonObject;
  model(id: string, createdAt: number): JsonObject;
  /** Absent: the protocol has no such call. */
  tokenCount?(inputTokens: number): JsonObject;
}

/** `seconds`, `fraction`, `date` and `milliseconds` forms of a wait as response headers. */
export function retryAfterHeaders(wait: SandboxRetryAfter | undefined, nowMs: number): Record<string, string> {
  switch (wait?.form) {
    case 'seconds': return { 'retry-after': String(Math.ceil(wait.ms / 1000)) };
    case 'fraction': return { 'retry-after': (wait.ms / 1000).toFixed(3) };
    case 'date': return { 'retry-after': new Date(nowMs + wait.ms).toUTCString() };
    case 'milliseconds': return { 'retry-after-ms': String(wait.ms) };
    case 'body': case undefined: return {};
  }
}

/** The `body` form: Google's `RetryInfo`, which OpenAI-compatible relays of Gemini pass through. */
export function retryAfterDetails(wait: SandboxRetryAfter | undefined): JsonObject {
  if (wait?.form !== 'body') return {};
  return { details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${wait.ms / 1000}s` }] };
}

/** The log probability the sandbox gives every token. */
export const sandboxLogprob = -0.125;

/**
 * The free text of a call of a tool that takes no JSON: the only string among the arguments, or the arguments as they are.
 * So one prompt makes the same call whether the tool has come as a free-text tool or as a function with one argument.
 */
export function freeText(argumentsText: string): string {
  const parsed = parseJson(argumentsText);
  const values = isObject(parsed) ? Object.values(parsed) : [];
  return values.length === 1 && typeof values[0] === 'string' ? values[0] : argumentsText;
}
