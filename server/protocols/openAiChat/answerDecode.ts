import type { BilledExtras, ConversationEvent, StopReason } from '../../api/conversation.ts';
import { asNumber, asString, isObject, parseJson } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { ExtrasGatherer } from '../billedExtras.ts';
import type { Dialect, StreamDecoder } from '../codec.ts';
import { bounded, readErrorBody } from '../errorBody.ts';
import { maxParts } from '../events.ts';
import { GrowingJson } from '../growingJson.ts';
import { TextTemplate } from '../textTemplate.ts';
import { contradictsChat, decodeChatUsage } from './usage.ts';

interface OpenCall {
  index: number;
  /** As the provider sent it; made up in `started` when it sent none. */
  id: string | undefined;
  started: boolean;
  ended: boolean;
  kind: 'function' | 'custom';
  arguments: string;
  /** Whether `arguments` are whole. */
  json: GrowingJson;
  /** Argument text that came before the name. */
  held: string;
}

/**
 * Reads a stream of `chat.completion.chunk`s of any server of the family. Of several alternatives (`n`) it reads
 * the first. A stream is complete once a finish reason was seen, or at `[DONE]` when there was content and no
 * tool call is cut off.
 */
export class ChatStreamDecoder implements StreamDecoder {
  unreadable = 0;
  readonly #dialect: Dialect;
  readonly #calls: OpenCall[] = [];
  readonly #callAt = new Map<number, OpenCall>();
  readonly #plainText = new TextTemplate('content');
  #extras: ExtrasGatherer | undefined;
  #started = false;
  #responseId: string | undefined;
  #hasContent = false;
  #hasRefusal = false;
  #isThinking = false;
  #thinkingSignature: string | undefined;
  #finished = false;
  /** `[DONE]` was read. */
  #isDone = false;
  /** Usage came in a chunk after the one with the finish reason: only `[DONE]` can follow. */
  #hasLateUsage = false;
  /** An error was reported: whatever follows, `[DONE]` included, does not complete the answer. */
  #failed = false;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  get terminated(): boolean {
    return this.#finished;
  }

  get ended(): boolean {
    return this.#finished && (this.#isDone || this.#hasLateUsage);
  }

  get missingEnd(): string {
    return this.#finished && !this.#isDone ? doneEvent : '';
  }

  decode(event: string | undefined, data: string): ConversationEvent[] {
    // The first text after reasoning also ends the reasoning.
    const plainText = this.#isThinking ? undefined : this.#plainText.textOf(event, data);
    if (plainText !== undefined) return this.#plain(plainText);
    // It looks like JSON, and an exception costs more than all that an event brings.
    const chunk = data === doneMark ? undefined : parseJson(data);
    if (!isObject(chunk) && !Array.isArray(chunk)) {
      const word = data.trim();
      if (word === doneMark) {
        this.#isDone = true;
        return this.#atDone();
      }
      // Keep-alives come as empty data from some relays.
      if (word !== '') this.unreadable += 1;
      return [];
    }
    const events = this.#chunk(chunk, event);
    // A part of a call may bring no event and count all the same.
    const [only] = events;
    if (events.length === 1 && only?.type === 'text' && only.logprobs === undefined && !data.includes('_call')) this.#plainText.learn(event, data, only.text);
    return events;
  }

  decodeChunk(chunk: Buffer): ConversationEvent[] | undefined {
    const plainText = this.#isThinking ? undefined : this.#plainText.textOfChunk(chunk);
    return plainText === undefined ? undefined : this.#plain(plainText);
  }

  #plain(text: string): ConversationEvent[] {
    if (text === '') return [];
    this.#hasContent = true;
    return [{ type: 'text', text }];
  }

  /** Reads a plain answer; its message is a chunk that holds everything. */
  decodeWhole(body: JsonValue): ConversationEvent[] {
    const events = this.#chunk(body, undefined);
    if (!events.some((event) => event.type === 'error') && (!isObject(body) || !Array.isArray(body.choices))) {
      events.push({ type: 'error', error: { type: 'invalid_response', message: 'The provider answered without any choices.' } });
    } else if (!this.#finished && this.#hasContent) {
      events.push(...this.#atDone());
    }
    return events;
  }

  #chunk(chunk: JsonValue, event: string | undefined): ConversationEvent[] {
    const error = isObject(chunk) && (chunk.error === undefined || chunk.error === null) && Array.isArray(chunk.choices) ? undefined : readErrorBody(chunk);
    if (!isObject(chunk)) {
      if (error === undefined) this.unreadable += 1;
      else this.#failed = true;
      return error === undefined ? [] : [{ type: 'error', error }];
    }
    const events: ConversationEvent[] = [];
    const wasFinished = this.#finished;
    if (!this.#started && (typeof chunk.id === 'string' || Array.isArray(chunk.choices))) {
      this.#started = true;
      this.#responseId = asString(chunk.id);
      events.push({ type: 'start', id: this.#responseId, model: asString(chunk.model) });
    }
    const choices = Array.isArray(chunk.choices) ? chunk.choices : [];
    const choice = choices.find((entry): entry is JsonObject => isObject(entry) && (asNumber(entry.index) ?? 0) === 0);
    if (choice !== undefined) this.#choice(choice, error !== undefined, events);
    const usage = usageOf(chunk, choice);
    if (usage !== undefined && wasFinished) this.#hasLateUsage = true;
    if (usage !== undefined) {
      const extras = this.#readExtras(chunk, usage);
      events.push({ type: 'usage', usage: decodeChatUsage(usage, this.#dialect), ...(contradictsChat(usage, this.#dialect) ? { contradictory: true } : {}), ...(extras === undefined ? {} : { extras }) });
    }
    if (error !== undefined) events.push({ type: 'error', error });
    else if (event === 'error' && choices.length === 0) events.push({ type: 'error', error: { message: bounded(asString(chunk.message) ?? JSON.stringify(chunk)) } });
    this.#failed ||= events.some((entry) => entry.type === 'error');
    return events;
  }

  #readExtras(chunk: JsonObject, usage: JsonObject): BilledExtras | undefined {
    const gatherer = (this.#extras ??= new ExtrasGatherer());
    if (chunk.service_tier !== 'default' && chunk.service_tier !== 'auto' && chunk.service_tier !== 'on_demand') gatherer.setTier(chunk.service_tier);
    const prompt = isObject(usage.prompt_tokens_details) ? usage.prompt_tokens_details : {};
    const completion = isObject(usage.completion_tokens_details) ? usage.completion_tokens_details : {};
    gatherer.setTokens('audioInputTokens', prompt.audio_tokens);
    gatherer.setTokens('audioOutputTokens', completion.audio_tokens);
    gatherer.setTokens('imageOutputTokens', completion.image_tokens);
    gatherer.setRuns('live search', usage.num_sources_used);
    return gatherer.extras;
  }

  #choice(choice: JsonObject, hasError: boolean, events: ConversationEvent[]): void {
    const delta = isObject(choice.delta) ? choice.delta : isObject(choice.message) ? choice.message : undefined;
    if (delta !== undefined) this.#delta(delta, choice, events);
    else if (typeof choice.text === 'string') this.#text(choice.text, undefined, events);
    const reason = asString(choice.finish_reason);
    // An error beside a finish reason is an error: the answer does not complete.
    if (reason !== undefined && reason !== '' && !this.#finished && !this.#failed && !hasError) this.#finish(reason, choice, events);
  }

  #delta(delta: JsonObject, choice: JsonObject, events: ConversationEvent[]): void {
    const reasoning = asString(delta.reasoning_content) ?? asString(delta.reasoning);
    if (reasoning !== undefined) this.#thinking(reasoning, events);
    const { content } = delta;
    const logprobs = isObject(choice.logprobs) && Array.isArray(choice.logprobs.content) ? choice.logprobs.content : undefined;
    if (typeof content === 'string') this.#text(content, logprobs, events);
    else if (Array.isArray(content)) for (const part of content) this.#part(part, events);
    if (typeof delta.refusal === 'string' && delta.refusal !== '') {
      this.#endThinking(events);
      this.#hasContent = true;
      this.#hasRefusal = true;
      events.push({ type: 'refusal', text: delta.refusal });
    }
    if (Array.isArray(delta.tool_calls)) {
      for (const [position, entry] of delta.tool_calls.entries()) {
        if (isObject(entry)) this.#toolCall(entry, isObject(choice.message) ? position : undefined, events);
      }
    }
    if (Array.isArray(delta.executed_tools)) this.#countExecuted(delta.executed_tools);
    if (isObject(delta.function_call)) this.#toolCall({ index: 0, function: delta.function_call }, undefined, events);
  }

  /** Tools that ran at the provider: Groq's systems list them, in streams once before and once after they ran. */
  #countExecuted(entries: readonly JsonValue[]): void {
    const gatherer = (this.#extras ??= new ExtrasGatherer());
    for (const entry of entries) {
      const type = isObject(entry) ? asString(entry.type) : undefined;
      if (type !== undefined && executedToolShape.test(type)) gatherer.setRuns(executedTools.get(type) ?? type.replaceAll('_', ' '), 1);
    }
  }

  /** Mistral sends content as a list of parts, reasoning among them. */
  #part(part: JsonValue, events: ConversationEvent[]): void {
    if (typeof part === 'string') return this.#text(part, undefined, events);
    if (!isObject(part)) return;
    if (part.type === 'thinking') {
      const pieces = Array.isArray(part.thinking) ? part.thinking : [part.thinking];
      for (const piece of pieces) {
        const text = isObject(piece) ? asString(piece.text) : asString(piece);
        if (text !== undefined) this.#thinking(text, events);
      }
      this.#thinkingSignature = asString(part.signature) ?? this.#thinkingSignature;
    } else if (typeof part.text === 'string') this.#text(part.text, undefined, events);
  }

  #text(text: string, logprobs: JsonValue[] | undefined, events: ConversationEvent[]): void {
    if (text === '' && (logprobs === undefined || logprobs.length === 0)) return;
    if (text !== '') {
      this.#endThinking(events);
      this.#hasContent = true;
    }
    events.push(logprobs === undefined ? { type: 'text', text } : { type: 'text', text, logprobs });
  }

  #thinking(text: string, events: ConversationEvent[]): void {
    if (text === '') return;
    this.#isThinking = true;
    this.#hasContent = true;
    events.push({ type: 'thinking', text });
  }

  #endThinking(events: ConversationEvent[]): void {
    if (!this.#isThinking) return;
    this.#isThinking = false;
    events.push({ type: 'thinking-end', signature: this.#thinkingSignature, origin: 'openai-chat' });
    this.#thinkingSignature = undefined;
  }

  #toolCall(entry: JsonObject, position: number | undefined, events: ConversationEvent[]): void {
    const call = this.#callOf(entry, position);
    const details = isObject(entry.function) ? entry.function : isObject(entry.custom) ? entry.custom : {};
    if (isObject(entry.custom) || entry.type === 'custom') call.kind = 'custom';
    call.id ??= nonEmpty(entry.id);
    const raw = details.arguments ?? details.input;
    const text = typeof raw === 'string' ? raw : isObject(raw) ? JSON.stringify(raw) : '';
    if (!call.started) {
      const name = nonEmpty(details.name);
      if (name === undefined) {
        if (call.held.length < maxHeldChars) call.held += text;
        return;
      }
      this.#endThinking(events);
      this.#hasContent = true;
      call.started = true;
      // Kimi charges each call of a function of its own, whose name begins so.
      if (name.startsWith('$')) (this.#extras ??= new ExtrasGatherer()).addRun(name === '$web_search' ? 'web search' : 'function of the provider');
      const id = call.id ?? `call_${this.#responseId ?? 'unnamed'}_${call.index}`;
      events.push(call.kind === 'custom'
        ? { type: 'tool-call-start', index: call.index, id, name, kind: 'custom' }
        : { type: 'tool-call-start', index: call.index, id, name });
      this.#arguments(call, call.held, events);
      call.held = '';
    }
    this.#arguments(call, text, events);
  }

  #arguments(call: OpenCall, text: string, events: ConversationEvent[]): void {
    if (text === '') return;
    call.arguments += text;
    call.json.add(text);
    events.push({ type: 'tool-call-arguments', index: call.index, text });
  }

  /**
   * The call a delta belongs to. Its index decides, except that servers which number every call 0 (or not at
   * all) show a new call by a name together with a new id, or without any id once the last call is whole.
   */
  #callOf(entry: JsonObject, position: number | undefined): OpenCall {
    const id = nonEmpty(entry.id);
    const index = asNumber(entry.index) ?? position;
    const known = index === undefined ? this.#calls.at(-1) : this.#callAt.get(index);
    const details = isObject(entry.function) ? entry.function : isObject(entry.custom) ? entry.custom : {};
    if (known !== undefined && !(nonEmpty(details.name) !== undefined && isAnother(known, id))) return known;
    const call: OpenCall = { index: this.#calls.length, id, started: false, ended: false, kind: 'function', arguments: '', json: new GrowingJson(), held: '' };
    if (this.#calls.length >= maxParts) return call;
    this.#calls.push(call);
    if (index !== undefined) this.#callAt.set(index, call);
    return call;
  }

  #finish(reason: string, choice: JsonObject, events: ConversationEvent[]): void {
    if (reason === 'error' || reason === 'insufficient_system_resource') {
      const own = readErrorBody({ error: choice.error });
      events.push({ type: 'error', error: own ?? { type: reason, code: reason, message: brokenOff[reason] } });
      return;
    }
    const stop = stopReasons.get(reason);
    if (stop === undefined && !this.#hasContent) {
      events.push({ type: 'error', error: { type: 'unknown_finish_reason', code: reason, message: `The provider ended without an answer (${reason}).` } });
      return;
    }
    this.#close(stop ?? 'end', stop === undefined ? reason : undefined, events);
  }

  #close(reason: StopReason, detail: string | undefined, events: ConversationEvent[]): void {
    this.#endThinking(events);
    // Cut off by a limit or a filter, the last call may be half a call; any other reason means that all calls are whole.
    const vouched = reason === 'tool-calls' || reason === 'end';
    for (const call of this.#calls) {
      if (!call.started || call.ended || !(vouched || isWhole(call))) continue;
      call.ended = true;
      events.push({ type: 'tool-call-end', index: call.index });
    }
    const actual = reason === 'end' && this.#calls.some((call) => call.ended) ? 'tool-calls'
      : reason === 'end' && this.#hasRefusal ? 'refusal'
        : reason === 'tool-calls' && !this.#calls.some((call) => call.ended) ? 'end' : reason;
    this.#finished = true;
    events.push(detail === undefined ? { type: 'finish', reason: actual } : { type: 'finish', reason: actual, detail });
  }

  #atDone(): ConversationEvent[] {
    const events: ConversationEvent[] = [];
    if (this.#finished || this.#failed || !this.#hasContent || this.#calls.some((call) => !isWhole(call))) return events;
    this.#close('end', undefined, events);
    return events;
  }
}

