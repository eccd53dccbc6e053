import type { ConversationEvent } from '../../../api/conversation.ts';
import type { PlannedTarget } from '../../../api/receipt.ts';
import { isObject, parseJson } from '../../../base/json.ts';
import { AnswerPrice, SharedAnswer, type AnswerCost } from '../sharedAnswer.ts';

/** A whole answer as text. @param cost undefined: unknown @returns undefined where the answer is not whole */
export function contentOf({ of, origin, state, events, body }: SharedAnswer, cost: AnswerCost | undefined): string | undefined {
  if (origin === undefined || state.kind !== 'whole') return undefined;
  return JSON.stringify({ of, origin, refusal: state.refusal, ...(body === undefined ? { events } : { body: body.toString('base64') }), ...(cost === undefined ? {} : { cost }) });
}

/** @returns undefined where it is no answer */
export function answerFrom(content: string, route: string): SharedAnswer | undefined {
  const value = parseJson(content);
  if (!isObject(value)) return undefined;
  const { of, origin, refusal, events = [], body, cost } = value;
  if (typeof of !== 'string' || !isObject(origin) || typeof refusal !== 'boolean' || !areEvents(events) || (body !== undefined && typeof body !== 'string')) return undefined;
  const { target, storedId } = origin;
  if (!isTarget(target) || (storedId !== undefined && typeof storedId !== 'string')) return undefined;
  const price = new AnswerPrice();
  price.set(isCost(cost) ? { microUsd: cost.microUsd, estimated: cost.estimated } : undefined);
  const answer = new SharedAnswer(of, route, price);
  answer.origin = { target, ...(storedId === undefined ? {} : { storedId }) };
  if (body === undefined) answer.append(events);
  else answer.setBody(Buffer.from(body, 'base64'));
  answer.end({ kind: 'whole', refusal });
  return answer;
}

function areEvents(value: unknown): value is ConversationEvent[] {
  return Array.isArray(value) && value.every(event => isObject(event) && typeof event['type'] === 'string');
}

function isTarget(value: unknown): value is PlannedTarget {
  return isObject(value) && [value['target'], value['endpoint'], value['model'], value['upstreamModel']].every(part => typeof part === 'string');
}

function isCost(value: unknown): value is AnswerCost {
  return isObject(value) && Number.isSafeInteger(value['microUsd']) && typeof value['estimated'] === 'boolean';
}
