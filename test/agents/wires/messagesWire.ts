import { isObject, type JsonObject } from '../../../server/base/json.ts';
import { checkTools, contentText, list, pieces, Refused, sse, text, type Reply, type TurnUsage, type Wire } from './wire.ts';

/** Anthropic Messages. */
export const messagesWire: Wire = {
  protocol: 'anthropic-messages',
  basePath: '',
  matches: path => path === '/v1/messages',
  fields: new Set([
    'model', 'max_tokens', 'messages', 'system', 'tools', 'tool_choice', 'temperature', 'top_p', 'top_k', 'stop_sequences', 'thinking', 'output_config',
    'metadata', 'service_tier', 'stream',
  ]),
  read(body) {
    if (typeof body.max_tokens !== 'number') throw new Refused('max_tokens: Field required');
    const tools = list(body.tools).filter(tool => isObject(tool.input_schema)).map(tool => ({ name: text(tool.name), kind: 'function' as const, schema: tool.input_schema as JsonObject }));
    checkTools(tools, /^[a-zA-Z0-9_-]{1,128}$/);
    checkBreakpoints(body);
    const messages = list(body.messages);
    const thoughts = messages.flatMap(message => list(message.content)).filter(block => block.type === 'thinking');
    return { model: text(body.model), stream: body.stream === true, tools, results: readResults(messages), signatures: thoughts.map(block => text(block.signature)) };
  },
  stream(reply) {
    const { usage } = reply;
    const blocks = blocksOf(reply);
    return [
      sse({ type: 'message_start', message: { ...head(reply), content: [], stop_reason: null, stop_sequence: null, usage: { ...usageOf(usage), output_tokens: 1, output_tokens_details: null } } }, 'message_start'),
      sse({ type: 'ping' }, 'ping'),
      ...blocks.flatMap((block, index) => blockEvents(block, index)),
      sse({ type: 'message_delta', delta: { stop_reason: stopReason(reply), stop_sequence: null }, usage: usageOf(usage) }, 'message_delta'),
      sse({ type: 'message_stop' }, 'message_stop'),
    ];
  },
  whole: reply => ({ ...head(reply), content: blocksOf(reply), stop_reason: stopReason(reply), stop_sequence: null, usage: usageOf(reply.usage) }),
  failure: (status, message) => ({ type: 'error', error: { type: status === 529 ? 'overloaded_error' : status >= 500 ? 'api_error' : 'invalid_request_error', message } }),
};

/** @throws Refused when there are more than the four that are allowed */
function checkBreakpoints(body: JsonObject): void {
  const count = JSON.stringify(body).split('"cache_control":{').length - 1;
  if (count > 4) throw new Refused(`A maximum of 4 blocks with cache_control may be provided. Found ${count}.`);
}

/** @throws Refused unless the message behind a call begins with the answers to all calls */
function readResults(messages: readonly JsonObject[]): string[] {
  if (messages[0]?.role !== 'user') throw new Refused('messages: first message must use the "user" role');
  const results: string[] = [];
  let open = new Set<string>();
  for (const message of messages) {
    const blocks = list(message.content);
    if (typeof message.content !== 'string' && blocks.length === 0) throw new Refused('messages: content must not be empty');
    for (const block of blocks) {
      if (block.type === 'text' && text(block.text).trim() === '') throw new Refused('messages: text content blocks must be non-empty');
      if (block.type !== 'tool_result') {
        if (open.size > 0) throw new Refused(`tool_use ids were found without tool_result blocks immediately after: ${[...open].join(', ')}`);
        continue;
      }
      if (!open.delete(text(block.tool_use_id))) throw new Refused(`unexpected tool_use_id found in tool_result blocks: ${text(block.tool_use_id)}`);
      results.push(contentText(block.content));
    }
    if (open.size > 0) throw new Refused(`tool_use ids were found without tool_result blocks immediately after: ${[...open].join(', ')}`);
    open = new Set(blocks.filter(block => block.type === 'tool_use').map(block => text(block.id)));
  }
  if (open.size > 0) throw new Refused(`tool_use ids were found without tool_result blocks: ${[...open].join(', ')}`);
  return results;
}

function head({ serial, request }: Reply): JsonObject {
  return { id: `msg_${serial}`, type: 'message', role: 'assistant', model: request.model };
}

function blocksOf({ turn, serial, signature }: Reply): JsonObject[] {
  return [
    ...(turn.thinking === undefined ? [] : [{ type: 'thinking', thinking: turn.thinking, signature }]),
    ...(turn.text === undefined ? [] : [{ type: 'text', text: turn.text }]),
    ...(turn.calls ?? []).map(({ name, input }, index) => ({ type: 'tool_use', id: `toolu_${serial}_${index}`, name, input })),
  ];
}

function blockEvents(block: JsonObject, index: number): string[] {
  const delta = (content: JsonObject): string => sse({ type: 'content_block_delta', index, delta: content }, 'content_block_delta');
  const begun = { ...block, ...('text' in block ? { text: '' } : 'thinking' in block ? { thinking: '', signature: '' } : { input: {} }) };
  const deltas = block.type === 'text' ? pieces(text(block.text)).map(piece => delta({ type: 'text_delta', text: piece }))
    : block.type === 'thinking' ? [...pieces(text(block.thinking)).map(piece => delta({ type: 'thinking_delta', thinking: piece })), delta({ type: 'signature_delta', signature: text(block.signature) })]
      : pieces(JSON.stringify(block.input)).map(piece => delta({ type: 'input_json_delta', partial_json: piece }));
  return [sse({ type: 'content_block_start', index, content_block: begun }, 'content_block_start'), ...deltas, sse({ type: 'content_block_stop', index }, 'content_block_stop')];
}

function stopReason({ turn }: Reply): string {
  return (turn.calls ?? []).length > 0 ? 'tool_use' : 'end_turn';
}

function usageOf({ prompt, cached, output, reasoning }: TurnUsage): JsonObject {
  return { input_tokens: prompt - cached, cache_read_input_tokens: cached, cache_creation_input_tokens: 0, output_tokens: output, output_tokens_details: { thinking_tokens: reasoning } };
}
