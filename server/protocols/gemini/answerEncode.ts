import { protocolNames, type ConversationEvent, type StopReason, type TokenUsage } from '../../api/conversation.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { callInput } from '../anthropicMessages/contentEncode.ts';
import type { CallerError, ResponseMeta, StreamEncoder } from '../codec.ts';
import { gatherAnswer, mergeUsage } from '../events.ts';
import { standInSignature } from './contentsDecode.ts';
import { encodeGeminiError } from './errors.ts';
import { encodeLogprobs } from './logprobs.ts';
import { encodeGeminiUsage } from './usage.ts';

interface HeldCall { id: string; name: string; kind: 'function' | 'custom' | undefined; signature: string | undefined; arguments: string }

/**
 * Puts signatures where this protocol has them: on the part after them. Callers send back what they got, so the
 * first call of an answer that another vendor's model made carries Google's placeholder signature: with it the
 * conversation can continue at a Gemini model.
 */
class PartWriter {
  #waiting: string | undefined;
  #hasCall = false;

  /** A signature that belongs to the next part; one that waits already has no part and gets an empty one. */
  sign(signature: string): JsonObject[] {
    const before = this.flush();
    this.#waiting = signature;
    return before;
  }

  text(text: string): JsonObject {
    return this.#signed({ text });
  }

  call(call: HeldCall): JsonObject {
    const part = { functionCall: { id: call.id, name: call.name, args: callInput(call) } };
    const signature = call.signature ?? this.#waiting ?? (this.#hasCall ? undefined : standInSignature);
    this.#waiting = undefined;
    this.#hasCall = true;
    return signature === undefined ? part : { ...part, thoughtSignature: signature };
  }

  flush(): JsonObject[] {
    return this.#waiting === undefined ? [] : [this.#signed({ text: '' })];
  }

  #signed(part: JsonObject): JsonObject {
    const signature = this.#waiting;
    this.#waiting = undefined;
    return signature === undefined ? part : { ...part, thoughtSignature: signature };
  }
}

/**
 * Writes an answer as `GenerateContentResponse`s: as server-sent events, or as the elements of one JSON array.
 * Calls are whole here, so each is held until it is complete, and one that never is is not written.
 */
export class GeminiStreamEncoder implements StreamEncoder {
  readonly keepAlive: string;
  readonly #head: JsonObject;
  readonly #jsonArray: boolean;
  readonly #parts = new PartWriter();
  readonly #calls = new Map<number, HeldCall>();
  #usage: TokenUsage = {};
  #count = 0;
  #isThinking = false;
  #hasRefusal = false;
  #finish: { reason: StopReason; detail?: string | undefined } | undefined;

  constructor(meta: ResponseMeta) {
    this.#head = headOf(meta);
    this.#jsonArray = meta.jsonArray === true;
    this.keepAlive = this.#jsonArray ? '\n' : ': keep-alive\n\n';
  }

  encode(event: ConversationEvent): string {
    switch (event.type) {
      case 'start':
      case 'error':
        return '';
      case 'text':
        this.#isThinking = false;
        if (event.text === '' && !Array.isArray(event.logprobs)) return '';
        return this.#content([this.#parts.text(event.text)], Array.isArray(event.logprobs) ? { logprobsResult: encodeLogprobs(event.logprobs) } : {});
      case 'refusal':
        if (event.text === '') return '';
        this.#isThinking = false;
        this.#hasRefusal = true;
        return this.#content([this.#parts.text(event.text)]);
      case 'thinking':
        if (event.text === '') return '';
        this.#isThinking = true;
        return this.#content([...this.#parts.flush(), { text: event.text, thought: true }]);
      case 'thinking-end':
        return this.#endThinking(event.origin, event.signature);
      case 'tool-call-start':
        this.#calls.set(event.index, { id: event.id, name: event.name, kind: event.kind, signature: madeHere(event.origin) ? event.signature : undefined, arguments: '' });
        return '';
      case 'tool-call-arguments': {
        const call = this.#calls.get(event.index);
        if (call !== undefined) call.arguments += event.text;
        return '';
      }
      case 'tool-call-end': {
        const call = this.#calls.get(event.index);
        if (call === undefined) return '';
        this.#calls.delete(event.index);
        this.#isThinking = false;
        return this.#content([this.#parts.call(call)]);
      }
      case 'usage':
        this.#usage = mergeUsage(this.#usage, event.usage);
        return '';
      case 'finish':
        this.#finish = event;
        return '';
    }
  }

