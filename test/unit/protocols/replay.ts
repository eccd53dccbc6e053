import { readFileSync } from 'node:fs';
import type { ConversationEvent } from '../../../server/api/conversation.ts';
import { anthropicMessages } from '../../../server/protocols/anthropicMessages/codec.ts';
import { gemini } from '../../../server/protocols/gemini/codec.ts';
import { openAiChat } from '../../../server/protocols/openAiChat/codec.ts';
import { openAiResponses } from '../../../server/protocols/openAiResponses/codec.ts';
import { createSseReader } from '../../../server/protocols/sseReader.ts';
import type { Dialect, ProtocolCodec } from '../../../server/protocols/codec.ts';

/** The bytes of a recorded stream. Its name begins with the protocol it was recorded from. */
export function recording(name: string): Buffer {
  return readFileSync(new URL(`./fixtures/${name}.txt`, import.meta.url));
}

/** The codec of the protocol a stream was recorded from. */
export function recordedCodec(name: string): ProtocolCodec {
  if (name.startsWith('messages')) return anthropicMessages;
  if (name.startsWith('responses')) return openAiResponses;
  return name.startsWith('gemini') ? gemini : openAiChat;
}

export interface Replayed { events: ConversationEvent[]; terminated: boolean; unreadable: number }

/** Runs chunks through the reader and the decoder, as an upstream connection would. */
export function replay(name: string, chunks: Iterable<Uint8Array>, dialect: Dialect = {}): Replayed {
  const decoder = recordedCodec(name).createStreamDecoder(dialect);
  const events: ConversationEvent[] = [];
  const reader = createSseReader({ maxEventBytes: 1 << 20 }, (event, data) => events.push(...decoder.decode(event, data)));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return { events, terminated: decoder.terminated, unreadable: decoder.unreadable };
}

export function* bytewise(bytes: Uint8Array): Generator<Uint8Array> {
  for (let index = 0; index < bytes.length; index += 1) yield bytes.subarray(index, index + 1);
}

/** Reproducible random numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const recordings = [
  'chatText', 'chatTools', 'chatReasoningCrlf', 'chatErrorInChunk', 'chatCutInCall',
  'messagesText', 'messagesThinkingTools', 'messagesError', 'messagesCutAtLimit',
  'responsesText', 'responsesTools', 'responsesFailed', 'responsesCutAtLimit', 'responsesWholeItems',
  'geminiText', 'geminiTools', 'geminiBareError', 'geminiBlocked', 'geminiCutAtLimit', 'geminiCut',
] as const;

export const meta = { id: 'resp_1', model: 'auto', createdAt: 1_700_000_000, includeUsage: true, estimatedInputTokens: 99 };
