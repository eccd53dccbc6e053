import { isObject, type JsonObject, type JsonValue } from '../../../../server/base/json.ts';

/*
 * What Bedrock refuses in bodies. Sources: the API reference (Converse, InvokeModel, ToolSpecification, ToolUseBlock, ToolResultBlock,
 * DocumentBlock, InferenceConfiguration), "Supported models and model features", "Prompt caching", and public reports of its
 * wordings: anthropics/claude-code#49370, #49648 (beta flags), BerriAI/litellm#19875. Read 2026-11-27.
 */

const claudeKeys = new Set([
  'anthropic_version', 'anthropic_beta', 'max_tokens', 'system', 'messages', 'temperature', 'top_p', 'top_k', 'tools', 'tool_choice', 'stop_sequences', 'thinking',
  'output_config', 'metadata', 'context_management',
]);
const knownBetas = new Set([
  'computer-use-2025-01-24', 'token-efficient-tools-2025-02-19', 'interleaved-thinking-2025-05-14', 'output-128k-2025-02-19', 'context-1m-2025-08-07',
  'context-management-2025-06-27', 'effort-2025-11-24', 'tool-search-tool-2025-10-19', 'claude-code-20250219',
]);
const ids = /^[a-zA-Z0-9_-]{1,64}$/;

function listOf(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(entry => isObject(entry)) : [];
}

/** Why a body for Claude is refused, in Bedrock's words; undefined where it is not. */
export function invokeRefusal(body: JsonObject): string | undefined {
  if (body.anthropic_version !== 'bedrock-2023-05-31') return 'anthropic_version: Field required';
  for (const key of Object.keys(body)) if (!claudeKeys.has(key)) return `#: extraneous key [${key}] is not permitted, please reformat your input and try again.`;
  if (typeof body.max_tokens !== 'number') return 'max_tokens: Field required';
  if (body.anthropic_beta !== undefined && (!Array.isArray(body.anthropic_beta) || body.anthropic_beta.some(name => !knownBetas.has(String(name))))) return 'The model returned the following errors: invalid beta flag';
  for (const tool of listOf(body.tools)) {
    if (tool.input_schema === undefined) return `tools.0: Input tag '${String(tool.type)}' found using 'type' does not match any of the expected tags`;
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(String(tool.name))) return "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'";
  }
  for (const message of listOf(body.messages)) {
    for (const block of listOf(message.content)) {
      if (block.type === 'text' && String(block.text).trim() === '') return 'messages: text content blocks must contain non-whitespace text';
      if (block.type === 'tool_use' && !/^[a-zA-Z0-9_-]+$/.test(String(block.id))) return "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'";
      if (block.type === 'image' && isObject(block.source) && block.source.type !== 'base64') return 'messages.0.content.0.image.source.base64: Field required';
    }
  }
  return undefined;
}

const converseKeys = new Set(['messages', 'system', 'inferenceConfig', 'toolConfig', 'additionalModelRequestFields', 'guardrailConfig', 'performanceConfig', 'requestMetadata', 'serviceTier', 'outputConfig']);
const blockKinds = new Set(['text', 'image', 'document', 'toolUse', 'toolResult', 'cachePoint', 'reasoningContent']);

/** Why a body for Converse is refused; undefined where it is not. @param model the id in the path */
export function converseRefusal(body: JsonObject, model: string, stream: boolean): string | undefined {
  if (stream && body.toolConfig !== undefined && /llama/.test(model)) return 'This model doesn\'t support tool use in streaming mode.';
  for (const key of Object.keys(body)) if (!converseKeys.has(key)) return `Unexpected field ${key}`;
  const rich = /claude|nova/.test(model);
  const messages = listOf(body.messages);
  if (messages[0]?.role !== 'user') return 'A conversation must start with a user message. Try again with a conversation that starts with a user message.';
  if (messages.at(-1)?.role !== 'user' && !rich) return 'This model doesn\'t support conversations that end with an assistant message.';
  let waiting: string[] = [];
  let usesTools = false;
  const names = new Set<string>();
  for (const [index, message] of messages.entries()) {
    if (index > 0 && message.role === messages[index - 1]?.role) return 'A conversation must alternate between user and assistant roles.';
    const blocks = listOf(message.content);
    if (blocks.length === 0) return `The content field in the Message object at messages.${index} is empty. Add a ContentBlock object to the content field and try again.`;
    const results = blocks.flatMap(block => (isObject(block.toolResult) ? [String(block.toolResult.toolUseId)] : []));
    if (waiting.some(id => !results.includes(id))) return `Expected toolResult blocks at messages.${index}.content for the following Ids: ${waiting.join(', ')}`;
    if (results.some(id => !waiting.includes(id))) return `The number of toolResult blocks at messages.${index}.content exceeds the number of toolUse blocks of previous turn.`;
    waiting = [];
    for (const block of blocks) {
      const refusal = blockRefusal(block, message.role === 'user', rich, names);
      if (refusal !== undefined) return refusal;
      if (block.toolUse !== undefined || block.toolResult !== undefined) usesTools = true;
      if (isObject(block.toolUse)) waiting.push(String(block.toolUse.toolUseId));
    }
    if (blocks.some(block => block.document !== undefined) && !blocks.some(block => block.text !== undefined)) return 'A text block is required with documents.';
  }
  for (const block of listOf(body.system)) {
    if (block.cachePoint !== undefined && !rich) return 'You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more information.';
    if (block.text !== undefined && String(block.text).trim() === '') return 'The text field in the SystemContentBlock object is blank.';
  }
  const config = isObject(body.toolConfig) ? body.toolConfig : undefined;
  if (usesTools && config === undefined) return 'The toolConfig field must be defined when using toolUse and toolResult content blocks.';
  return (config === undefined ? undefined : toolRefusal(config, model)) ?? inferenceRefusal(isObject(body.inferenceConfig) ? body.inferenceConfig : {});
}

