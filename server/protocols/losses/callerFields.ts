import type { ProtocolName } from '../../api/conversation.ts';

/** The top-level fields of each protocol that a translation reads, and those that only say how to answer. Any other is lost by it. */
const read: Readonly<Record<ProtocolName, ReadonlySet<string>>> = {
  'openai-chat': new Set([
    'model', 'messages', 'stream', 'stream_options', 'store', 'tools', 'tool_choice', 'functions', 'function_call', 'parallel_tool_calls', 'max_completion_tokens', 'max_tokens', 'temperature', 'top_p', 'top_k', 'stop', 'seed', 'random_seed',
    'frequency_penalty', 'presence_penalty', 'n', 'logprobs', 'top_logprobs', 'response_format', 'reasoning_effort', 'reasoning', 'thinking', 'verbosity', 'service_tier', 'safety_identifier', 'user', 'prompt_cache_key', 'web_search_options',
  ]),
  'openai-responses': new Set([
    'model', 'input', 'stream', 'stream_options', 'store', 'instructions', 'tools', 'tool_choice', 'parallel_tool_calls', 'max_output_tokens', 'temperature', 'top_p', 'top_logprobs', 'include', 'text', 'reasoning', 'service_tier', 'safety_identifier', 'user',
    'prompt_cache_key', 'metadata', 'truncation', 'previous_response_id', 'conversation', 'prompt', 'background',
  ]),
  'anthropic-messages': new Set([
    'model', 'messages', 'stream', 'system', 'max_tokens', 'tools', 'tool_choice', 'temperature', 'top_p', 'top_k', 'stop_sequences', 'output_config', 'output_format', 'thinking', 'service_tier', 'metadata', 'cache_control', 'thread',
  ]),
  'gemini': new Set([
    'model', 'contents', 'systemInstruction', 'system_instruction', 'tools', 'toolConfig', 'tool_config', 'generationConfig', 'generation_config', 'cachedContent', 'cached_content', 'serviceTier', 'service_tier', 'continuationToken', 'continuation_token',
  ]),
};

const nameShape = /^[A-Za-z][\w.-]{0,63}$/;

/** Says which fields of a caller's body a translation cannot carry. @param fields names of the top level */
export function addUnreadFields(protocol: ProtocolName, fields: Iterable<string>, changes: Set<string>): void {
  const known = read[protocol];
  // A name that is none may be any text of the caller's.
  for (const name of fields) if (!known.has(name)) changes.add(`${nameShape.test(name) ? name : 'another field'} was left out`);
}
