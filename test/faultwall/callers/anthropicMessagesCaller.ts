import { isObject, parseJson, type JsonObject } from '../../../server/base/json.ts';
import { earlier, errorOf, lookUp, objectsOf, textOf, type Asked, type Caller, type SeenAnswer, type SeenCall, type StreamReading } from './seenAnswer.ts';

/** A client of Anthropic's Messages. */
export const anthropicMessagesCaller: Caller = {
  path: () => '/v1/messages',
  headers: token => ({ 'x-api-key': token, 'anthropic-version': '2023-06-01' }),
  body,
  createReading,
  readPlain,
};

function body({ model, prompt, stream, tools, foreignReasoning }: Asked): JsonObject {
  const before = foreignReasoning !== true ? [] : [
    { role: 'user', content: earlier.question },
    { role: 'assistant', content: [{ type: 'thinking', thinking: earlier.thought, signature: earlier.signature }, { type: 'text', text: earlier.answer }] },
  ];
  return {
    model, max_tokens: 1000, messages: [...before, { role: 'user', content: prompt }], ...(stream ? { stream: true } : {}),
    ...(tools === true ? { tools: [{ name: lookUp.name, description: lookUp.description, input_schema: lookUp.schema }] } : {}),
  };
}

/** The official client builds one message out of the events and throws where their order makes no sense; so do these problems. */
function createReading(seen: SeenAnswer): StreamReading {
  const open = new Map<number, { call: SeenCall | undefined }>();
  let started = false;
  let stopped = false;
  return {
    event(name, data) {
      const event = parseJson(data);
      if (!isObject(event)) {
        seen.problems.push(`a line that cannot be read: ${data.slice(0, 80)}`);
        return;
      }
      const type = textOf(event.type);
      if (type !== name) seen.problems.push(`an event named ${name ?? 'nothing'} of type ${type ?? 'nothing'}`);
      if (type === 'ping') {
        seen.keepAlives += 1;
        return;
      }
      if (type === 'error') {
        seen.error = errorOf(isObject(event.error) ? event.error : {});
        return;
      }
      if (type !== 'message_start' && !started) seen.problems.push(`${type ?? 'something'} before message_start`);
      if (stopped) seen.problems.push(`${type ?? 'something'} after message_stop`);
      const index = typeof event.index === 'number' ? event.index : -1;
      switch (type) {
        case 'message_start': {
          if (started) seen.problems.push('a second message_start');
          started = true;
          const message = isObject(event.message) ? event.message : {};
          seen.openings.add(textOf(message.id) ?? 'no id');
          if (isObject(message.usage)) seen.usage = message.usage;
          return;
        }
        case 'content_block_start': {
          if (open.has(index)) seen.problems.push('a block that began twice');
          const block = isObject(event.content_block) ? event.content_block : {};
          const call = block.type === 'tool_use' ? { name: String(block.name), arguments: '', complete: false } : undefined;
          if (call !== undefined) seen.calls.push(call);
          seen.text += block.type === 'text' ? textOf(block.text) ?? '' : '';
          open.set(index, { call });
          return;
        }
        case 'content_block_delta': {
          const block = open.get(index);
          if (block === undefined) seen.problems.push('a piece of a block that is not open');
          const delta = isObject(event.delta) ? event.delta : {};
          seen.text += textOf(delta.text) ?? '';
          if (block?.call !== undefined) block.call.arguments += textOf(delta.partial_json) ?? '';
          return;
        }
        case 'content_block_stop': {
          const block = open.get(index);
          if (block === undefined) seen.problems.push('the end of a block that is not open');
          if (block?.call !== undefined) block.call.complete = true;
          open.delete(index);
          return;
        }
        case 'message_delta':
          if (isObject(event.delta)) seen.stopReason = textOf(event.delta.stop_reason) ?? seen.stopReason;
          if (isObject(event.usage)) seen.usage = { ...seen.usage, ...event.usage };
          return;
        case 'message_stop':
          if (open.size > 0) seen.problems.push('a message that stopped inside a block');
          if (seen.stopReason === undefined) seen.problems.push('a message that stopped without a reason');
          stopped = true;
          return;
        default:
          seen.problems.push(`an event no client knows: ${type ?? 'without a type'}`);
      }
    },
    end() {
      seen.finished = stopped;
    },
  };
}

function readPlain(whole: JsonObject, seen: SeenAnswer): void {
  if (isObject(whole.error)) {
    seen.error = errorOf(whole.error);
    return;
  }
  if (!Array.isArray(whole.content)) return;
  if (isObject(whole.usage)) seen.usage = whole.usage;
  seen.stopReason = textOf(whole.stop_reason);
  seen.finished = seen.stopReason !== undefined;
  seen.openings.add(textOf(whole.id) ?? 'no id');
  for (const block of objectsOf(whole.content)) {
    if (block.type === 'text') seen.text += textOf(block.text) ?? '';
    if (block.type === 'tool_use') seen.calls.push({ name: String(block.name), arguments: JSON.stringify(block.input), complete: true });
  }
}
