import { isObject, type JsonObject } from '../../../server/base/json.ts';
import { checkTools, contentText, list, pieces, Refused, sse, text, type Reply, type SeenTool, type TurnUsage, type Wire } from './wire.ts';

/** OpenAI Chat Completions. */
export const chatWire: Wire = {
  protocol: 'openai-chat',
  basePath: '/v1',
  matches: path => path === '/v1/chat/completions',
  fields: new Set([
    'model', 'messages', 'max_completion_tokens', 'temperature', 'top_p', 'stop', 'seed', 'frequency_penalty', 'presence_penalty', 'n', 'logprobs',
    'top_logprobs', 'response_format', 'reasoning_effort', 'tools', 'tool_choice', 'parallel_tool_calls', 'verbosity', 'service_tier', 'user',
    'prompt_cache_key', 'stream', 'stream_options', 'store', 'metadata',
  ]),
  read(body) {
    const tools = list(body.tools).map(readTool);
    checkTools(tools, /^[a-zA-Z0-9_-]{1,64}$/);
    return { model: text(body.model), stream: body.stream === true, tools, results: readResults(list(body.messages)), signatures: [] };
  },
  stream(reply) {
    const { turn, usage, request } = reply;
    const chunk = (delta: JsonObject, finish: string | null = null): string => sse({ ...head(reply), object: 'chat.completion.chunk', choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] });
    const calls = callsOf(reply);
    return [
      chunk({ role: 'assistant', content: '' }),
      ...pieces(turn.thinking ?? '').map(piece => chunk({ reasoning_content: piece })),
      ...pieces(turn.text ?? '').map(content => chunk({ content })),
      ...calls.flatMap((call, index) => [
        chunk({ tool_calls: [{ index, id: call.id, type: 'function', function: { name: call.function.name, arguments: '' } }] }),
        ...pieces(call.function.arguments).map(piece => chunk({ tool_calls: [{ index, function: { arguments: piece } }] })),
      ]),
      chunk({}, calls.length > 0 ? 'tool_calls' : 'stop'),
      sse({ ...head(reply), model: request.model, object: 'chat.completion.chunk', choices: [], usage: usageOf(usage) }),
      'data: [DONE]\n\n',
    ];
  },
  whole(reply) {
    const calls = callsOf(reply);
    const message = { role: 'assistant', content: reply.turn.text ?? null, ...(calls.length > 0 ? { tool_calls: calls } : {}) };
    return { ...head(reply), object: 'chat.completion', choices: [{ index: 0, message, logprobs: null, finish_reason: calls.length > 0 ? 'tool_calls' : 'stop' }], usage: usageOf(reply.usage) };
  },
  failure: (status, message) => ({ error: { message, type: status >= 500 ? 'server_error' : 'invalid_request_error', param: null, code: null } }),
};

function readTool(tool: JsonObject): SeenTool {
  const definition = isObject(tool.function) ? tool.function : isObject(tool.custom) ? tool.custom : undefined;
  if (definition === undefined) throw new Refused(`a tool of type ${JSON.stringify(tool.type)} is not known`);
  return { name: text(definition.name), kind: isObject(tool.custom) ? 'custom' : 'function', schema: isObject(definition.parameters) ? definition.parameters : undefined };
}

/** @throws Refused unless every call is answered at once, and every answer belongs to a call */
function readResults(messages: readonly JsonObject[]): string[] {
  const results: string[] = [];
  let open = new Set<string>();
  for (const message of messages) {
    if (message.role === 'tool') {
      if (!open.delete(text(message.tool_call_id))) throw new Refused(`a tool message answers no call: ${text(message.tool_call_id)}`);
      results.push(contentText(message.content));
      continue;
    }
    if (open.size > 0) throw new Refused(`calls without an answer: ${[...open].join(', ')}`);
    if (message.role === 'assistant') open = new Set(list(message.tool_calls).map(call => text(call.id)));
  }
  if (open.size > 0) throw new Refused(`calls without an answer: ${[...open].join(', ')}`);
  return results;
}

function head({ serial, request }: Reply): JsonObject {
  return { id: `chatcmpl-${serial}`, created: 1_790_000_000, model: request.model };
}

function callsOf({ turn, serial }: Reply): { id: string; type: string; function: { name: string; arguments: string } }[] {
  return (turn.calls ?? []).map(({ name, input }, index) => ({ id: `call_${serial}_${index}`, type: 'function', function: { name, arguments: JSON.stringify(input) } }));
}

function usageOf({ prompt, cached, output, reasoning }: TurnUsage): JsonObject {
  return { prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output, prompt_tokens_details: { cached_tokens: cached }, completion_tokens_details: { reasoning_tokens: reasoning } };
}
