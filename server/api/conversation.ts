/**
 * The one internal form of a conversation: what the editor speaks to the server, and what every wire
 * protocol is translated to and from. Made for four protocols (openai-chat, openai-responses,
 * anthropic-messages, gemini); what only one of them knows is optional here.
 */

export const protocolNames = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'] as const;
export type ProtocolName = (typeof protocolNames)[number];

/** Where bytes of an image or a document come from. `base64` carries no `data:` prefix. */
export type MediaSource =
  | { kind: 'base64'; data: string }
  | { kind: 'url'; url: string }
  /** A file uploaded to one provider; cannot be sent to another. */
  | { kind: 'file'; fileId: string };

/** A prompt-cache breakpoint the caller placed after this part. */
export type CacheBreakpoint = '5m' | '1h';

export interface TextPart {
  type: 'text';
  text: string;
  /** OpenAI Responses: whether an assistant's text is a remark on the way (`commentary`) or the `final_answer`. */
  phase?: string | undefined;
  cache?: CacheBreakpoint | undefined;
}
export interface ImagePart {
  type: 'image';
  /** For example `image/png`; absent when a URL says nothing about it. */
  mimeType?: string | undefined;
  source: MediaSource;
  detail?: 'low' | 'high' | 'auto' | 'original' | undefined;
  cache?: CacheBreakpoint | undefined;
}
export interface DocumentPart {
  type: 'document';
  mimeType: string;
  source: MediaSource;
  filename?: string | undefined;
  cache?: CacheBreakpoint | undefined;
}
/**
 * Reasoning. Text may be empty (hidden or summarised reasoning); what is signed or encrypted is opaque and
 * belongs to its origin: it is sent back only there.
 */
export interface ThinkingPart {
  type: 'thinking';
  text: string;
  /** Anthropic `signature`, Gemini `thoughtSignature`. */
  signature?: string | undefined;
  /** Anthropic `redacted_thinking.data`. */
  redacted?: string | undefined;
  /** OpenAI Responses `encrypted_content`. */
  encrypted?: string | undefined;
  /** OpenAI Responses reasoning item id. */
  itemId?: string | undefined;
  /** Who made the opaque part: protocol, or `endpoint/upstream-model` when known. */
  origin?: string | undefined;
}
export interface ToolCallPart {
  type: 'tool-call';
  /** The call's id as its result refers to it. */
  id: string;
  name: string;
  /** The arguments as JSON text (`custom` tools: free text). Empty text means no arguments. */
  arguments: string;
  kind?: 'function' | 'custom' | undefined;
  /** Gemini `thoughtSignature` of the call. */
  signature?: string | undefined;
  origin?: string | undefined;
  cache?: CacheBreakpoint | undefined;
}
export interface ToolResultPart {
  type: 'tool-result';
  callId: string;
  /** The tool's name, where the protocol says it (Gemini) or it was found from the call. */
  name?: string | undefined;
  content: (TextPart | ImagePart | DocumentPart)[];
  isError?: boolean | undefined;
  kind?: 'function' | 'custom' | undefined;
  cache?: CacheBreakpoint | undefined;
}
export interface RefusalPart { type: 'refusal'; text: string }

export type ContentPart = TextPart | ImagePart | DocumentPart | ThinkingPart | ToolCallPart | ToolResultPart | RefusalPart;

export interface Message {
  /** `system` inside the conversation is a later instruction; leading instructions are in `ConversationRequest.system`. */
  role: 'user' | 'assistant' | 'system';
  content: ContentPart[];
}

export interface ToolDefinition {
  name: string;
  description?: string | undefined;
  /** JSON Schema of the arguments; absent for `custom` tools. */
  parameters?: Record<string, unknown> | undefined;
  strict?: boolean | undefined;
  kind?: 'function' | 'custom' | undefined;
  /** `custom` tools: the grammar or format object as the caller gave it. */
  format?: Record<string, unknown> | undefined;
  /** openai-responses: the namespace the tool was declared in, and its own name there; `name` is made of both. */
  namespace?: { name: string; tool: string } | undefined;
  cache?: CacheBreakpoint | undefined;
}

export type ToolChoice =
  | { type: 'auto' }
  | { type: 'none' }
  | { type: 'required' }
  | { type: 'tool'; name: string };

export type ResponseFormat =
  | { type: 'text' }
  | { type: 'json' }
  | { type: 'json-schema'; name: string; schema: Record<string, unknown>; strict?: boolean | undefined; description?: string | undefined };

export const reasoningEfforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
export type ReasoningEffort = (typeof reasoningEfforts)[number];

export interface ReasoningRequest {
  effort?: ReasoningEffort | undefined;
  /** Anthropic and Gemini 2.5 budgets, in tokens. */
  budgetTokens?: number | undefined;
  /** The caller wants to see the reasoning (summaries, thoughts). */
  visible?: boolean | undefined;
}

/** A provider-hosted tool (web search, code execution …) in the caller's own shape; only its native provider can run it. */
export interface HostedTool { protocol: ProtocolName; type: string; definition: Record<string, unknown> }

