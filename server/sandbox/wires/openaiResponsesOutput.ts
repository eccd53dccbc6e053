import type { JsonObject } from '../../base/json.ts';
import { freeText, sandboxLogprob } from './sandboxWire.ts';
import type { Frame, SandboxAnswer, SandboxReply, SandboxUsage } from './sandboxWire.ts';
import { splitIntoTokens } from '../tokens.ts';

/** An item of the output, as it begins, with what streams it, and as it ends. */
interface Item {
  begun: JsonObject;
  /** Events between the item's beginning and its end, without the numbers every event carries. */
  events: { kind: Frame['kind']; type: string; fields: JsonObject }[];
  done: JsonObject;
}

/** A whole response object. */
export function responseBody(reply: SandboxReply): JsonObject {
  const answer = reply.answers[0];
  const incomplete = answer?.stop === 'length';
  return {
    ...responseHead(reply, incomplete ? 'incomplete' : 'completed'),
    incomplete_details: incomplete ? { reason: 'max_output_tokens' } : null,
    output: answer === undefined ? [] : itemsOf(reply, answer).map((item) => item.done),
    ...(reply.usage === undefined ? {} : { usage: usageBody(reply.usage, reply.inconsistentUsage) }),
  };
}

/** The stream: two lifecycle events, then item after item, then the whole response, which ends the stream. */
export function responseFrames(reply: SandboxReply): Frame[] {
  const frames: Frame[] = [];
  const push = (kind: Frame['kind'], type: string, fields: JsonObject): void => {
    frames.push({ kind, text: `event: ${type}\ndata: ${JSON.stringify({ type, ...fields, sequence_number: frames.length })}\n\n` });
  };
  const begun = { ...responseHead(reply, 'in_progress'), incomplete_details: null, output: [], usage: null };
  push('prelude', 'response.created', { response: begun });
  push('prelude', 'response.in_progress', { response: begun });
  const answer = reply.answers[0];
  (answer === undefined ? [] : itemsOf(reply, answer)).forEach((item, index) => {
    push(item.begun['type'] === 'message' || item.begun['type'] === 'reasoning' ? index === 0 ? 'prelude' : 'structure' : 'content', 'response.output_item.added', { output_index: index, item: item.begun });
    for (const { kind, type, fields } of item.events) push(kind === 'structure' && frames.every((frame) => frame.kind === 'prelude') ? 'prelude' : kind, type, { item_id: item.begun['id'] ?? '', output_index: index, ...fields });
    push('structure', 'response.output_item.done', { output_index: index, item: item.done });
  });
  const body = responseBody(reply);
  push('terminal', answer?.stop === 'length' ? 'response.incomplete' : 'response.completed', { response: body });
  return frames;
}

function responseHead(reply: SandboxReply, status: string): JsonObject {
  return {
    id: reply.id, object: 'response', created_at: reply.createdAt, status, background: false, error: null, instructions: null, max_output_tokens: null,
    model: reply.model, parallel_tool_calls: true, previous_response_id: null, reasoning: { effort: null, summary: null }, service_tier: 'default',
    store: false, temperature: 1, text: { format: { type: 'text' } }, tool_choice: 'auto', tools: [], top_p: 1, truncation: 'disabled', user: null, metadata: {},
  };
}

function itemsOf(reply: SandboxReply, answer: SandboxAnswer): Item[] {
  const items: Item[] = [];
  if (answer.thinking.length > 0) items.push(reasoningItem(reply, answer));
  if (answer.refusal !== undefined) items.push(refusalItem(reply, answer.refusal));
  else if (answer.text.length > 0) items.push(messageItem(reply, answer));
  for (const [index, toolCall] of answer.toolCalls.entries()) {
    const cut = answer.stop === 'length' && index === answer.toolCalls.length - 1;
    items.push(callItem(toolCall, reply.customTools.has(toolCall.name), cut));
  }
  return items;
}