function blockRefusal(block: JsonObject, isUser: boolean, rich: boolean, names: Set<string>): string | undefined {
  const [kind = '', ...others] = Object.keys(block);
  if (!blockKinds.has(kind) || others.length > 0) return `The ContentBlock object must set exactly one of its members, not ${Object.keys(block).join(', ')}.`;
  if (block.text !== undefined && String(block.text).trim() === '') return 'The text field in the ContentBlock object is blank. Add text to the text field, and try again.';
  if (block.cachePoint !== undefined && !rich) return 'You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more information.';
  if (block.reasoningContent !== undefined) return 'This model doesn\'t support the reasoningContent content block.';
  if (!isUser && (block.image !== undefined || block.document !== undefined || block.toolResult !== undefined)) return 'The assistant message cannot hold this content block.';
  if (isObject(block.image)) {
    const { format, source } = block.image;
    if (!['png', 'jpeg', 'gif', 'webp'].includes(String(format)) || !isObject(source) || typeof source.bytes !== 'string') return 'The image is not valid.';
  }
  if (isObject(block.document)) {
    const { name } = block.document;
    if (!/^[A-Za-z0-9()[\]-]+(?: [A-Za-z0-9()[\]-]+)*$/.test(String(name))) return 'The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets. The name can\'t contain more than one consecutive whitespace character.';
    if (names.has(String(name))) return 'Messages contain duplicate document names.';
    names.add(String(name));
  }
  const { toolUse, toolResult } = block;
  if (isObject(toolUse)) {
    if (!ids.test(String(toolUse.toolUseId))) return `Value '${String(toolUse.toolUseId)}' at 'messages.1.member.content.1.member.toolUse.toolUseId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+`;
    if (!ids.test(String(toolUse.name))) return 'toolUse.name failed to satisfy constraint: Member must have length less than or equal to 64';
    if (!isObject(toolUse.input)) return 'The format of the value at toolUse.input is invalid. Provide a json object for the field and try again.';
  }
  if (isObject(toolResult)) {
    if (!ids.test(String(toolResult.toolUseId))) return 'toolResult.toolUseId failed to satisfy constraint';
    if (toolResult.status !== undefined && !rich) return 'This model doesn\'t support the status field in ToolResultBlock.';
    const content = listOf(toolResult.content);
    if (content.length === 0 || content.some(entry => entry.text !== undefined && String(entry.text).trim() === '')) return 'The content field in the ToolResultBlock is blank.';
    if (!rich && content.some(entry => entry.text === undefined && entry.json === undefined)) return 'This model doesn\'t support images or documents in tool results.';
  }
  return undefined;
}

function toolRefusal({ tools, toolChoice }: JsonObject, model: string): string | undefined {
  for (const { toolSpec, cachePoint } of listOf(tools)) {
    if (cachePoint !== undefined && !model.includes('claude')) return 'You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more information.';
    if (!isObject(toolSpec)) continue;
    if (!ids.test(String(toolSpec.name))) return 'toolConfig.tools.1.member.toolSpec.name failed to satisfy constraint: Member must have length less than or equal to 64';
    if (toolSpec.description === '') return 'toolSpec.description failed to satisfy constraint: Member must have length greater than or equal to 1';
    const json = isObject(toolSpec.inputSchema) ? toolSpec.inputSchema.json : undefined;
    if (!isObject(json) || json.type !== 'object') return 'The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of the following: object.';
  }
  if (!isObject(toolChoice)) return undefined;
  if (toolChoice.any !== undefined && !/claude|nova|mistral/.test(model)) return 'This model doesn\'t support the toolConfig.toolChoice.any field. Remove toolConfig.toolChoice.any and try again.';
  if (toolChoice.tool !== undefined && !/claude|nova/.test(model)) return 'This model doesn\'t support the toolConfig.toolChoice.tool field. Remove toolConfig.toolChoice.tool and try again.';
  return undefined;
}

function inferenceRefusal({ temperature, topP, maxTokens, ...others }: JsonObject): string | undefined {
  if (Object.keys(others).some(key => key !== 'stopSequences')) return 'inferenceConfig has a field that is not known';
  if (typeof temperature === 'number' && (temperature < 0 || temperature > 1)) return 'Value at \'inferenceConfig.temperature\' failed to satisfy constraint: Member must have value less than or equal to 1';
  if (typeof topP === 'number' && (topP < 0 || topP > 1)) return 'Value at \'inferenceConfig.topP\' failed to satisfy constraint: Member must have value less than or equal to 1';
  if (maxTokens !== undefined && (typeof maxTokens !== 'number' || maxTokens < 1)) return 'Value at \'inferenceConfig.maxTokens\' failed to satisfy constraint: Member must have value greater than or equal to 1';
  return undefined;
}