const doneMark = '[DONE]';
const doneEvent = `data: ${doneMark}\n\n`;
/** Arguments before the name of their tool are a quirk of some servers, and short. */
const maxHeldChars = 1024 * 1024;

const stopReasons: ReadonlyMap<string, StopReason> = new Map<string, StopReason>([
  ['stop', 'end'],
  ['length', 'length'],
  ['model_length', 'length'],
  ['max_tokens', 'length'],
  ['tool_calls', 'tool-calls'],
  ['function_call', 'tool-calls'],
  ['content_filter', 'refusal'],
]);

const brokenOff = {
  error: 'The provider broke off the answer.',
  insufficient_system_resource: 'The provider broke off the answer: it is overloaded (insufficient_system_resource).',
} as const;

function isWhole(call: OpenCall): boolean {
  return call.started && (call.kind === 'custom' || call.arguments === '' || call.json.isWhole(call.arguments));
}

function isAnother(known: OpenCall, id: string | undefined): boolean {
  if (id !== undefined) return known.id !== undefined && known.id !== id;
  return known.id === undefined && known.arguments !== '' && isWhole(known);
}

/** Usage sits at the top, on the choice (older Kimi), or in Groq's extension. */
function usageOf(chunk: JsonObject, choice: JsonObject | undefined): JsonObject | undefined {
  if (isObject(chunk.usage)) return chunk.usage;
  if (isObject(choice?.usage)) return choice.usage;
  if (isObject(chunk.x_groq) && isObject(chunk.x_groq.usage)) return chunk.x_groq.usage;
  return undefined;
}

function nonEmpty(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const executedToolShape = /^[a-z_]{1,40}$/;
const executedTools: ReadonlyMap<string, string> = new Map([['search', 'web search'], ['python', 'code execution']]);
