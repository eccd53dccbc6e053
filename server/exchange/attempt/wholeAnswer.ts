import type { ConversationEvent } from '../../api/conversation.ts';
import type { ProtocolCodec } from '../../protocols/codec.ts';
import { AnswerBounds } from '../answer/answerBounds.ts';
import { inspectBuffered } from '../answer/bufferedAnswer.ts';
import type { UsageMeter } from '../answer/usageMeter.ts';
import { bufferedFlaw, fail, passesBodyOn, receiveBody, type AttemptTerms, type BufferedState, type EndedState } from './machine.ts';

/**
 * Reads a body with a good status that is complete, and counts what it says.
 * @param now milliseconds since the epoch
 * @returns the events of an answer that keeps its bounds; or the end of the attempt
 */
export function readWholeAnswer(state: BufferedState, terms: AttemptTerms, body: Buffer, codec: ProtocolCodec, meter: UsageMeter, now: number): EndedState | readonly ConversationEvent[] {
  const { source } = terms;
  const events = receiveBody(state, terms, body, inspectBuffered(body, codec, source.provider.dialect, passesBodyOn(terms)), now);
  if ('state' in events) return events;
  const hasContent = meter.count(events);
  const flaw = new AnswerBounds(source.endpoint).exceeded(0, hasContent, events.length, 0, meter.figures.generatedChars, meter.toolCalls) ?? bufferedFlaw(terms, meter);
  return flaw === undefined ? events : fail(state, terms, flaw, meter.stopReason);
}
