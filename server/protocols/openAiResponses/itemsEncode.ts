import type { ContentPart, ConversationRequest, DocumentPart, ImagePart, RefusalPart, TextPart, ThinkingPart, ToolCallPart, ToolResultPart } from '../../api/conversation.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import type { EncodeTarget } from '../codec.ts';
import { failureText, mergeNeighbours, maySendOpaque } from '../conversationShape.ts';
import { asFunctionArguments } from '../customTools.ts';
import { withoutUndefined } from '../fields.ts';
import { dataUrl, describeMedia, documentText, inlineDocument, leftOut } from '../media.ts';

/**
 * Writes a conversation as input items. Nothing is stored at the provider, so items carry no ids except
 * reasoning, which goes back only to the provider that encrypted it; a summary alone would be taken for a stored item.
 */
export function encodeItems(request: ConversationRequest, target: EncodeTarget): JsonObject[] {
  const role = target.dialect.instructionRole ?? 'system';
  const items: JsonObject[] = [];
  for (const message of mergeNeighbours(request.messages)) {
    switch (message.role) {
      case 'system': {
        const content = message.content.filter((part) => part.type === 'text' && part.text !== '').map((part) => encodeInput(part as TextPart));
        if (content.length > 0) items.push({ type: 'message', role, content });
        break;
      }
      case 'user':
        encodeUser(message.content, target, items);
        break;
      case 'assistant':
        encodeAssistant(message.content, target, items);
        break;
    }
  }
  return items;
}

function encodeUser(content: readonly ContentPart[], target: EncodeTarget, items: JsonObject[]): void {
  // Results belong directly after their calls, whatever the caller wrote before them.
  for (const part of content) if (part.type === 'tool-result') items.push(encodeResult(part, target));
  const own: JsonObject[] = [];
  for (const part of content) {
    if (part.type === 'image' || part.type === 'document' || (part.type === 'text' && part.text !== '')) own.push(encodeInput(part));
  }
  if (own.length > 0) items.push({ type: 'message', role: 'user', content: own });
}

function encodeResult(result: ToolResultPart, target: EncodeTarget): JsonObject {
  const type = result.kind === 'custom' && target.dialect.customTools !== false ? 'custom_tool_call_output' : 'function_call_output';
  return { type, call_id: result.callId, output: encodeOutput(result) };
}

/** Plain text as a string is what every server of this protocol understands. */
function encodeOutput(result: ToolResultPart): JsonValue {
  if (result.content.every((part) => part.type === 'text')) {
    const text = result.content.map((part) => part.text).join('\n');
    return result.isError === true ? failureText(text) : text;
  }
  const parts = result.content.map(encodeInput);
  return result.isError === true ? [{ type: 'input_text', text: 'Error:' }, ...parts] : parts;
}

function encodeInput(part: TextPart | ImagePart | DocumentPart): JsonObject {
  switch (part.type) {
    case 'text': return { type: 'input_text', text: part.text };
    case 'image': return encodeImage(part);
    case 'document': return encodeDocument(part);
  }
}

function encodeImage(part: ImagePart): JsonObject {
  const { source } = part;
  const detail = part.detail ?? 'auto';
  if (source.kind === 'file') return { type: 'input_image', file_id: source.fileId, detail };
  return { type: 'input_image', image_url: source.kind === 'url' ? source.url : dataUrl(part.mimeType ?? 'image/png', source.data), detail };
}

function encodeDocument(part: DocumentPart): JsonObject {
  const { source, filename } = part;
  const text = documentText(part);
  if (text !== undefined) return { type: 'input_text', text: inlineDocument(filename, text) };
  if (part.mimeType.startsWith('audio/') || part.mimeType.startsWith('video/')) return { type: 'input_text', text: leftOut(describeMedia(part)).text };
  if (source.kind === 'file') return withoutUndefined({ type: 'input_file', file_id: source.fileId });
  if (source.kind === 'url') return { type: 'input_file', file_url: source.url };
  return { type: 'input_file', filename: filename ?? (part.mimeType === 'application/pdf' ? 'document.pdf' : 'document'), file_data: dataUrl(part.mimeType, source.data) };
}

/** Items in the order of the parts; neighbouring text of one phase is one message. */
function encodeAssistant(content: readonly ContentPart[], target: EncodeTarget, items: JsonObject[]): void {
  let open: { phase: string | undefined; content: JsonObject[] } | undefined;
  for (const part of content) {
    if (part.type === 'text' || part.type === 'refusal') {
      if (part.text === '') continue;
      const phase = part.type === 'text' ? part.phase : open?.phase;
      if (open === undefined || open.phase !== phase) {
        open = { phase, content: [] };
        items.push(withoutUndefined({ type: 'message', role: 'assistant', content: open.content, phase }));
      }
      open.content.push(encodeSaid(part));
      continue;
    }
    open = undefined;
    if (part.type === 'thinking') {
      const reasoning = encodeReasoning(part, target);
      if (reasoning !== undefined) items.push(reasoning);
    } else if (part.type === 'tool-call') items.push(encodeCall(part, target));
  }
}

function encodeSaid(part: TextPart | RefusalPart): JsonObject {
  return part.type === 'text' ? { type: 'output_text', text: part.text, annotations: [] } : { type: 'refusal', refusal: part.text };
}

function encodeReasoning(part: ThinkingPart, target: EncodeTarget): JsonObject | undefined {
  if (part.encrypted === undefined || !maySendOpaque(part, 'openai-responses', target.origin)) return undefined;
  return withoutUndefined({
    type: 'reasoning',
    id: part.itemId,
    summary: part.text === '' ? [] : [{ type: 'summary_text', text: part.text }],
    encrypted_content: part.encrypted,
  });
}

function encodeCall(call: ToolCallPart, target: EncodeTarget): JsonObject {
  return call.kind === 'custom' && target.dialect.customTools !== false
    ? { type: 'custom_tool_call', call_id: call.id, name: call.name, input: call.arguments }
    : { type: 'function_call', call_id: call.id, name: call.name, arguments: asFunctionArguments(call) };
}
