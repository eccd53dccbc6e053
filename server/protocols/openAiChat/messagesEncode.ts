import type { ContentPart, ConversationRequest, DocumentPart, ImagePart, Message, RefusalPart, TextPart, ThinkingPart, ToolCallPart, ToolResultPart } from '../../api/conversation.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import type { EncodeTarget } from '../codec.ts';
import { joinedText, mergeNeighbours, textIsAtHome, withoutAttribution } from '../conversationShape.ts';
import { asFunctionArguments } from '../customTools.ts';
import { withoutUndefined } from '../fields.ts';
import { dataUrl, describeMedia, documentText, inlineDocument, leftOut } from '../media.ts';

/**
 * Writes a conversation as chat messages: one system message first, each tool result a message of its own
 * directly after the calls, what a tool message cannot carry (images, documents) in the user message after them.
 */
export function encodeChatMessages(request: ConversationRequest, target: EncodeTarget): JsonObject[] {
  const role = target.dialect.instructionRole ?? 'system';
  const written: JsonObject[] = [];
  const system = withoutAttribution(request.system).filter((part) => part.text !== '');
  if (system.length > 0) written.push({ role, content: joinedText(system, '\n\n') });
  const sendable = request.messages.map((message) => (message.role === 'assistant' ? withoutForeignReasoning(message, target) : message));
  for (const message of mergeNeighbours(sendable)) {
    switch (message.role) {
      case 'system':
        written.push({ role, content: joinedText(message.content, '\n\n') });
        break;
      case 'user':
        written.push(...encodeUser(message.content));
        break;
      case 'assistant': {
        const assistant = encodeAssistant(message.content, target);
        if (assistant !== undefined) written.push(assistant);
        break;
      }
    }
  }
  return written;
}

function withoutForeignReasoning(message: Message, target: EncodeTarget): Message {
  const content = message.content.filter((part) => part.type !== 'thinking' || textIsAtHome(part, 'openai-chat', target.origin));
  return { role: message.role, content };
}

function encodeUser(content: readonly ContentPart[]): JsonObject[] {
  const written: JsonObject[] = [];
  const moved: (TextPart | ImagePart | DocumentPart)[] = [];
  const own: (TextPart | ImagePart | DocumentPart)[] = [];
  for (const part of content) {
    if (part.type === 'tool-result') written.push(encodeToolResult(part, moved));
    else if (part.type === 'text' || part.type === 'image' || part.type === 'document') own.push(part);
  }
  const parts = [...moved, ...own];
  if (parts.length > 0) written.push({ role: 'user', content: encodeParts(parts) });
  return written;
}

/** The result as text; images and documents are handed to `moved`, for the user message that follows. */
function encodeToolResult(result: ToolResultPart, moved: (TextPart | ImagePart | DocumentPart)[]): JsonObject {
  const lines: string[] = [];
  let media = 0;
  for (const part of result.content) {
    const inline = part.type === 'document' ? documentText(part) : undefined;
    if (part.type === 'text') lines.push(part.text);
    else if (inline !== undefined && part.type === 'document') lines.push(inlineDocument(part.filename, inline));
    else {
      if (media === 0) moved.push({ type: 'text', text: `Attached to the result of tool call ${result.callId}:` });
      media += 1;
      moved.push(part);
    }
  }
  let text = lines.join('\n');
  if (text === '' && media > 0) text = 'The result is attached to the next message.';
  // A chat tool message has no flag for failure; without a note the model would take the text for a success.
  if (result.isError === true && !/^\s*error\b/i.test(text)) text = text === '' ? 'Error' : `Error: ${text}`;
  return { role: 'tool', tool_call_id: result.callId, content: text };
}

function encodeParts(parts: readonly (TextPart | ImagePart | DocumentPart)[]): JsonValue {
  // Plain text as a string is what every server of this protocol understands.
  if (parts.every((part) => part.type === 'text')) return joinedText(parts, '\n\n');
  return parts.map((part): JsonObject => {
    switch (part.type) {
      case 'text': return { type: 'text', text: part.text };
      case 'image': return encodeImage(part);
      case 'document': return encodeDocument(part);
    }
  });
}

function encodeImage(part: ImagePart): JsonObject {
  const { source } = part;
  if (source.kind === 'file') return { type: 'text', text: leftOut('An uploaded image').text };
  const url = source.kind === 'url' ? source.url : dataUrl(part.mimeType ?? 'image/png', source.data);
  return { type: 'image_url', image_url: withoutUndefined({ url, detail: part.detail }) };
}

function encodeDocument(part: DocumentPart): JsonObject {
  const { source, filename } = part;
  const text = documentText(part);
  if (text !== undefined) return { type: 'text', text: inlineDocument(filename, text) };
  if (source.kind === 'file') return { type: 'file', file: withoutUndefined({ file_id: source.fileId, filename }) };
  if (source.kind === 'url') return { type: 'text', text: `${leftOut(describeMedia(part)).text} It is at ${source.url}` };
  if (part.mimeType.startsWith('audio/')) return { type: 'input_audio', input_audio: { data: source.data, format: part.mimeType.slice('audio/'.length) } };
  return { type: 'file', file: { filename: filename ?? defaultName(part.mimeType), file_data: dataUrl(part.mimeType, source.data) } };
}

function defaultName(mimeType: string): string {
  return mimeType === 'application/pdf' ? 'document.pdf' : 'document';
}

function encodeAssistant(content: readonly ContentPart[], { dialect }: EncodeTarget): JsonObject | undefined {
  const text = joinedText(content, '');
  const refusal = content.filter((part): part is RefusalPart => part.type === 'refusal').map((part) => part.text).join('');
  const calls = content.filter((part): part is ToolCallPart => part.type === 'tool-call');
  const reasoning = content.filter((part): part is ThinkingPart => part.type === 'thinking').map((part) => part.text).join('');
  const isEmpty = text === '' && refusal === '' && calls.length === 0;
  const required = dialect.reasoningRequiredWithTools === true && calls.length > 0;
  const writesReasoning = required || (dialect.reasoningField !== undefined && reasoning !== '');
  if (isEmpty && !(writesReasoning && reasoning !== '')) return undefined;
  const message: JsonObject = { role: 'assistant', content: text === '' && (calls.length > 0 || refusal !== '') ? null : text };
  if (writesReasoning) message[dialect.reasoningField ?? 'reasoning_content'] = reasoning;
  if (refusal !== '') message.refusal = refusal;
  if (calls.length > 0) message.tool_calls = calls.map((call) => encodeCall(call, dialect.customTools === true));
  return message;
}

function encodeCall(call: ToolCallPart, knowsCustomTools: boolean): JsonObject {
  return call.kind === 'custom' && knowsCustomTools
    ? { id: call.id, type: 'custom', custom: { name: call.name, input: call.arguments } }
    : { id: call.id, type: 'function', function: { name: call.name, arguments: asFunctionArguments(call) } };
}
