import { isObject, parseJson, type JsonObject } from '../../../server/base/json.ts';
import { earlier, errorOf, lookUp, objectsOf, textOf, type Asked, type Caller, type SeenAnswer, type SeenCall, type StreamReading } from './seenAnswer.ts';

/** A client of OpenAI's Chat Completions. */
export const openAiChatCaller: Caller = {
  path: () => '/v1/chat/completions',
  headers: token => ({ authorization: `Bearer ${token}` }),
  body,
  createReading,
  readPlain,
};

function body({ model, prompt, stream, tools, foreignReasoning }: Asked): JsonObject {
  const before = foreignReasoning === true ? [{ role: 'user', content: earlier.question }, { role: 'assistant', content: earlier.answer }] : [];
  return {
    model,
    messages: [...before, { role: 'user', content: prompt }],
    ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
    ...(tools === true ? { tools: [{ type: 'function', function: { name: lookUp.name, description: lookUp.description, parameters: lookUp.schema } }] } : {}),
  };
}

function createReading(seen: SeenAnswer): StreamReading {
  const calls = new Map<number, SeenCall>();
  let done = false;
  return {
    event(_name, data) {
      if (done) seen.problems.push('an event after [DONE]');
      if (data === '[DONE]') {
        done = true;
        return;
      }
      const chunk = parseJson(data);
      if (!isObject(chunk)) seen.problems.push(`a line that cannot be read: ${data.slice(0, 80)}`);
      else if (isObject(chunk.error)) seen.error = errorOf(chunk.error);
      else readChunk(chunk, seen, calls);
    },
    end() {
      // Chat has no event for the end of a call: calls count as complete once the finish reason names them.
      for (const call of calls.values()) call.complete = seen.stopReason === 'tool_calls';
      // Clients also accept an answer that has its finish reason and ends without the terminal event.
      seen.finished = done || seen.stopReason !== undefined;
      if (done && seen.stopReason === undefined && seen.error === undefined) seen.problems.push('[DONE] without a finish reason');
      if (!done && seen.stopReason !== undefined && seen.error === undefined) seen.problems.push('a finish reason without [DONE]');
    },
  };
}

function readChunk(chunk: JsonObject, seen: SeenAnswer, calls: Map<number, SeenCall>): void {
  if (chunk.object !== 'chat.completion.chunk') seen.problems.push(`an object of another kind: ${String(chunk.object)}`);
  seen.openings.add(textOf(chunk.id) ?? 'no id');
  if (isObject(chunk.usage)) seen.usage = chunk.usage;
  const [choice] = objectsOf(chunk.choices);
  if (choice === undefined) return;
  const delta = isObject(choice.delta) ? choice.delta : {};
  const says = (textOf(delta.content) ?? textOf(delta.refusal) ?? '') !== '' || delta.tool_calls !== undefined;
  if (says && seen.stopReason !== undefined) seen.problems.push('content after the finish reason');
  seen.stopReason = textOf(choice.finish_reason) ?? seen.stopReason;
  seen.text += textOf(delta.content) ?? textOf(delta.refusal) ?? '';
  for (const part of objectsOf(delta.tool_calls)) {
    if (typeof part.index !== 'number') {
      seen.problems.push('a tool call without an index');
      continue;
    }
    const named = isObject(part.function) ? part.function : {};
    let call = calls.get(part.index);
    if (call === undefined) {
      if (textOf(part.id) === undefined || textOf(named.name) === undefined) seen.problems.push('a tool call that begins without id and name');
      call = { name: '', arguments: '', complete: false };
      calls.set(part.index, call);
      seen.calls.push(call);
    }
    call.name += textOf(named.name) ?? '';
    call.arguments += textOf(named.arguments) ?? '';
  }
}

function readPlain(whole: JsonObject, seen: SeenAnswer): void {
  if (isObject(whole.error)) {
    seen.error = errorOf(whole.error);
    return;
  }
  if (isObject(whole.usage)) seen.usage = whole.usage;
  const [choice] = objectsOf(whole.choices);
  const message = isObject(choice?.message) ? choice.message : undefined;
  if (message === undefined) return;
  seen.stopReason = textOf(choice?.finish_reason);
  seen.finished = seen.stopReason !== undefined;
  seen.openings.add(textOf(whole.id) ?? 'no id');
  seen.text = textOf(message.content) ?? textOf(message.refusal) ?? '';
  for (const call of objectsOf(message.tool_calls)) {
    if (isObject(call.function)) seen.calls.push({ name: String(call.function.name), arguments: String(call.function.arguments), complete: true });
  }
}
