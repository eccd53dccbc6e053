import type {
  ContentPart, ConversationRequest, DocumentPart, ImagePart, Message, TextPart, ThinkingPart, ToolDefinition, ToolResultPart,
} from '../../server/api/conversation.ts';
import { reasoningEfforts } from '../../server/api/conversation.ts';
import { isRecord, readPart } from './incomingParts.ts';
import type { IncomingMessage } from './incomingParts.ts';

/** The part of the editor's request options that is used, with what only some versions send. */
export interface IncomingOptions {
  readonly tools?: readonly { readonly name: string; readonly description: string; readonly inputSchema?: object | undefined }[] | undefined;
  /** 1 the model may call tools, 2 it must. */
  readonly toolMode?: number | undefined;
  readonly modelOptions?: Readonly<Record<string, unknown>> | undefined;
  /** What the user chose in the model picker for this model. */
  readonly modelConfiguration?: Readonly<Record<string, unknown>> | undefined;
}

const assistantRole = 2;
const systemRole = 3;
const requiredToolMode = 2;

/** Translates an editor chat request to the internal form. Unknown parts are left out, never refused. */
export function conversationFrom(messages: readonly IncomingMessage[], options: IncomingOptions): ConversationRequest {
  const system: TextPart[] = [];
  const conversation: Message[] = [];
  const toolNames = new Map<string, string>();
  for (const message of messages) {
    if (message.role === systemRole && conversation.length === 0) {
      system.push(...textParts(message.content));
      continue;
    }
    const content = message.role === systemRole ? textParts(message.content)
      : message.role === assistantRole ? assistantParts(message.content, toolNames)
      : userParts(message.content, toolNames);
    if (content.length === 0) continue;
    conversation.push({ role: message.role === systemRole ? 'system' : message.role === assistantRole ? 'assistant' : 'user', content });
  }
  const tools = (options.tools ?? []).map(toolDefinition);
  return {
    system,
    messages: conversation,
    tools,
    ...(tools.length > 0 ? { toolChoice: { type: options.toolMode === requiredToolMode ? 'required' : 'auto' } } : {}),
    ...sampling(options.modelOptions ?? {}),
    ...reasoning(options.modelConfiguration ?? {}),
  };
}

function toolDefinition(tool: NonNullable<IncomingOptions['tools']>[number]): ToolDefinition {
  return {
    name: tool.name,
    ...(tool.description === '' ? {} : { description: tool.description }),
    // A tool without arguments has no schema here, while every provider wants an object.
    parameters: isRecord(tool.inputSchema) ? tool.inputSchema : { type: 'object', properties: {} },
  };
}

/** Options a caller may set; keys with an underscore are the editor's own notes and go nowhere. */
function sampling(options: Readonly<Record<string, unknown>>): Partial<ConversationRequest> {
  const number = (...names: string[]): number | undefined => {
    for (const name of names) {
      const value = options[name];
      if (typeof value === 'number' && Number.isFinite(value)) return value;
    }
    return undefined;
  };
  const temperature = number('temperature');
  const topP = number('top_p', 'topP');
  const maxOutputTokens = number('max_tokens', 'max_completion_tokens', 'max_output_tokens', 'maxOutputTokens');
  const seed = number('seed');
  const stop = typeof options['stop'] === 'string' ? [options['stop']]
    : Array.isArray(options['stop']) ? options['stop'].filter(entry => typeof entry === 'string') : undefined;
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(maxOutputTokens === undefined || maxOutputTokens < 1 ? {} : { maxOutputTokens: Math.floor(maxOutputTokens) }),
    ...(seed === undefined ? {} : { seed }),
    ...(stop === undefined || stop.length === 0 ? {} : { stop }),
  };
}

function reasoning(configuration: Readonly<Record<string, unknown>>): Partial<ConversationRequest> {
  const effort = reasoningEfforts.find(name => name === configuration['reasoningEffort']);
  return effort === undefined ? {} : { reasoning: { effort, visible: effort !== 'none' } };
}

function textParts(content: readonly unknown[]): TextPart[] {
  const text = content.map(readPart).map(part => (part.kind === 'text' ? part.text : '')).join('');
  return text === '' ? [] : [{ type: 'text', text }];
}

