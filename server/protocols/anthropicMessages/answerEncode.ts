import { protocolNames, type ConversationEvent, type StopReason, type TokenUsage } from '../../api/conversation.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { callInput } from './contentEncode.ts';
import { encodeDeltaUsage, encodeMessageUsage } from './usage.ts';
import type { ResponseMeta, StreamEncoder } from '../codec.ts';
import { effectiveStopReason, gatherAnswer, mergeUsage } from '../events.ts';

interface Block {
  kind: 'text' | 'thinking' | 'redacted' | 'tool';
  start: JsonObject;
  /** Deltas that wait until the blocks before this one are closed. */
  waiting: JsonObject[];
  isClosed: boolean;
  /** Of a free-text call: its text so far, which has to be wrapped into an object as a whole. */
  freeText?: string | undefined;
}

/**
 * Writes an answer as Messages events. Blocks may not interleave here while other protocols stream several tool
 * calls at once: the first open block is written live, later ones wait for it. `message_start` is written with
 * the first content, when the prompt's true size may be known already.
 */
export class MessagesStreamEncoder implements StreamEncoder {
  readonly #meta: ResponseMeta;
  /** The head is the block being written; the rest wait. */
  readonly #blocks: Block[] = [];
  readonly #calls = new Map<number, Block>();
  #usage: TokenUsage = {};
  #written = 0;
  #begun = false;
  #completeCalls = 0;
  #refusal = '';
  #finish: { reason: StopReason; stopSequence?: string | undefined; detail?: string | undefined } | undefined;

  constructor(meta: ResponseMeta) {
    this.#meta = meta;
  }

