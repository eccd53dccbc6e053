import type { ProtocolName } from '../../server/api/conversation.ts';
import { contentEvent, kilobyte, lastEvents, manyTools, offeredTools, roleEvent, sourceText, turnChunks, upstreamModel, type OfferedTool } from './traffic.ts';

/** One agent's turn in each protocol: the same conversation, tools and answer, in the form that the protocol gives them. */

const turnBytes = 64 * kilobyte;
const maxOutputTokens = 4096;
const question = 'Why does the second test fail?';
/** Of the results of tools before the last, whose length makes the body as long as all others. */
const resultBytes = 6 * kilobyte;
const results = 3;

/** Where a streamed request is sent. */
export function callPath(protocol: ProtocolName, model: string): string {
  switch (protocol) {
    case 'openai-chat': return '/v1/chat/completions';
    case 'openai-responses': return '/v1/responses';
    case 'anthropic-messages': return '/v1/messages';
    case 'gemini': return `/v1beta/models/${model}:streamGenerateContent?alt=sse`;
  }
}

/** The protocol of a call, from the head of its request. */
export function protocolOfCall(head: string): ProtocolName {
  if (head.startsWith('POST /v1/messages')) return 'anthropic-messages';
  if (head.startsWith('POST /v1/responses')) return 'openai-responses';
  return head.startsWith('POST /v1beta/') ? 'gemini' : 'openai-chat';
}

/** A streamed request of 64 KB with 50 tools and results of tools. @param model the name that the receiver routes by */
export function toolTurnBody(protocol: ProtocolName, model: string): Buffer {
  const tools = offeredTools(manyTools);
  const written = (lastBytes: number): Buffer => Buffer.from(JSON.stringify(bodyOf(protocol, model, tools, Array.from({ length: results }, (_, turn) => ({
    id: `call_${turn}`, path: `src/part${turn}.ts`, startLine: turn, result: sourceText(turn, turn === results - 1 ? lastBytes : resultBytes),
  })))));
  // Escapes make the text longer: the length is approached in steps that leave nothing out.
  let bytes = 1;
  for (let body = written(bytes); ; body = written(bytes)) {
    const missing = turnBytes - body.length;
    if (missing < 8) return body;
    bytes += Math.ceil(missing / 2);
  }
}

interface ToolUse { id: string; path: string; startLine: number; result: string }

function bodyOf(protocol: ProtocolName, model: string, tools: readonly OfferedTool[], uses: readonly ToolUse[]): object {
  const system = sourceText(0, 4 * kilobyte);
  switch (protocol) {
    case 'openai-chat': return {
      model, stream: true, stream_options: { include_usage: true }, max_tokens: maxOutputTokens,
      messages: [{ role: 'system', content: system }, { role: 'user', content: question }, ...uses.flatMap(({ id, path, startLine, result }) => [
        { role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: { name: 'tool_1', arguments: JSON.stringify({ path, startLine }) } }] },
        { role: 'tool', tool_call_id: id, content: result },
      ])],
      tools: tools.map(tool => ({ type: 'function', function: tool })),
    };
    case 'openai-responses': return {
      model, stream: true, store: false, max_output_tokens: maxOutputTokens, instructions: system,
      input: [{ role: 'user', content: [{ type: 'input_text', text: question }] }, ...uses.flatMap(({ id, path, startLine, result }) => [
        { type: 'function_call', call_id: id, name: 'tool_1', arguments: JSON.stringify({ path, startLine }) },
        { type: 'function_call_output', call_id: id, output: result },
      ])],
      tools: tools.map(tool => ({ type: 'function', strict: false, ...tool })),
    };
    case 'anthropic-messages': return {
      model, stream: true, max_tokens: maxOutputTokens, system: [{ type: 'text', text: system, cache_control: { type: 'ephemeral' } }],
      messages: [{ role: 'user', content: [{ type: 'text', text: question }] }, ...uses.flatMap(({ id, path, startLine, result }) => [
        { role: 'assistant', content: [{ type: 'tool_use', id, name: 'tool_1', input: { path, startLine } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: [{ type: 'text', text: result }] }] },
      ])],
      tools: tools.map(({ name, description, parameters }) => ({ name, description, input_schema: parameters })),
    };
    case 'gemini': return {
      generationConfig: { maxOutputTokens }, systemInstruction: { parts: [{ text: system }] },
      contents: [{ role: 'user', parts: [{ text: question }] }, ...uses.flatMap(({ id, path, startLine, result }) => [
        { role: 'model', parts: [{ functionCall: { id, name: 'tool_1', args: { path, startLine } } }] },
        { role: 'user', parts: [{ functionResponse: { id, name: 'tool_1', response: { output: result } } }] },
      ])],
      tools: [{ functionDeclarations: tools.map(({ name, description, parameters }) => ({ name, description, parametersJsonSchema: parameters })) }],
    };
  }
}