  end(): string {
    const waiting = this.#parts.flush();
    const candidate = {
      // The official client takes content without parts, or with an empty one, for a broken answer.
      content: { parts: waiting.length > 0 ? waiting : [{ text: '' }], role: 'model' },
      ...finishOf(this.#finish, this.#hasRefusal),
      index: 0,
    };
    return this.#chunk({ candidates: [candidate], ...usageOf(this.#usage), ...this.#head }) + (this.#jsonArray ? ']' : '');
  }

  fail(error: CallerError): string {
    return this.#chunk(encodeGeminiError(error).body) + (this.#jsonArray ? ']' : '');
  }

  #endThinking(origin: string | undefined, signature: string | undefined): string {
    const closesThought = this.#isThinking;
    this.#isThinking = false;
    if (signature === undefined || !madeHere(origin)) return '';
    if (closesThought) return this.#content([{ text: '', thought: true, thoughtSignature: signature }]);
    const before = this.#parts.sign(signature);
    return before.length === 0 ? '' : this.#content(before);
  }

  #content(parts: JsonObject[], extra: JsonObject = {}): string {
    return this.#chunk({ candidates: [{ content: { parts, role: 'model' }, index: 0, ...extra }], ...this.#head });
  }

  #chunk(chunk: JsonObject): string {
    this.#count += 1;
    if (!this.#jsonArray) return `data: ${JSON.stringify(chunk)}\n\n`;
    return `${this.#count === 1 ? '[' : ',\n'}${JSON.stringify(chunk)}`;
  }
}

/** Writes a whole answer as one `GenerateContentResponse`. Calls whose end was never seen are not in it. */
export function encodeGeminiResponse(events: readonly ConversationEvent[], meta: ResponseMeta): JsonObject {
  const answer = gatherAnswer(events);
  const writer = new PartWriter();
  const parts: JsonValue[] = [];
  let hasRefusal = false;
  for (const part of answer.parts) {
    switch (part.type) {
      case 'text':
        parts.push(writer.text(part.text));
        break;
      case 'refusal':
        hasRefusal = true;
        parts.push(writer.text(part.text));
        break;
      case 'thinking': {
        const signature = madeHere(part.origin) ? part.signature : undefined;
        if (part.text === '' && signature !== undefined) parts.push(...writer.sign(signature));
        else if (part.text !== '') parts.push(...writer.flush(), { text: part.text, thought: true, ...(signature === undefined ? {} : { thoughtSignature: signature }) });
        break;
      }
      case 'tool-call':
        if (part.complete) parts.push(writer.call({ ...part, kind: part.kind, signature: madeHere(part.origin) ? part.signature : undefined }));
        break;
    }
  }
  parts.push(...writer.flush());
  const candidate: JsonObject = {
    content: { parts: parts.length === 0 ? [{ text: '' }] : parts, role: 'model' },
    ...finishOf(answer.finish, hasRefusal),
    index: 0,
  };
  if (answer.logprobs !== undefined) candidate.logprobsResult = encodeLogprobs(answer.logprobs);
  return { candidates: [candidate], ...usageOf(answer.usage), ...headOf(meta) };
}

function headOf(meta: ResponseMeta): JsonObject {
  return { modelVersion: meta.model, responseId: meta.id };
}

function usageOf(usage: TokenUsage): JsonObject {
  const written = encodeGeminiUsage(usage);
  return written === undefined ? {} : { usageMetadata: written };
}

/** Signatures of other protocols' models mean nothing to Google, and would come back as if they were its own. */
function madeHere(origin: string | undefined): boolean {
  return origin === undefined || !madeElsewhere.has(origin);
}

const madeElsewhere: ReadonlySet<string> = new Set(protocolNames.filter(name => name !== 'gemini'));

/** A refusal in words ends like any answer; one without words is a filter's. */
function finishOf(finish: { reason: StopReason; detail?: string | undefined } | undefined, hasRefusal: boolean): JsonObject {
  switch (finish?.reason) {
    case 'length':
    case 'context-full':
      return { finishReason: 'MAX_TOKENS' };
    case 'refusal':
      return hasRefusal ? { finishReason: 'STOP' } : { finishReason: 'SAFETY', ...(finish?.detail === undefined ? {} : { finishMessage: finish.detail }) };
    case 'error':
      return { finishReason: 'OTHER', ...(finish?.detail === undefined ? {} : { finishMessage: finish.detail }) };
    case undefined:
    case 'end':
    case 'stop-sequence':
    case 'tool-calls':
    case 'pause':
      return { finishReason: 'STOP' };
  }
}