  encode(event: ConversationEvent): string {
    switch (event.type) {
      case 'start':
      case 'error':
        return '';
      case 'text':
        return event.text === '' ? '' : this.#run('text', textStart, { type: 'text_delta', text: event.text });
      case 'refusal':
        this.#refusal += event.text;
        return event.text === '' ? '' : this.#run('text', textStart, { type: 'text_delta', text: event.text });
      case 'thinking':
        return event.text === '' ? '' : this.#run('thinking', thinkingStart, { type: 'thinking_delta', thinking: event.text });
      case 'thinking-end':
        return this.#endThinking(event);
      case 'tool-call-start': {
        const block: Block = {
          kind: 'tool',
          start: { type: 'tool_use', id: event.id, name: event.name, input: {}, caller: { type: 'direct' } },
          waiting: [],
          isClosed: false,
          freeText: event.kind === 'custom' ? '' : undefined,
        };
        this.#calls.set(event.index, block);
        return this.#open(block);
      }
      case 'tool-call-arguments': {
        const block = this.#calls.get(event.index);
        if (block?.freeText !== undefined) {
          block.freeText += event.text;
          return '';
        }
        return block === undefined || block.isClosed || event.text === '' ? '' : this.#deliver(block, { type: 'input_json_delta', partial_json: event.text });
      }
      case 'tool-call-end': {
        const block = this.#calls.get(event.index);
        if (block === undefined || block.isClosed) return '';
        this.#completeCalls += 1;
        const wrapped = block.freeText === undefined ? '' : this.#deliver(block, { type: 'input_json_delta', partial_json: JSON.stringify({ input: block.freeText }) });
        block.isClosed = true;
        return wrapped + this.#advance();
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
    for (const block of this.#blocks) block.isClosed = true;
    const closing = this.#begin() + this.#advance();
    const reason = effectiveStopReason(this.#finish?.reason, this.#completeCalls > 0);
    const delta = { container: null, ...encodeStop(reason, this.#finish?.stopSequence, this.#finish?.detail ?? this.#refusal) };
    return closing
      + frame('message_delta', { type: 'message_delta', delta, usage: encodeDeltaUsage(this.#usage) })
      + frame('message_stop', { type: 'message_stop' });
  }

  #begin(): string {
    if (this.#begun) return '';
    this.#begun = true;
    const message = { ...emptyMessage(this.#meta), usage: encodeMessageUsage({ ...this.#usage, outputTokens: this.#usage.outputTokens ?? 0 }, this.#meta.estimatedInputTokens) };
    return frame('message_start', { type: 'message_start', message });
  }

  /** Adds to the last block when it is of this kind and open, else opens one. */
  #run(kind: 'text' | 'thinking', start: JsonObject, delta: JsonObject): string {
    const last = this.#blocks.at(-1);
    if (last?.kind === kind && !last.isClosed) return this.#deliver(last, delta);
    const block: Block = { kind, start, waiting: [], isClosed: false };
    return this.#open(block) + this.#deliver(block, delta);
  }

  #endThinking(event: Extract<ConversationEvent, { type: 'thinking-end' }>): string {
    if (event.redacted !== undefined) {
      return this.#open({ kind: 'redacted', start: { type: 'redacted_thinking', data: event.redacted }, waiting: [], isClosed: true });
    }
    const signature = madeElsewhere.has(event.origin ?? '') ? undefined : event.signature;
    const last = this.#blocks.at(-1);
    if (last?.kind === 'thinking' && !last.isClosed) {
      const written = signature === undefined ? '' : this.#deliver(last, { type: 'signature_delta', signature });
      last.isClosed = true;
      return written + this.#advance();
    }
    if (signature === undefined) return '';
    // Reasoning whose text is withheld has only its signature.
    return this.#open({ kind: 'thinking', start: thinkingStart, waiting: [{ type: 'signature_delta', signature }], isClosed: true });
  }

  #open(block: Block): string {
    const last = this.#blocks.at(-1);
    if (last !== undefined && (last.kind === 'text' || last.kind === 'thinking')) last.isClosed = true;
    this.#blocks.push(block);
    const head = this.#blocks.length === 1 ? this.#begin() + this.#writeStart(block) : '';
    return head + this.#advance();
  }

  #deliver(block: Block, delta: JsonObject): string {
    if (block === this.#blocks[0]) return this.#delta(delta);
    block.waiting.push(delta);
    return '';
  }

  /** Closes finished blocks at the head of the queue, and writes what the next one has held. */
  #advance(): string {
    let out = '';
    while (this.#blocks[0]?.isClosed === true) {
      out += frame('content_block_stop', { type: 'content_block_stop', index: this.#written });
      this.#written += 1;
      this.#blocks.shift();
      const next = this.#blocks[0];
      if (next !== undefined) out += this.#writeStart(next);
    }
    return out;
  }

  #writeStart(block: Block): string {
    let out = frame('content_block_start', { type: 'content_block_start', index: this.#written, content_block: block.start });
    for (const delta of block.waiting) out += this.#delta(delta);
    block.waiting = [];
    return out;
  }

  #delta(delta: JsonObject): string {
    return `event: content_block_delta\ndata: {"type":"content_block_delta","index":${this.#written},"delta":${JSON.stringify(delta)}}\n\n`;
  }
}

const textStart: JsonObject = { type: 'text', text: '', citations: null };
const thinkingStart: JsonObject = { type: 'thinking', thinking: '', signature: '' };

/** Signatures of other protocols' models mean nothing to Anthropic, and would come back as if they were its own. */
const madeElsewhere: ReadonlySet<string> = new Set(protocolNames.filter(name => name !== 'anthropic-messages'));

/** Writes a whole answer as a `message`. Calls whose end was never seen are not in it. */
export function encodeMessagesResponse(events: readonly ConversationEvent[], meta: ResponseMeta): JsonObject {
  const answer = gatherAnswer(events);
  const content: JsonValue[] = [];
  let refusal = '';
  let hasCall = false;
  for (const part of answer.parts) {
    switch (part.type) {
      case 'text':
        content.push({ ...textStart, text: part.text });
        break;
      case 'refusal':
        refusal += part.text;
        content.push({ ...textStart, text: part.text });
        break;
      case 'thinking': {
        const signature = madeElsewhere.has(part.origin ?? '') ? '' : part.signature ?? '';
        if (part.redacted !== undefined) content.push({ type: 'redacted_thinking', data: part.redacted });
        else if (part.text !== '' || signature !== '') content.push({ type: 'thinking', thinking: part.text, signature });
        break;
      }
      case 'tool-call':
        if (!part.complete) break;
        hasCall = true;
        content.push({ type: 'tool_use', id: part.id, name: part.name, input: callInput(part), caller: { type: 'direct' } });
        break;
    }
  }
  const reason = effectiveStopReason(answer.finish?.reason, hasCall);
  return {
    ...emptyMessage(meta),
    content,
    ...encodeStop(reason, answer.finish?.stopSequence, answer.finish?.detail ?? refusal),
    usage: encodeMessageUsage(answer.usage, meta.estimatedInputTokens),
  };
}

function emptyMessage(meta: ResponseMeta): JsonObject {
  return {
    id: meta.id, type: 'message', role: 'assistant', model: meta.model, content: [],
    stop_reason: null, stop_sequence: null, stop_details: null, container: null, diagnostics: null,
  };
}

/** Callers know these few reasons; a full context is reported as `max_tokens`. */
function encodeStop(reason: StopReason, stopSequence: string | undefined, explanation: string | undefined): JsonObject {
  const plain = { stop_sequence: null, stop_details: null };
  switch (reason) {
    case 'end':
    case 'error':
      return { stop_reason: 'end_turn', ...plain };
    case 'stop-sequence':
      return stopSequence === undefined ? { stop_reason: 'end_turn', ...plain } : { stop_reason: 'stop_sequence', stop_sequence: stopSequence, stop_details: null };
    case 'length':
    case 'context-full':
      return { stop_reason: 'max_tokens', ...plain };
    case 'tool-calls':
      return { stop_reason: 'tool_use', ...plain };
    case 'pause':
      return { stop_reason: 'pause_turn', ...plain };
    case 'refusal': {
      const said = explanation === undefined || explanation === '' ? null : explanation;
      return { stop_reason: 'refusal', stop_sequence: null, stop_details: { type: 'refusal', category: null, explanation: said } };
    }
  }
}

function frame(event: string, data: JsonObject): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
