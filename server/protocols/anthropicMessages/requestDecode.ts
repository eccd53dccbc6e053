import type { ContentPart, ConversationRequest, HostedTool, Message, ReasoningRequest, ResponseFormat, TextPart, ToolChoice, ToolDefinition } from '../../api/conversation.ts';
import { asString, isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { decodeBlocks, decodeCache } from './contentDecode.ts';
import { offeredTools, type ListedTools } from './deferredTools.ts';
import { RequestFormatError } from '../codec.ts';
import { arrayField, booleanField, numberField, objectField, requiredObject, requiredString, stringField } from '../fields.ts';
import { parseEffort } from '../reasoningEffort.ts';
import { oncePerList } from '../toolLists.ts';

/**
 * Reads the body of `POST /v1/messages`. Fields it does not know are ignored; content it does not know becomes a
 * note to the model.
 * @throws RequestFormatError with path `thread` for a message thread: its history is kept by Anthropic, so it
 *   cannot be translated. The caller gets an error with code `thread_unsupported_request`, upon which the SDK
 *   sends the whole history.
 */
export function decodeMessagesRequest(body: JsonObject): ConversationRequest {
  if (isObject(body.thread)) throw new RequestFormatError('thread', 'message threads work only with Anthropic itself');
  const messages = arrayField(body, 'messages');
  if (messages === undefined) throw new RequestFormatError('messages', 'is required');
  const choice = objectField(body, 'tool_choice');
  const decoded = decodeMessages(messages);
  const autoCache = decodeCache(body);
  const last = decoded.at(-1)?.content.at(-1);
  const listed = decodeTools(arrayField(body, 'tools') ?? []);
  if (autoCache !== undefined && last !== undefined && 'cache' in last) last.cache ??= autoCache;
  return {
    system: textParts(decodeBlocks(body.system, 'system')),
    messages: decoded,
    tools: offeredTools(listed, messages, asString(choice?.name)),
    hostedTools: listed.hostedTools,
    toolChoice: decodeToolChoice(choice),
    parallelToolCalls: choice?.disable_parallel_tool_use === true ? false : undefined,
    maxOutputTokens: numberField(body, 'max_tokens'),
    temperature: numberField(body, 'temperature'),
    topP: numberField(body, 'top_p'),
    topK: numberField(body, 'top_k'),
    stop: decodeStop(body),
    responseFormat: decodeFormat(body),
    reasoning: decodeReasoning(body),
    serviceTier: stringField(body, 'service_tier'),
    user: stringField(objectField(body, 'metadata') ?? {}, 'user_id', 'metadata.user_id'),
  };
}

function decodeMessages(messages: readonly JsonValue[]): Message[] {
  const calls = new Map<string, string>();
  return messages.map((entry, index): Message => {
    const path = `messages[${index}]`;
    const message = requiredObject(entry, path);
    const { role } = message;
    if (role !== 'user' && role !== 'assistant' && role !== 'system') {
      throw new RequestFormatError(`${path}.role`, 'must be user, assistant or system');
    }
    const content = decodeBlocks(message.content, `${path}.content`);
    for (const part of content) {
      if (part.type === 'tool-call') calls.set(part.id, part.name);
      else if (part.type === 'tool-result') part.name = calls.get(part.callId);
    }
    return { role, content: role === 'system' ? textParts(content) : content };
  });
}

function textParts(parts: readonly ContentPart[]): TextPart[] {
  return parts.filter((part): part is TextPart => part.type === 'text');
}

const decodeTools = oncePerList((list: JsonValue[]): ListedTools => {
  const tools: ToolDefinition[] = [];
  const hostedTools: HostedTool[] = [];
  const deferred = new Set<string>();
  for (const [index, entry] of list.entries()) {
    const path = `tools[${index}]`;
    const tool = requiredObject(entry, path);
    const type = asString(tool.type) ?? 'custom';
    if (type !== 'custom') {
      hostedTools.push({ protocol: 'anthropic-messages', type, definition: tool });
      continue;
    }
    const name = requiredString(tool, 'name', `${path}.name`);
    if (tool.defer_loading === true) deferred.add(name);
    tools.push({
      name,
      description: stringField(tool, 'description', `${path}.description`),
      parameters: objectField(tool, 'input_schema', `${path}.input_schema`),
      strict: booleanField(tool, 'strict', `${path}.strict`),
      cache: decodeCache(tool),
    });
  }
  return { tools, hostedTools: hostedTools.length === 0 ? undefined : hostedTools, deferred };
});

function decodeToolChoice(choice: JsonObject | undefined): ToolChoice | undefined {
  switch (choice?.type) {
    case undefined: return undefined;
    case 'auto': return { type: 'auto' };
    case 'none': return { type: 'none' };
    case 'any': return { type: 'required' };
    case 'tool': return { type: 'tool', name: requiredString(choice ?? {}, 'name', 'tool_choice.name') };
    default: throw new RequestFormatError('tool_choice.type', 'must be auto, any, tool or none');
  }
}

function decodeStop(body: JsonObject): string[] | undefined {
  const stop = arrayField(body, 'stop_sequences') ?? [];
  if (!stop.every((entry) => typeof entry === 'string')) throw new RequestFormatError('stop_sequences', 'must be a list of strings');
  return stop.length === 0 ? undefined : stop;
}

/** `output_config.format`, or the `output_format` of the earlier beta. */
function decodeFormat(body: JsonObject): ResponseFormat | undefined {
  const config = objectField(body, 'output_config');
  const format = isObject(config?.format) ? config.format : isObject(body.output_format) ? body.output_format : undefined;
  if (format?.type !== 'json_schema' || !isObject(format.schema)) return undefined;
  return { type: 'json-schema', name: 'response', schema: format.schema, strict: true };
}

function decodeReasoning(body: JsonObject): ReasoningRequest | undefined {
  const effort = parseEffort(objectField(body, 'output_config')?.effort);
  const thinking = objectField(body, 'thinking');
  const visible = thinking?.display === 'summarized' ? true : thinking?.display === 'omitted' ? false : undefined;
  switch (thinking?.type) {
    case 'enabled': return { effort, budgetTokens: numberField(thinking ?? {}, 'budget_tokens', 'thinking.budget_tokens'), visible };
    case 'adaptive': return { effort, visible };
    case 'disabled':
    case 'between_tools': return { effort: 'none' };
    default: return effort === undefined ? undefined : { effort };
  }
}
