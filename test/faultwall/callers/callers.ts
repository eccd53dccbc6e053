import { isObject, parseJson } from '../../../server/base/json.ts';
import type { ProtocolName } from '../../../server/api/conversation.ts';
import { anthropicMessagesCaller } from './anthropicMessagesCaller.ts';
import { geminiCaller } from './geminiCaller.ts';
import { openAiChatCaller } from './openAiChatCaller.ts';
import { openAiResponsesCaller } from './openAiResponsesCaller.ts';
import { emptyAnswer, type Caller, type SeenAnswer, type StreamReading } from './seenAnswer.ts';

/** The clients of all protocols callers may speak. */
export const callers: Readonly<Record<ProtocolName, Caller>> = {
  'openai-chat': openAiChatCaller,
  'openai-responses': openAiResponsesCaller,
  'anthropic-messages': anthropicMessagesCaller,
  'gemini': geminiCaller,
};

/** Reads an answer, streamed or plain, as a client of the protocol would. @param stream the answer is made of events */
export function readAnswer(protocol: ProtocolName, text: string, stream: boolean): SeenAnswer {
  const seen = emptyAnswer();
  if (!stream) {
    const body = parseJson(text);
    if (isObject(body)) callers[protocol].readPlain(body, seen);
    return seen;
  }
  const reading = callers[protocol].createReading(seen);
  const frames = text.replaceAll('\r\n', '\n').split('\n\n');
  // A client ignores an event without its final blank line.
  if (frames.pop() !== '') seen.problems.push('half an event');
  for (const frame of frames) readFrame(frame, seen, reading);
  reading.end();
  return seen;
}

/** One event of a stream by the rules of server-sent events. It does not use the server's own reader, which would share its mistakes. */
function readFrame(frame: string, seen: SeenAnswer, reading: StreamReading): void {
  let name: string | undefined;
  const lines: string[] = [];
  for (const line of frame.split('\n')) {
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === '') seen.keepAlives += 1;
    if (field === 'event') name = value;
    if (field === 'data') lines.push(value ?? '');
  }
  if (lines.length > 0) reading.event(name, lines.join('\n'));
}
