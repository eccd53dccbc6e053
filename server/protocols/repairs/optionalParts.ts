import type { ProtocolName } from '../../api/conversation.ts';
import type { JsonObject } from '../../base/json.ts';

/** Top-level fields without which a request is another one: what they say is the caller's, and a refusal of them is reported as it is. */
const essentialOnTop: ReadonlySet<string> = new Set([
  'model', 'messages', 'input', 'contents', 'tools', 'functions', 'function_call', 'system', 'instructions', 'systemInstruction', 'system_instruction', 'prompt', 'stream',
  'anthropic_version', 'previous_response_id', 'conversation', 'background', 'modalities', 'audio', 'stop', 'stop_sequences', 'generationConfig', 'generation_config',
  'toolConfig', 'tool_config', 'response_format', 'text', 'cachedContent', 'cached_content', 'container', 'mcp_servers', 'output_format', 'output_config', 'web_search_options',
  // Of completions and embeddings: what is written, and the shape of what comes back.
  'suffix', 'echo', 'dimensions', 'output_dimension', 'output_dtype',
]);

/** Fields below the top that hold what was said, or tell what is what. */
const essentialBelow: ReadonlySet<string> = new Set([
  'type', 'role', 'content', 'text', 'id', 'name', 'description', 'input', 'arguments', 'args', 'parameters', 'input_schema', 'parametersJsonSchema', 'function',
  'functions', 'function_declarations', 'functionDeclarations', 'functionCall', 'functionResponse', 'response', 'output', 'tool_calls', 'tool_call_id', 'tool_use_id', 'call_id',
  'image_url', 'url', 'uri', 'source', 'data', 'media_type', 'mimeType', 'mime_type', 'inlineData', 'fileData', 'file', 'file_id', 'file_data', 'parts', 'thinking', 'signature',
  'schema', 'json_schema', 'format', 'custom', 'grammar', 'definition', 'syntax', 'filename', 'input_audio', 'encrypted_content', 'thoughtSignature', 'thought',
  'budget_tokens', 'responseSchema', 'response_schema', 'responseJsonSchema', 'responseMimeType', 'stopSequences', 'maxOutputTokens', 'candidateCount', 'responseModalities',
  'is_error', 'error', 'tool_choice', 'mode', 'allowed_tools', 'server_label', 'server_url', 'vector_store_ids', 'model', 'query', 'summary',
]);

/** Parameters that take words, of which a model may lack one and know the others. */
const wordParameters: ReadonlySet<string> = new Set([
  'reasoning_effort', 'effort', 'verbosity', 'service_tier', 'serviceTier', 'speed', 'thinkingLevel', 'thinking_level', 'ttl', 'prompt_cache_retention', 'truncation', 'detail', 'mediaResolution',
]);

/** Keywords of a JSON schema that narrow or describe it; without them the same shape is asked for. */
export const schemaKeywords: ReadonlySet<string> = new Set([
  '$schema', '$id', '$comment', 'additionalProperties', 'default', 'examples', 'title', 'format', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'exclusiveMinimum',
  'exclusiveMaximum', 'multipleOf', 'minItems', 'maxItems', 'uniqueItems', 'minProperties', 'maxProperties', 'propertyNames', 'deprecated', 'readOnly', 'writeOnly', 'contentEncoding',
  'contentMediaType', 'unevaluatedProperties', 'strict', 'propertyOrdering',
]);

/** Whether a request means the same without a top-level field. */
export function canLackOnTop(name: string, body: JsonObject, protocol: ProtocolName): boolean {
  if (essentialOnTop.has(name)) return false;
  if (name === 'max_tokens') return protocol !== 'anthropic-messages';
  if (name === 'n' || name === 'best_of') return body[name] === 1;
  // A caller that asks for base64 reads nothing else.
  if (name === 'encoding_format') return body.encoding_format === 'float';
  // Without it a model chooses by itself, as `auto` asks for.
  if (name === 'tool_choice') return isAuto(body.tool_choice);
  return true;
}

/** Whether a message or a tool means the same without a field. */
export function canLackBelow(name: string): boolean {
  return !essentialBelow.has(name);
}

/** Whether a single value of a parameter may be refused, while its others are known. */
export function mayDifferInValue(name: string): boolean {
  return wordParameters.has(name);
}

function isAuto(choice: unknown): boolean {
  return choice === 'auto' || (typeof choice === 'object' && choice !== null && 'type' in choice && choice.type === 'auto');
}
