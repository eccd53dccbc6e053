import { isObject, parseJson, type JsonObject } from '../../../server/base/json.ts';
import { earlier, errorOf, lookUp, objectsOf, textOf, type Asked, type Caller, type SeenAnswer, type SeenCall, type StreamReading } from './seenAnswer.ts';

/** A client of OpenAI's Responses. */
export const openAiResponsesCaller: Caller = {
  path: () => '/v1/responses',
  headers: token => ({ authorization: `Bearer ${token}` }),
  body,
  createReading,
  readPlain,
};

function body({ model, prompt, stream, tools, foreignReasoning }: Asked): JsonObject {
  const before = foreignReasoning !== true ? [] : [
    { role: 'user', content: earlier.question },
    { type: 'reasoning', id: 'rs_elsewhere', summary: [{ type: 'summary_text', text: earlier.thought }], encrypted_content: earlier.signature },
    { role: 'assistant', content: earlier.answer },
  ];
  return {
    model, store: false, input: [...before, { role: 'user', content: prompt }], ...(stream ? { stream: true } : {}),
    ...(tools === true ? { tools: [{ type: 'function', name: lookUp.name, description: lookUp.description, parameters: lookUp.schema, strict: false }] } : {}),
  };
}

/** An item that has begun and not ended. */
interface OpenItem { id: string; call: SeenCall | undefined; parts: Map<number, string> }

function createReading(seen: SeenAnswer): StreamReading {
  const items = new Map<number, OpenItem>();
  let lastNumber = -1;
  let created = false;
  let over = false;

  /** The item that an event names. */
  const itemOf = (event: JsonObject): OpenItem | undefined => {
    const item = typeof event.output_index === 'number' ? items.get(event.output_index) : undefined;
    if (item === undefined) seen.problems.push(`${String(event.type)} of an item that is not open`);
    else if (event.item_id !== undefined && event.item_id !== item.id) seen.problems.push(`${String(event.type)} names another item`);
    return item;
  };

  const read = (event: JsonObject): void => {
    switch (event.type) {
      case 'response.created':
        if (created) seen.problems.push('a second response.created');
        created = true;
        seen.openings.add(isObject(event.response) ? textOf(event.response.id) ?? 'no id' : 'no response');
        return;
      case 'response.in_progress':
      case 'response.queued':
        return;
      case 'response.output_item.added': {
        const item = isObject(event.item) ? event.item : {};
        if (typeof event.output_index !== 'number' || items.has(event.output_index)) seen.problems.push('an item at no place of its own');
        const call = item.type === 'function_call' ? { name: String(item.name), arguments: textOf(item.arguments) ?? '', complete: false } : undefined;
        if (call !== undefined) seen.calls.push(call);
        if (typeof event.output_index === 'number') items.set(event.output_index, { id: textOf(item.id) ?? '', call, parts: new Map() });
        return;
      }
      case 'response.content_part.added':
        itemOf(event)?.parts.set(Number(event.content_index), '');
        return;
      case 'response.output_text.delta':
      case 'response.refusal.delta': {
        const item = itemOf(event);
        const part = item?.parts.get(Number(event.content_index));
        if (item !== undefined && part === undefined) seen.problems.push('text of a part that is not open');
        item?.parts.set(Number(event.content_index), (part ?? '') + (textOf(event.delta) ?? ''));
        seen.text += textOf(event.delta) ?? '';
        return;
      }
      case 'response.output_text.done':
      case 'response.refusal.done': {
        const said = textOf(event.text) ?? textOf(event.refusal) ?? '';
        if (itemOf(event)?.parts.get(Number(event.content_index)) !== said) seen.problems.push('a text that is not what was streamed of it');
        return;
      }
      case 'response.function_call_arguments.delta': {
        const call = itemOf(event)?.call;
        if (call === undefined) seen.problems.push('arguments of no call');
        else call.arguments += textOf(event.delta) ?? '';
        return;
      }
      case 'response.function_call_arguments.done': {
        const call = itemOf(event)?.call;
        if (call === undefined) return;
        if (call.arguments !== '' && call.arguments !== event.arguments) seen.problems.push('arguments that are not what was streamed of them');
        call.arguments = textOf(event.arguments) ?? call.arguments;
        call.complete = true;
        return;
      }
      case 'response.output_item.done': {
        const item = itemOf(event);
        const done = isObject(event.item) ? event.item : {};
        if (item?.call !== undefined && done.status !== 'incomplete') {
          item.call.complete = true;
          item.call.arguments = textOf(done.arguments) ?? item.call.arguments;
        }
        if (typeof event.output_index === 'number') items.delete(event.output_index);
        return;
      }
      case 'response.completed':
      case 'response.incomplete': {
        over = true;
        if (items.size > 0) seen.problems.push('a response that ended inside an item');
        const response = isObject(event.response) ? event.response : {};
        const whole: SeenAnswer = { ...seen, text: '', calls: [], problems: [], openings: new Set() };
        readPlain(response, whole);
        if (whole.text !== seen.text) seen.problems.push('a last event whose text is not what was streamed');
        if (whole.calls.length !== seen.calls.length) seen.problems.push('a last event whose calls are not those that were streamed');
        if (isObject(response.usage)) seen.usage = response.usage;
        seen.stopReason = textOf(response.status);
        return;
      }
      case 'response.failed': {
        const response = isObject(event.response) ? event.response : {};
        seen.error = errorOf(isObject(response.error) ? response.error : {});
        return;
      }
      default:
        if (!/^response\.(?:content_part\.done|reasoning_|output_text\.annotation)/.test(String(event.type))) seen.problems.push(`an event no client knows: ${String(event.type)}`);
    }
  };

  return {
    event(name, data) {
      const event = parseJson(data);
      if (!isObject(event)) {
        seen.problems.push(`a line that cannot be read: ${data.slice(0, 80)}`);
        return;
      }
      if (name !== undefined && event.type !== name) seen.problems.push(`an event named ${name} of type ${String(event.type)}`);
      if (over) seen.problems.push(`${String(event.type)} after the end`);
      if (typeof event.sequence_number !== 'number' || event.sequence_number <= lastNumber) seen.problems.push(`${String(event.type)} out of sequence`);
      else lastNumber = event.sequence_number;
      if (event.type === 'error') seen.error = errorOf(event);
      else if (!created && event.type !== 'response.created' && event.type !== 'response.failed') seen.problems.push(`${String(event.type)} before response.created`);
      if (event.type !== 'error') read(event);
    },
    end() {
      seen.finished = over;
    },
  };
}

function readPlain(whole: JsonObject, seen: SeenAnswer): void {
  if (isObject(whole.error)) {
    seen.error = errorOf(whole.error);
    return;
  }
  if (!Array.isArray(whole.output)) return;
  if (isObject(whole.usage)) seen.usage = whole.usage;
  seen.stopReason = textOf(whole.status);
  seen.finished = seen.stopReason === 'completed' || seen.stopReason === 'incomplete';
  seen.openings.add(textOf(whole.id) ?? 'no id');
  for (const item of objectsOf(whole.output)) {
    if (item.type === 'message') for (const part of objectsOf(item.content)) seen.text += textOf(part.text) ?? textOf(part.refusal) ?? '';
    if (item.type === 'function_call') seen.calls.push({ name: String(item.name), arguments: String(item.arguments), complete: item.status !== 'incomplete' });
  }
}
