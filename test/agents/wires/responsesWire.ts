import { isObject, type JsonObject, type JsonValue } from '../../../server/base/json.ts';
import { checkTools, contentText, list, pieces, Refused, sse, text, type Reply, type SeenTool, type TurnUsage, type Wire } from './wire.ts';

/** OpenAI Responses. */
export const responsesWire: Wire = {
  protocol: 'openai-responses',
  basePath: '/v1',
  matches: path => path === '/v1/responses',
  fields: new Set([
    'model', 'instructions', 'input', 'max_output_tokens', 'temperature', 'top_p', 'top_logprobs', 'text', 'reasoning', 'tools', 'tool_choice',
    'parallel_tool_calls', 'include', 'store', 'stream', 'service_tier', 'user', 'prompt_cache_key', 'metadata', 'truncation', 'safety_identifier',
  ]),
  read(body) {
    const items = list(body.input);
    // Codex may hand over its tools as an item of the conversation.
    const added = items.filter(item => item.type === 'additional_tools').flatMap(item => list(item.tools));
    const tools = [...list(body.tools), ...added].flatMap(readTool);
    checkTools(tools, /^[a-zA-Z0-9_-]{1,128}$/);
    const reasoning = items.filter(item => item.type === 'reasoning');
    return { model: text(body.model), stream: body.stream === true, tools, results: readResults(items), signatures: reasoning.map(item => text(item.encrypted_content)) };
  },
  stream(reply) {
    let sequence = 0;
    const event = (type: string, fields: JsonObject): string => sse({ type, ...fields, sequence_number: sequence++ }, type);
    return [
      event('response.created', { response: responseOf(reply, 'in_progress') }),
      event('response.in_progress', { response: responseOf(reply, 'in_progress') }),
      ...itemsOf(reply).flatMap((item, index) => itemEvents(item, index, event)),
      event('response.completed', { response: responseOf(reply, 'completed') }),
    ];
  },
  whole: reply => responseOf(reply, 'completed'),
  failure: (status, message) => ({ error: { message, type: status >= 500 ? 'server_error' : 'invalid_request_error', param: null, code: null } }),
};

function readTool(tool: JsonObject): SeenTool[] {
  switch (tool.type) {
    case 'function': return [{ name: text(tool.name), kind: 'function', schema: isObject(tool.parameters) ? tool.parameters : undefined }];
    case 'custom': return [{ name: text(tool.name), kind: 'custom', schema: undefined }];
    // Calls name the tool and its namespace apart; the script calls only those of the namespace that stands for none.
    case 'namespace': return list(tool.tools).flatMap(readTool).map(inner => (tool.name === 'functions' ? inner : { ...inner, name: `${text(tool.name)}__${inner.name}` }));
    case 'web_search': case 'image_generation': case 'tool_search': return [];
    default: throw new Refused(`a tool of type ${JSON.stringify(tool.type)} is not known`);
  }
}

/** @throws Refused unless every call has an output and every output a call */
function readResults(items: readonly JsonObject[]): string[] {
  const results: string[] = [];
  const open = new Set<string>();
  for (const item of items) {
    if (item.type === 'function_call' || item.type === 'custom_tool_call') open.add(text(item.call_id));
    if (item.type !== 'function_call_output' && item.type !== 'custom_tool_call_output') continue;
    if (!open.delete(text(item.call_id))) throw new Refused(`No tool call found for function call output with call_id ${text(item.call_id)}.`);
    results.push(contentText(item.output));
  }
  if (open.size > 0) throw new Refused(`No tool output found for function call ${[...open].join(', ')}.`);
  return results;
}

function itemsOf({ turn, serial, signature }: Reply): JsonObject[] {
  return [
    ...(turn.thinking === undefined ? [] : [{ id: `rs_${serial}`, type: 'reasoning', summary: [{ type: 'summary_text', text: turn.thinking }], encrypted_content: signature }]),
    ...(turn.text === undefined ? [] : [{ id: `msg_${serial}`, type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: turn.text, annotations: [], logprobs: [] }] }]),
    ...(turn.calls ?? []).map(({ name, input }, index): JsonObject => (typeof input === 'string'
      ? { id: `ctc_${serial}_${index}`, type: 'custom_tool_call', status: 'completed', call_id: `call_${serial}_${index}`, name, input }
      : { id: `fc_${serial}_${index}`, type: 'function_call', status: 'completed', call_id: `call_${serial}_${index}`, name, arguments: JSON.stringify(input) })),
  ];
}

function itemEvents(item: JsonObject, index: number, event: (type: string, fields: JsonObject) => string): string[] {
  const at = { item_id: text(item.id), output_index: index };
  const empty: Record<string, JsonValue> = item.type === 'message' ? { content: [], status: 'in_progress' } : item.type === 'reasoning' ? { summary: [] } : item.type === 'function_call' ? { arguments: '', status: 'in_progress' } : { input: '', status: 'in_progress' };
  const { encrypted_content: _hidden, ...visible } = item;
  return [
    event('response.output_item.added', { output_index: index, item: { ...visible, ...empty } }),
    ...contentEvents(item, at, event),
    event('response.output_item.done', { output_index: index, item }),
  ];
}

function contentEvents(item: JsonObject, at: JsonObject, event: (type: string, fields: JsonObject) => string): string[] {
  switch (item.type) {
    case 'message': {
      const part = list(item.content)[0] ?? {};
      const where = { ...at, content_index: 0 };
      return [
        event('response.content_part.added', { ...where, part: { ...part, text: '' } }),
        ...pieces(text(part.text)).map(delta => event('response.output_text.delta', { ...where, delta, logprobs: [] })),
        event('response.output_text.done', { ...where, text: text(part.text), logprobs: [] }),
        event('response.content_part.done', { ...where, part }),
      ];
    }
    case 'reasoning': {
      const part = list(item.summary)[0] ?? {};
      const where = { ...at, summary_index: 0 };
      return [
        event('response.reasoning_summary_part.added', { ...where, part: { ...part, text: '' } }),
        ...pieces(text(part.text)).map(delta => event('response.reasoning_summary_text.delta', { ...where, delta })),
        event('response.reasoning_summary_text.done', { ...where, text: text(part.text) }),
        event('response.reasoning_summary_part.done', { ...where, part }),
      ];
    }
    case 'function_call':
      return [...pieces(text(item.arguments)).map(delta => event('response.function_call_arguments.delta', { ...at, delta })), event('response.function_call_arguments.done', { ...at, arguments: text(item.arguments) })];
    default:
      return [...pieces(text(item.input)).map(delta => event('response.custom_tool_call_input.delta', { ...at, delta })), event('response.custom_tool_call_input.done', { ...at, input: text(item.input) })];
  }
}

function responseOf(reply: Reply, status: string): JsonObject {
  const done = status === 'completed';
  return {
    id: `resp_${reply.serial}`, object: 'response', created_at: 1_790_000_000, status, model: reply.request.model, error: null, incomplete_details: null,
    output: done ? itemsOf(reply) : [], parallel_tool_calls: true, tool_choice: 'auto', tools: [], usage: done ? usageOf(reply.usage) : null,
  };
}

function usageOf({ prompt, cached, output, reasoning }: TurnUsage): JsonObject {
  return { input_tokens: prompt, input_tokens_details: { cached_tokens: cached }, output_tokens: output, output_tokens_details: { reasoning_tokens: reasoning }, total_tokens: prompt + output };
}
