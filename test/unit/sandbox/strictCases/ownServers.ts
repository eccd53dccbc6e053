import type { JsonObject } from '../../../../server/base/json.ts';
import type { StrictProviderId } from '../../../../server/sandbox/strict/strictProviders.ts';
import { chatTool, call as calling, user, type StrictCase } from '../strictCases.ts';

const using = (...thinking: JsonObject[]): JsonObject[] => [user, { role: 'assistant', content: [...thinking, { type: 'tool_use', id: 'c', name: 'f', input: {} }] }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c', content: 'x' }] }];
const showing = (url: string): JsonObject => ({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] });
const reading: JsonObject = { messages: [{ role: 'user', content: [{ type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0x' } }] }] };
const named = (model: string, more: JsonObject): JsonObject => ({ model, ...more });

/** A request that names its model otherwise, so that the harmless request of the same case names it as well. */
export function ownServerModels(provider: StrictProviderId, more: JsonObject): JsonObject {
  return typeof more.model === 'string' && !unknown.has(more.model) ? { model: more.model } : provider === 'openrouter' ? { model: 'openai/gpt-4o' } : provider === 'waybill' ? { model: 'chat' } : provider === 'vllm' || provider === 'ollama' ? { model: 'qwen3-vl-8b' } : {};
}

const unknown = new Set(['nothing-of-that-name', 'gpt-4o']);
const long = 'word '.repeat(40_000);

export const ownServerCases: readonly StrictCase[] = [
  ['vllm', 'openai-chat', 'qwen3-vl-8b', named('nothing-of-that-name', {}), /The model `nothing-of-that-name` does not exist/, 404],
  ['vllm', 'openai-chat', 'llama2-13b', named('llama2-13b', { tools: [chatTool('f')] }), /"auto" tool choice requires --enable-auto-tool-choice/],
  ['vllm', 'openai-chat', 'qwen3-vl-8b', named('qwen3-vl-8b', { tools: [] }), /`tools` must not be an empty array/],
  ['vllm', 'openai-chat', 'qwen3-vl-8b', named('qwen3-vl-8b', { tool_choice: 'auto' }), /When using `tool_choice`, `tools` must be set/],
  ['vllm', 'openai-chat', 'qwen3-vl-8b', named('qwen3-vl-8b', reading), /Unknown part type: file/],
  ['vllm', 'openai-chat', 'qwen3-vl-8b', named('qwen3-vl-8b', { max_tokens: 40_000 }), /'max_tokens' or 'max_completion_tokens' is too large: 40000. This model's maximum context length is 32768 tokens/],
  ['vllm', 'openai-chat', 'devstral-small-2', named('devstral-small-2', { messages: [...calling('c'), user] }), /roles must alternate user and assistant roles except for tool calls/],
  ['sglang', 'openai-chat', 'qwen3-vl-8b', { tool_choice: 'required' }, /Tools cannot be empty if tool choice is set to required/],
  ['sglang', 'openai-chat', 'qwen3-vl-8b', { max_tokens: 40_000 }, /max_completion_tokens is too large: 40000.This model supports at most 32768/],
  ['sglang', 'openai-chat', 'qwen3-vl-8b', { messages: [{ role: 'user', content: long }] }, /is longer than the model's context length \(32768 tokens\)/],
  ['sglang', 'openai-chat', 'qwen3-vl-8b', reading, /Input should be 'text', 'image_url'/],
  ['sglang', 'anthropic-messages', 'qwen3-vl-8b', { thinking: { type: 'adaptive' } }, /Input should be 'enabled' or 'disabled'/],
  ['sglang', 'anthropic-messages', 'qwen3-vl-8b', { messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' } }] }] }, /Input should be 'text', 'image', 'tool_use'/],
  ['llamacpp', 'openai-chat', 'qwen3-vl-8b', showing('data:image/webp;base64,UklGRg=='), /Failed to load image or audio file/],
  ['llamacpp', 'openai-chat', 'llama2-13b', showing('data:image/png;base64,iVBORw0KGgo='), /you may need to provide the mmproj/, 500],
  ['llamacpp', 'openai-chat', 'qwen3-vl-8b', reading, /unsupported content\[\].type/],
  ['llamacpp', 'openai-chat', 'qwen3.5-35b-a3b', { messages: [user, { role: 'assistant', content: 'It' }] }, /prefill is incompatible with enable_thinking/],
  ['llamacpp', 'openai-chat', 'qwen3.5-35b-a3b', { messages: [user, { role: 'system', content: 'be brief' }] }, /Jinja Exception: System message must be at the beginning/, 500],
  ['llamacpp', 'openai-chat', 'gemma3-12b', { messages: [user, user] }, /Jinja Exception: .*roles must alternate/, 500],
  ['llamacpp', 'openai-chat', 'qwen3-vl-8b', { stream: true, logprobs: true, tools: [chatTool('f')] }, /logprobs is not supported with tools \+ stream/],
  ['llamacpp', 'openai-chat', 'qwen3-vl-8b', { messages: [{ role: 'user', content: long }] }, /exceeds the available context size \(32768 tokens\)/],
  ['ollama', 'openai-chat', 'qwen3-vl-8b', named('nothing-of-that-name', {}), /model 'nothing-of-that-name' not found/, 404],
  ['ollama', 'openai-chat', 'llama2-13b', named('llama2-13b', { tools: [chatTool('f')] }), /llama2-13b does not support tools/],
  ['ollama', 'openai-chat', 'qwen3-vl-8b', named('qwen3-vl-8b', { reasoning_effort: 'xhigh' }), /invalid reasoning value: 'xhigh'/],
  ['ollama', 'openai-chat', 'qwen3-vl-8b', named('qwen3-vl-8b', showing('https://a.test/a.png')), /invalid image input/],
  ['ollama', 'openai-chat', 'qwen3-vl-8b', named('qwen3-vl-8b', showing('data:image/gif;base64,R0lGOD==')), /invalid image input/],
  ['ollama', 'openai-chat', 'qwen3-vl-8b', named('qwen3-vl-8b', reading), /invalid message format/],
  ['ollama', 'anthropic-messages', 'qwen3-vl-8b', named('qwen3-vl-8b', { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'https://a.test/a.png' } }] }] }), /Only base64 images are supported/],
  ['lmstudio', 'openai-chat', 'qwen3-vl-8b', { tools: [chatTool('f')], tool_choice: { type: 'function', function: { name: 'f' } } }, /Invalid tool_choice type: 'object'/],
  ['lmstudio', 'openai-chat', 'qwen3-vl-8b', { response_format: { type: 'json_object' } }, /must be 'json_schema' or 'text'/],
  ['lmstudio', 'openai-chat', 'qwen3-vl-8b', showing('data:image/webp;base64,UklGRg=='), /must be a base64 encoded image/],
  ['lmstudio', 'openai-chat', 'qwen3-vl-8b', { messages: [{ role: 'user', content: long }] }, /loaded with context length of only 32768 tokens/],
  ['lmstudio', 'openai-responses', 'qwen3-vl-8b', { text: { verbosity: 'low' } }, /Required/],
  ['deepseek', 'anthropic-messages', 'deepseek-flash', { messages: using() }, /`content\[\].thinking` in the thinking mode must be passed back/],
  ['deepseek', 'anthropic-messages', 'deepseek-flash', { messages: using({ type: 'redacted_thinking', data: 'x' }) }, /unknown variant `redacted_thinking`/],
  ['deepseek', 'anthropic-messages', 'deepseek-flash', { tools: [{ name: 'f', input_schema: { type: 'object' } }], tool_choice: { type: 'any' } }, /Thinking mode does not support this tool_choice/],
  ['openrouter', 'openai-chat', 'gpt-4o', named('gpt-4o', {}), /gpt-4o is not a valid model ID/],
  ['openrouter', 'openai-chat', 'gpt-4o', named('openai/gpt-4o', { messages: calling('c'.repeat(41)) }), /Provider returned error/],
  ['openrouter', 'openai-chat', 'gemma-2-9b-it', named('google/gemma-2-9b-it', { tools: [chatTool('f')] }), /No endpoints found that support tool use/, 404],
  ['openrouter', 'openai-chat', 'qwen3-coder', named('qwen/qwen3-coder', showing('data:image/png;base64,iVBORw0KGgo=')), /No endpoints found that support image input/, 404],
  ['openrouter', 'openai-chat', 'claude-opus-4.8', named('anthropic/claude-opus-4.8', { messages: [user, { role: 'assistant', content: 'It' }] }), /Provider returned error/],
  ['openrouter', 'anthropic-messages', 'claude-opus-4.8', named('anthropic/claude-opus-4.8', { temperature: 0.5 }), /`temperature` is deprecated/],
  ['holysheep', 'openai-chat', 'claude-sonnet-4.5', { messages: calling('functions.f:0') }, /String should match pattern/],
  ['holysheep', 'openai-chat', 'gemini-2.5-flash', showing('data:image/gif;base64,R0lGOD=='), /Unsupported MIME type: image\/gif/],
  ['holysheep', 'anthropic-messages', 'claude-sonnet-4-5', { temperature: 0.5, top_p: 0.5 }, /cannot both be specified/],
  ['litellm', 'openai-chat', 'claude-sonnet-4-5', { seed: 7 }, /UnsupportedParamsError: anthropic does not support parameters: \["seed"\]/],
  ['litellm', 'openai-chat', 'gpt-4o', { tools: [chatTool('a.b')] }, /litellm.BadRequestError: OpenAIException - Invalid 'tools\[0\].function.name'/],
  ['litellm', 'anthropic-messages', 'claude-opus-4-8', { top_k: 4 }, /AnthropicException - `top_k` is deprecated/],
  ['waybill', 'openai-chat', 'chat', named('nothing-of-that-name', {}), /Nothing is named "nothing-of-that-name"/, 404],
  ['waybill', 'openai-responses', 'chat', named('chat', { previous_response_id: 'resp_1' }), /previous_response_id/],
  ['waybill', 'anthropic-messages', 'chat', named('chat', { thread: { id: 't' } }), /threads are not supported/],
  ['waybill', 'gemini', 'chat', { contents: 'hi' }, /must be a list/],
];
