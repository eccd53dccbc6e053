import type { JsonObject } from '../../../server/base/json.ts';
import { callers, readAnswer as readSeen } from '../../faultwall/callers/callers.ts';
import type { SeenAnswer } from '../../faultwall/callers/seenAnswer.ts';

/** The protocols whose callers most tests are about. */
export const callerProtocols = ['openai-chat', 'anthropic-messages'] as const;
export type CallerProtocol = (typeof callerProtocols)[number];

export const callerPath: Readonly<Record<CallerProtocol, string>> = { 'openai-chat': '/v1/chat/completions', 'anthropic-messages': '/v1/messages' };

/** A small request in a caller's protocol. */
export function requestBody(protocol: CallerProtocol, options: { model: string; prompt: string; stream: boolean; tools?: boolean; messages?: JsonObject[] }): JsonObject {
  const { messages, ...asked } = options;
  return { ...callers[protocol].body(asked), ...(messages === undefined ? {} : { messages }) };
}

/** Headers a caller of this protocol sends. */
export function callerHeaders(protocol: CallerProtocol, token: string): Record<string, string> {
  return callers[protocol].headers(token);
}

/** Reads an answer as a client of the protocol would. An answer that is not an event stream is read as a whole body, also when the caller asked for a stream. */
export function readAnswer(protocol: CallerProtocol, text: string, stream: boolean): SeenAnswer {
  return readSeen(protocol, text, stream && /^(?:event|data|:|id|retry)/m.test(text));
}