/** A streamed answer as text of server-sent events. */
export interface AnswerStream {
  opening: string;
  /** One event that carries the moment it is sent at. @param place counted from 0 */
  content(sentAtUs: number, place: number): string;
  /** @param said the text of all events before it */
  closing(said: string): string;
}

/** The answer to {@link toolTurnBody}, in the form in which the protocol's own provider sends it. */
export const answerStreams: Readonly<Record<ProtocolName, AnswerStream>> = {
  'openai-chat': { opening: roleEvent, content: contentEvent, closing: () => lastEvents },
  'openai-responses': {
    opening: named('response.created', { sequence_number: 0, response: response('in_progress', [], null) })
      + named('response.in_progress', { sequence_number: 1, response: response('in_progress', [], null) })
      + named('response.output_item.added', { sequence_number: 2, output_index: 0, item: message('in_progress', []) })
      + named('response.content_part.added', { sequence_number: 3, item_id: 'msg_bench', output_index: 0, content_index: 0, part: outputText('') }),
    content: (sentAtUs, place) => named('response.output_text.delta', {
      sequence_number: 4 + place, item_id: 'msg_bench', output_index: 0, content_index: 0, delta: word(sentAtUs), logprobs: [], obfuscation: 'aB3dE6gH'.slice(0, 1 + place % 8),
    }),
    closing: said => named('response.output_text.done', { sequence_number: 4 + turnChunks, item_id: 'msg_bench', output_index: 0, content_index: 0, text: said, logprobs: [] })
      + named('response.content_part.done', { sequence_number: 5 + turnChunks, item_id: 'msg_bench', output_index: 0, content_index: 0, part: outputText(said) })
      + named('response.output_item.done', { sequence_number: 6 + turnChunks, output_index: 0, item: message('completed', [outputText(said)]) })
      + named('response.completed', { sequence_number: 7 + turnChunks, response: response('completed', [message('completed', [outputText(said)])], { input_tokens: 16_000, output_tokens: turnChunks, total_tokens: 16_000 + turnChunks }) }),
  },
  'anthropic-messages': {
    opening: named('message_start', { message: { id: 'msg_bench', type: 'message', role: 'assistant', model: upstreamModel, content: [], stop_reason: null, stop_sequence: null, usage: { input_tokens: 16_000, output_tokens: 1 } } })
      + named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    content: sentAtUs => named('content_block_delta', { index: 0, delta: { type: 'text_delta', text: word(sentAtUs) } }),
    closing: () => named('content_block_stop', { index: 0 })
      + named('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: turnChunks } })
      + named('message_stop', {}),
  },
  'gemini': {
    opening: '',
    content: (sentAtUs, place) => candidate(word(sentAtUs), {}, place + 1),
    closing: () => candidate('', { finishReason: 'STOP' }, turnChunks),
  },
};

/** The text of one event. */
export function word(sentAtUs: number): string {
  return `@${sentAtUs};word`;
}

function named(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

function response(status: string, output: readonly object[], usage: object | null): object {
  return { id: 'resp_bench', object: 'response', created_at: 1_700_000_000, model: upstreamModel, error: null, incomplete_details: null, status, output, usage };
}

function message(status: string, content: readonly object[]): object {
  return { id: 'msg_bench', type: 'message', role: 'assistant', status, content };
}

function outputText(text: string): object {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

function candidate(text: string, end: object, written: number): string {
  const chunk = {
    candidates: [{ content: { parts: [{ text }], role: 'model' }, ...end, index: 0 }],
    usageMetadata: { promptTokenCount: 16_000, candidatesTokenCount: written, totalTokenCount: 16_000 + written, promptTokensDetails: [{ modality: 'TEXT', tokenCount: 16_000 }] },
    modelVersion: upstreamModel, responseId: 'bench',
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}
