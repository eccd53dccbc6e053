import type { JsonObject, JsonValue } from '../../base/json.ts';

/** An item of a response's output while it is being written. */
export type OutputItem = MessageItem | ReasoningItem | CallItem;

export interface MessageItem {
  kind: 'message';
  id: string;
  index: number;
  phase: string | undefined;
  parts: { type: 'text' | 'refusal'; text: string; logprobs: JsonValue[] }[];
  isDone: boolean;
}

export interface ReasoningItem {
  kind: 'reasoning';
  id: string;
  index: number;
  text: string;
  encrypted: string | undefined;
  isDone: boolean;
}

export interface CallItem {
  kind: 'call';
  id: string;
  index: number;
  callId: string;
  name: string;
  /** Of the tool, as the caller declared it. */
  namespace: string | undefined;
  isCustom: boolean;
  arguments: string;
  isDone: boolean;
}

/** An item as it is when it begins: nothing of its content is known yet. */
export function begunItem(item: OutputItem): JsonObject {
  switch (item.kind) {
    case 'message':
      return { ...messageHead(item), status: 'in_progress', content: [] };
    case 'reasoning':
      return { id: item.id, type: 'reasoning', summary: [] };
    case 'call':
      return callObject({ ...item, arguments: '' }, 'in_progress');
  }
}

/** An item as it is when it is complete. */
export function finishedItem(item: OutputItem): JsonObject {
  switch (item.kind) {
    case 'message':
      return { ...messageHead(item), status: 'completed', content: item.parts.map(finishedPart) };
    case 'reasoning':
      return {
        id: item.id,
        type: 'reasoning',
        summary: item.text === '' ? [] : [{ type: 'summary_text', text: item.text }],
        ...(item.encrypted === undefined ? {} : { encrypted_content: item.encrypted }),
      };
    case 'call':
      return callObject(item, 'completed');
  }
}

/** A content part of a message when it is complete. */
export function finishedPart(part: MessageItem['parts'][number]): JsonObject {
  return part.type === 'refusal'
    ? { type: 'refusal', refusal: part.text }
    : { type: 'output_text', text: part.text, annotations: [], logprobs: part.logprobs };
}

function messageHead(item: MessageItem): JsonObject {
  const head = { id: item.id, type: 'message', role: 'assistant' };
  return item.phase === undefined ? head : { ...head, phase: item.phase };
}

function callObject(item: CallItem, status: string): JsonObject {
  const space = item.namespace === undefined ? {} : { namespace: item.namespace };
  return item.isCustom
    ? { id: item.id, type: 'custom_tool_call', status, call_id: item.callId, name: item.name, ...space, input: item.arguments }
    : { id: item.id, type: 'function_call', status, call_id: item.callId, name: item.name, ...space, arguments: item.arguments };
}