function userParts(content: readonly unknown[], toolNames: ReadonlyMap<string, string>): ContentPart[] {
  const parts: ContentPart[] = [];
  for (const part of content.map(readPart)) {
    if (part.kind === 'text') appendText(parts, part.text);
    else if (part.kind === 'media') appendMedia(parts, part.mimeType, part.bytes);
    else if (part.kind === 'tool-result') parts.push(toolResult(part.callId, part.content, toolNames));
  }
  return parts;
}

function toolResult(callId: string, content: readonly unknown[], toolNames: ReadonlyMap<string, string>): ToolResultPart {
  const parts: (TextPart | ImagePart | DocumentPart)[] = [];
  for (const part of content.map(readPart)) {
    if (part.kind === 'text') appendText(parts, part.text);
    else if (part.kind === 'media') appendMedia(parts, part.mimeType, part.bytes);
  }
  const name = toolNames.get(callId);
  return { type: 'tool-result', callId, ...(name === undefined ? {} : { name }), content: parts };
}

function assistantParts(content: readonly unknown[], toolNames: Map<string, string>): ContentPart[] {
  const parts: ContentPart[] = [];
  /** Pieces of reasoning since the last part that completed a run of them. */
  let openThinking = '';
  const closeThinking = (): void => {
    if (openThinking !== '') parts.push({ type: 'thinking', text: openThinking });
    openThinking = '';
  };
  for (const part of content.map(readPart)) {
    if (part.kind === 'thinking') {
      openThinking += part.text;
      const complete = completeThinking(openThinking, part.metadata);
      if (complete !== undefined) {
        parts.push(complete);
        openThinking = '';
      }
      continue;
    }
    if (part.kind === 'text') {
      closeThinking();
      appendText(parts, part.text);
    } else if (part.kind === 'tool-call') {
      closeThinking();
      toolNames.set(part.callId, part.name);
      parts.push({ type: 'tool-call', id: part.callId, name: part.name, arguments: JSON.stringify(part.input ?? {}) });
    } else if (part.kind === 'media') {
      closeThinking();
      appendMedia(parts, part.mimeType, part.bytes);
    }
  }
  closeThinking();
  return parts;
}

/** The run of reasoning that this metadata closes, with its opaque parts; undefined when it closes none. */
function completeThinking(openText: string, metadata: Record<string, unknown>): ThinkingPart | undefined {
  const string = (...names: string[]): string | undefined => {
    for (const name of names) {
      const value = metadata[name];
      if (typeof value === 'string' && value !== '') return value;
    }
    return undefined;
  };
  const whole = string('_completeThinking');
  const signature = string('signature');
  const redacted = string('redactedData');
  const encrypted = string('encrypted_content');
  if (whole === undefined && signature === undefined && redacted === undefined && encrypted === undefined) return undefined;
  const itemId = string('itemId');
  const origin = string('origin');
  return {
    type: 'thinking',
    text: whole ?? openText,
    ...(signature === undefined ? {} : { signature }),
    ...(redacted === undefined ? {} : { redacted }),
    ...(encrypted === undefined ? {} : { encrypted }),
    ...(itemId === undefined ? {} : { itemId }),
    ...(origin === undefined ? {} : { origin }),
  };
}

/** Neighbouring texts become one part, as the editor splits them freely. */
function appendText(parts: ContentPart[], text: string): void {
  if (text === '') return;
  const last = parts.at(-1);
  if (last?.type === 'text') last.text += text;
  else parts.push({ type: 'text', text });
}

function appendMedia(parts: ContentPart[], mimeType: string, bytes: Uint8Array): void {
  const type = mimeType.toLowerCase();
  if (type.startsWith('image/')) {
    parts.push({ type: 'image', mimeType: type, source: { kind: 'base64', data: base64(bytes) } });
  } else if (type === 'application/pdf') {
    parts.push({ type: 'document', mimeType: type, source: { kind: 'base64', data: base64(bytes) } });
  } else if (type.startsWith('text/') || type === 'application/json' || type.endsWith('+json')) {
    appendText(parts, new TextDecoder().decode(bytes));
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