export interface ConversationRequest {
  system: TextPart[];
  messages: Message[];
  tools: ToolDefinition[];
  hostedTools?: HostedTool[] | undefined;
  toolChoice?: ToolChoice | undefined;
  /** false: at most one tool call a turn. */
  parallelToolCalls?: boolean | undefined;
  maxOutputTokens?: number | undefined;
  temperature?: number | undefined;
  topP?: number | undefined;
  topK?: number | undefined;
  stop?: string[] | undefined;
  seed?: number | undefined;
  frequencyPenalty?: number | undefined;
  presencePenalty?: number | undefined;
  /** How many alternative answers (chat `n`, Gemini `candidateCount`). */
  choices?: number | undefined;
  logprobs?: { top?: number | undefined } | undefined;
  responseFormat?: ResponseFormat | undefined;
  reasoning?: ReasoningRequest | undefined;
  verbosity?: string | undefined;
  serviceTier?: string | undefined;
  /** An end-user or session identifier the caller chose to send to the provider. */
  user?: string | undefined;
  /** OpenAI `prompt_cache_key`. */
  promptCacheKey?: string | undefined;
  /** OpenAI `metadata`: what the caller wants to find again in the provider's own records. */
  metadata?: Record<string, unknown> | undefined;
  /** OpenAI Responses: `auto` lets the provider drop the oldest items when the context is full. */
  truncation?: string | undefined;
  /**
   * The request leans on something that only the provider it was made for keeps or can do: its bytes may go
   * through to a provider of the same protocol, but it cannot be translated.
   */
  providerState?: { reason: string } | undefined;
}

/**
 * Token counts in disjoint buckets: the prompt is input + cacheRead + cacheWrite + cacheWrite1h.
 * A missing bucket is unknown, never 0. `reasoningTokens` is part of `outputTokens`.
 */
export interface TokenUsage {
  /** Fresh prompt tokens: neither read from nor written to a cache. */
  inputTokens?: number | undefined;
  cacheReadTokens?: number | undefined;
  /** Written to a short-lived (about 5 minutes) cache. */
  cacheWriteTokens?: number | undefined;
  /** Written to a long-lived (1 hour and more) cache. */
  cacheWrite1hTokens?: number | undefined;
  /** All generated tokens, reasoning included. */
  outputTokens?: number | undefined;
  reasoningTokens?: number | undefined;
  /** What the provider itself says this cost, in millionths of a US dollar; wins over any price table. */
  reportedCostMicroUsd?: number | undefined;
}

/** What an answer is charged for beside its tokens at list price. */
export interface BilledExtras {
  /** How often each hosted tool ran, by its name in words: `web search`. */
  tools?: Readonly<Record<string, number>> | undefined;
  /** The service tier that the answer names. */
  serviceTier?: string | undefined;
  /** A speed that the answer names and that is not the standard one. */
  speed?: string | undefined;
  /** A region that the answer names and that is not the world. */
  geo?: string | undefined;
  /** Of the fresh prompt tokens, those of sound. They are in the prompt's count. */
  audioInputTokens?: number | undefined;
  /** Of the prompt tokens that were read from a cache, those of sound. */
  audioCacheReadTokens?: number | undefined;
  /** Of the generated tokens, those of sound. */
  audioOutputTokens?: number | undefined;
  imageOutputTokens?: number | undefined;
  videoOutputTokens?: number | undefined;
  /** Tokens that are billed and in no count of the answer: of a summary that the provider made of the conversation. */
  alsoBilled?: TokenUsage | undefined;
}

export const stopReasons = ['end', 'stop-sequence', 'length', 'context-full', 'tool-calls', 'refusal', 'pause', 'error'] as const;
export type StopReason = (typeof stopReasons)[number];

/** What a provider's error body or in-stream error event says, before it is classified. */
export interface ProviderErrorBody {
  /** `error.type` or Google's `error.status`. */
  type?: string | undefined;
  /** `error.code`, Anthropic's `details.error_code`, Google's `details[].reason`. */
  code?: string | undefined;
  /** A numeric status inside the body, where there is one. */
  status?: number | undefined;
  message: string;
  /** OpenAI's `error.param`: the part of the request that is refused. */
  param?: string | undefined;
  /** A wait the body asks for (Google `retryDelay`), in milliseconds. */
  retryAfterMs?: number | undefined;
}

/** What a model answers, in order. A plain response is the same events without gaps. */
export type ConversationEvent =
  /** First event; says nothing a person could read and never commits. */
  | { type: 'start'; id?: string | undefined; model?: string | undefined }
  | { type: 'text'; text: string; logprobs?: unknown; phase?: string | undefined }
  /** A piece of reasoning text. */
  | { type: 'thinking'; text: string }
  /** Closes the current run of reasoning with what is signed or encrypted in it. */
  | { type: 'thinking-end'; signature?: string | undefined; redacted?: string | undefined; encrypted?: string | undefined; itemId?: string | undefined; origin?: string | undefined }
  | { type: 'tool-call-start'; index: number; id: string; name: string; kind?: 'function' | 'custom' | undefined; signature?: string | undefined; origin?: string | undefined }
  | { type: 'tool-call-arguments'; index: number; text: string }
  /** The call is complete: its arguments may be used. A call without this event must never be run. */
  | { type: 'tool-call-end'; index: number }
  | { type: 'refusal'; text: string }
  /** Counts so far; buckets are cumulative, a later value of a bucket replaces the earlier one. */
  | { type: 'usage'; usage: TokenUsage; /** The provider's figures contradict each other: what they cost is an estimate. */ contradictory?: true | undefined; /** Replaces what was reported before. */ extras?: BilledExtras | undefined }
  | { type: 'finish'; reason: StopReason; stopSequence?: string | undefined; detail?: string | undefined }
  | { type: 'error'; error: ProviderErrorBody };