function reasoningItem(reply: SandboxReply, answer: SandboxAnswer): Item {
  const id = `rs_${reply.id}`;
  const text = reply.thinkingHidden ? '' : answer.thinking.join('');
  const encrypted = Buffer.from(`sandbox:${reply.provider}:${reply.id}`).toString('base64');
  const part = { type: 'summary_text', text };
  return {
    begun: { id, type: 'reasoning', summary: [] },
    events: reply.thinkingHidden ? [] : [
      { kind: 'structure', type: 'response.reasoning_summary_part.added', fields: { summary_index: 0, part: { type: 'summary_text', text: '' } } },
      ...answer.thinking.map((delta) => ({ kind: 'content' as const, type: 'response.reasoning_summary_text.delta', fields: { summary_index: 0, delta } })),
      { kind: 'structure', type: 'response.reasoning_summary_text.done', fields: { summary_index: 0, text } },
      { kind: 'structure', type: 'response.reasoning_summary_part.done', fields: { summary_index: 0, part } },
    ],
    done: { id, type: 'reasoning', summary: text === '' ? [] : [part], encrypted_content: encrypted },
  };
}

function messageItem(reply: SandboxReply, answer: SandboxAnswer): Item {
  const head = { id: `msg_${reply.id}`, type: 'message', role: 'assistant' };
  const text = answer.text.join('');
  const logprobs = (tokens: readonly string[]): JsonObject[] => (reply.logprobs ? tokens.map((token) => ({ token, logprob: sandboxLogprob, bytes: [...Buffer.from(token)], top_logprobs: [] })) : []);
  const part = { type: 'output_text', text, annotations: [], logprobs: logprobs(answer.text) };
  return {
    begun: { ...head, status: 'in_progress', content: [] },
    events: [
      { kind: 'structure', type: 'response.content_part.added', fields: { content_index: 0, part: { type: 'output_text', text: '', annotations: [], logprobs: [] } } },
      ...answer.text.map((delta) => ({ kind: 'content' as const, type: 'response.output_text.delta', fields: { content_index: 0, delta, logprobs: logprobs([delta]) } })),
      { kind: 'structure', type: 'response.output_text.done', fields: { content_index: 0, text, logprobs: logprobs(answer.text) } },
      { kind: 'structure', type: 'response.content_part.done', fields: { content_index: 0, part } },
    ],
    done: { ...head, status: answer.stop === 'length' && answer.toolCalls.length === 0 ? 'incomplete' : 'completed', content: [part] },
  };
}

function refusalItem(reply: SandboxReply, refusal: string): Item {
  const head = { id: `msg_${reply.id}`, type: 'message', role: 'assistant' };
  const part = { type: 'refusal', refusal };
  return {
    begun: { ...head, status: 'in_progress', content: [] },
    events: [
      { kind: 'structure', type: 'response.content_part.added', fields: { content_index: 0, part: { type: 'refusal', refusal: '' } } },
      { kind: 'content', type: 'response.refusal.delta', fields: { content_index: 0, delta: refusal } },
      { kind: 'structure', type: 'response.refusal.done', fields: { content_index: 0, refusal } },
      { kind: 'structure', type: 'response.content_part.done', fields: { content_index: 0, part } },
    ],
    done: { ...head, status: 'completed', content: [part] },
  };
}

function callItem(toolCall: SandboxAnswer['toolCalls'][number], isCustom: boolean, isCut: boolean): Item {
  const json = toolCall.pieces.join('');
  const text = isCustom ? freeText(json) : json;
  const field = isCustom ? 'input' : 'arguments';
  const event = isCustom ? 'response.custom_tool_call_input' : 'response.function_call_arguments';
  const head = { id: `${isCustom ? 'ctc' : 'fc'}_${toolCall.id}`, type: isCustom ? 'custom_tool_call' : 'function_call', call_id: toolCall.id, name: toolCall.name };
  const pieces = isCustom ? splitIntoTokens(text) : toolCall.pieces;
  return {
    begun: { ...head, status: 'in_progress', [field]: '' },
    events: [
      ...pieces.map((delta) => ({ kind: 'tool-arguments' as const, type: `${event}.delta`, fields: { delta } })),
      ...(isCut ? [] : [{ kind: 'structure' as const, type: `${event}.done`, fields: { [field]: text } }]),
    ],
    done: { ...head, status: isCut ? 'incomplete' : 'completed', [field]: text },
  };
}

function usageBody(usage: SandboxUsage, inconsistent: boolean): JsonObject {
  const input = usage.input + usage.cacheRead + usage.cacheWrite + usage.cacheWrite1h;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: inconsistent ? input + 7 : usage.cacheRead, cache_write_tokens: usage.cacheWrite + usage.cacheWrite1h },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: inconsistent ? usage.output + 5 : usage.reasoning },
    total_tokens: inconsistent ? 1 : input + usage.output,
  };
}
