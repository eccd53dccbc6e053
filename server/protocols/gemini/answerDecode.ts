import type { BilledExtras, ConversationEvent, StopReason } from '../../api/conversation.ts';
import { parseSettled } from '../../base/exactJson.ts';
import { asString, isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { ExtrasGatherer, modalityTokens } from '../billedExtras.ts';
import type { StreamDecoder } from '../codec.ts';
import { readErrorBody } from '../errorBody.ts';
import { camelCased, camelCasedOrEmpty } from './fields.ts';
import { decodeLogprobs } from './logprobs.ts';
import { contradictsGemini, decodeGeminiUsage } from './usage.ts';
import { leftOut } from '../media.ts';

/**
 * Reads a stream of `GenerateContentResponse`s. There is no event that ends it: an answer is whole at its finish reason, and
 * over when the connection ends. Calls
 * come whole, except on Vertex AI when the caller asks for pieces of arguments; such a call never counts as
 * complete here. Of several candidates it reads the first.
 *
 * A signature is reported before the part it belongs to, and with a call once more in its start.
 */
export class GeminiStreamDecoder implements StreamDecoder {
  unreadable = 0;
  terminated = false;
  /** Usage came in a response after the one with the finish reason. */
  ended = false;
  readonly missingEnd = '';
  readonly #extras = new ExtrasGatherer();
  #started = false;
  #responseId: string | undefined;
  #callCount = 0;
  #completeCalls = 0;
  #hasContent = false;
  #isThinking = false;
  /** An error was reported: whatever follows does not complete the answer. */
  #failed = false;

  decode(_event: string | undefined, data: string): ConversationEvent[] {
    const payload = parseSettled(data);
    if (payload === undefined || payload === null || typeof payload !== 'object') {
      if (data.trim() !== '' && data.trim() !== '[DONE]') this.unreadable += 1;
      return [];
    }
    return this.#chunks(payload);
  }

  /** Reads a plain answer: one response, or the array of them that streaming without `alt=sse` gives. */
  decodeWhole(body: JsonValue): ConversationEvent[] {
    const events = typeof body === 'object' && body !== null ? this.#chunks(body) : [];
    if (this.#failed || this.terminated) return events;
    // The body is whole, so an answer in it is as well, even without a finish reason.
    if (this.#hasContent) this.#finish('STOP', undefined, events);
    else events.push({ type: 'error', error: { type: 'invalid_response', message: 'The provider answered without any candidates.' } });
    return events;
  }

  #chunks(payload: JsonObject | JsonValue[]): ConversationEvent[] {
    const events: ConversationEvent[] = [];
    for (const chunk of Array.isArray(payload) ? payload : [payload]) {
      if (isObject(chunk)) this.#chunk(camelCased(chunk), events);
      else this.unreadable += 1;
    }
    return events;
  }

  #chunk(chunk: JsonObject, events: ConversationEvent[]): void {
    const error = chunk.candidates === undefined || isObject(chunk.error) ? readErrorBody(chunk) : undefined;
    if (error !== undefined) {
      this.#failed = true;
      events.push({ type: 'error', error });
      return;
    }
    if (!this.#started && (chunk.candidates !== undefined || chunk.promptFeedback !== undefined || chunk.usageMetadata !== undefined)) {
      this.#started = true;
      this.#responseId = asString(chunk.responseId);
      events.push({ type: 'start', id: this.#responseId, model: asString(chunk.modelVersion) });
    }
    if (this.terminated && isObject(chunk.usageMetadata)) this.ended = true;
    const candidates = Array.isArray(chunk.candidates) ? chunk.candidates : [];
    const found = candidates.find((entry) => isObject(entry) && (entry.index === undefined || entry.index === 0));
    const candidate = isObject(found) ? camelCased(found) : undefined;
    if (candidate !== undefined) this.#candidate(candidate, events);
    if (isObject(chunk.usageMetadata)) {
      const usage = camelCased(chunk.usageMetadata);
      const extras = this.#readExtras(usage);
      events.push({ type: 'usage', usage: decodeGeminiUsage(usage), ...(contradictsGemini(usage) ? { contradictory: true } : {}), ...(extras === undefined ? {} : { extras }) });
    }
    const feedback = camelCasedOrEmpty(chunk.promptFeedback);
    const blocked = asString(feedback.blockReason);
    if (candidate !== undefined) this.#finish(asString(candidate.finishReason), asString(candidate.finishMessage), events);
    else if (blocked !== undefined && blocked !== 'BLOCKED_REASON_UNSPECIFIED') this.#refuse(asString(feedback.blockReasonMessage) ?? blocked, events);
  }

  #readExtras(usage: JsonObject): BilledExtras | undefined {
    const gatherer = this.#extras;
    // Sound of the prompt holds what was cached of it; pictures and films in a prompt cost what text does.
    const cachedSound = modalityTokens(usage.cacheTokensDetails, 'AUDIO');
    gatherer.setTokens('audioInputTokens', Math.max(0, modalityTokens(usage.promptTokensDetails, 'AUDIO') - cachedSound));
    gatherer.setTokens('audioCacheReadTokens', cachedSound);
    gatherer.setTokens('audioOutputTokens', modalityTokens(usage.candidatesTokensDetails, 'AUDIO'));
    gatherer.setTokens('imageOutputTokens', modalityTokens(usage.candidatesTokensDetails, 'IMAGE'));
    gatherer.setTokens('videoOutputTokens', modalityTokens(usage.candidatesTokensDetails, 'VIDEO'));
    // The Gemini API names the tier, Vertex AI the traffic.
    const tier = asString(usage.serviceTier)?.toLowerCase() ?? asString(usage.trafficType);
    if (tier !== undefined && !plainTiers.has(tier)) gatherer.setTier(tier);
    return gatherer.extras;
  }

  #candidate(candidate: JsonObject, events: ConversationEvent[]): void {
    const grounding = camelCasedOrEmpty(candidate.groundingMetadata);
    if (Array.isArray(grounding.webSearchQueries)) this.#extras.setRuns('grounding', grounding.webSearchQueries.length);
    if (Array.isArray(grounding.groundingChunks) && grounding.groundingChunks.some(chunk => isObject(chunk) && isObject(chunk.maps))) this.#extras.setRuns('grounding with maps', 1);
    const content = camelCasedOrEmpty(candidate.content);
    let logprobs = decodeLogprobs(candidate.logprobsResult);
    for (const entry of Array.isArray(content.parts) ? content.parts : []) {
      if (!isObject(entry)) continue;
      const part = camelCased(entry);
      if (typeof part.text === 'string' && part.thought !== true && logprobs !== undefined) {
        this.#text(part.text, nonEmpty(part.thoughtSignature), events, logprobs);
        logprobs = undefined;
      } else this.#part(part, events);
    }
    if (logprobs !== undefined) events.push({ type: 'text', text: '', logprobs });
  }

  #part(part: JsonObject, events: ConversationEvent[]): void {
    const signature = nonEmpty(part.thoughtSignature);
    if (typeof part.text === 'string') {
      if (part.thought === true) this.#thinking(part.text, signature, events);
      else this.#text(part.text, signature, events);
    } else if (isObject(part.functionCall)) this.#call(camelCased(part.functionCall), signature, events);
    else if (isObject(part.executableCode)) this.#text(`\n\`\`\`\n${asString(part.executableCode.code) ?? ''}\n\`\`\`\n`, signature, events);
    else if (isObject(part.codeExecutionResult)) this.#text(`\n\`\`\`\n${asString(part.codeExecutionResult.output) ?? ''}\n\`\`\`\n`, signature, events);
    else if (isObject(part.inlineData)) this.#text(leftOut(`Generated ${asString(camelCased(part.inlineData).mimeType) ?? 'data'}`).text, signature, events);
    else if (signature !== undefined) this.#sign(signature, events);
  }

  #text(text: string, signature: string | undefined, events: ConversationEvent[], logprobs?: JsonValue[]): void {
    if (signature !== undefined) this.#sign(signature, events);
    if (text === '' && logprobs === undefined) return;
    if (text !== '') {
      this.#endThinking(events);
      this.#hasContent = true;
    }
    events.push(logprobs === undefined ? { type: 'text', text } : { type: 'text', text, logprobs });
  }

  #thinking(text: string, signature: string | undefined, events: ConversationEvent[]): void {
    if (text !== '') {
      this.#isThinking = true;
      this.#hasContent = true;
      events.push({ type: 'thinking', text });
    }
    if (signature === undefined) return;
    this.#isThinking = false;
    events.push({ type: 'thinking-end', signature, origin: 'gemini' });
  }

  #sign(signature: string, events: ConversationEvent[]): void {
    this.#endThinking(events);
    events.push({ type: 'thinking-end', signature, origin: 'gemini' });
  }

  #endThinking(events: ConversationEvent[]): void {
    if (!this.#isThinking) return;
    this.#isThinking = false;
    events.push({ type: 'thinking-end', origin: 'gemini' });
  }

  #call(call: JsonObject, signature: string | undefined, events: ConversationEvent[]): void {
    const name = nonEmpty(call.name);
    // A later piece of a call whose arguments are streamed.
    if (name === undefined) return;
    this.#endThinking(events);
    if (signature !== undefined) this.#sign(signature, events);
    const index = this.#callCount;
    this.#callCount += 1;
    this.#hasContent = true;
    const id = nonEmpty(call.id) ?? `call_${this.#responseId ?? 'gemini'}_${index}`;
    events.push({ type: 'tool-call-start', index, id, name, ...(signature === undefined ? {} : { signature, origin: 'gemini' }) });
    if (call.willContinue === true) return;
    if (isObject(call.args) && Object.keys(call.args).length > 0) events.push({ type: 'tool-call-arguments', index, text: JSON.stringify(call.args) });
    this.#completeCalls += 1;
    events.push({ type: 'tool-call-end', index });
  }

  #finish(reason: string | undefined, message: string | undefined, events: ConversationEvent[]): void {
    if (reason === undefined || reason === '' || reason === 'FINISH_REASON_UNSPECIFIED' || this.terminated || this.#failed) return;
    const known = stopReasons.get(reason) ?? (broken.has(reason) ? 'error' : undefined);
    if ((known === undefined || known === 'error') && !this.#hasContent) {
      this.#failed = true;
      events.push({ type: 'error', error: { type: 'broken_answer', code: reason, message: message ?? `The provider ended without an answer (${reason}).` } });
      return;
    }
    this.#endThinking(events);
    this.terminated = true;
    const stop: StopReason = known === undefined || known === 'end' ? (this.#completeCalls > 0 ? 'tool-calls' : 'end') : known;
    const detail = known === 'end' || known === 'length' ? undefined : message ?? reason;
    events.push(detail === undefined ? { type: 'finish', reason: stop } : { type: 'finish', reason: stop, detail });
  }

  /** The prompt itself was refused: there is no candidate, and this is the answer. */
  #refuse(detail: string, events: ConversationEvent[]): void {
    if (this.terminated || this.#failed) return;
    this.terminated = true;
    events.push({ type: 'finish', reason: 'refusal', detail });
  }
}

const stopReasons: ReadonlyMap<string, StopReason> = new Map<string, StopReason>([
  ['STOP', 'end'],
  ['MAX_TOKENS', 'length'],
  ['CONTINUATION', 'length'],
  ['SAFETY', 'refusal'],
  ['RECITATION', 'refusal'],
  ['BLOCKLIST', 'refusal'],
  ['PROHIBITED_CONTENT', 'refusal'],
  ['SPII', 'refusal'],
  ['MODEL_ARMOR', 'refusal'],
  ['IMAGE_SAFETY', 'refusal'],
  ['IMAGE_PROHIBITED_CONTENT', 'refusal'],
  ['IMAGE_RECITATION', 'refusal'],
]);

const broken: ReadonlySet<string> = new Set([
  'MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS', 'MALFORMED_RESPONSE', 'LANGUAGE', 'OTHER', 'NO_IMAGE', 'IMAGE_OTHER',
]);

function nonEmpty(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What is charged at list price. */
const plainTiers: ReadonlySet<string> = new Set(['standard', 'unspecified', 'ON_DEMAND', 'TRAFFIC_TYPE_UNSPECIFIED']);
