import type { IncomingHttpHeaders } from 'node:http';
import { asNumber, asString, isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { openaiFailure } from './openaiFailures.ts';
import { responseBody, responseFrames } from './openaiResponsesOutput.ts';
import type { SandboxCall, SandboxPrompt, SandboxWire } from './sandboxWire.ts';
import { countTokens, tokensPerImage, tokensPerMessage } from '../tokens.ts';

/** OpenAI Responses, without anything stored. Encrypted reasoning names the sandbox provider that made it. */
export const openaiResponsesWire: SandboxWire = {
  protocol: 'openai-responses',
  basePath: '/v1',
  keepAlive: ': keep-alive\n\n',
  call,
  credential: (headers) => /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? asString(headers['api-key']),
  readPrompt,
  hasForeignThinking,
  frames: responseFrames,
  oversizeFrame: (reply, bytes) => {
    const data = { type: 'response.output_text.delta', item_id: `msg_${reply.id}`, output_index: 0, content_index: 0, delta: 'x'.repeat(bytes), logprobs: [], sequence_number: 3 };
    return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
  },
  body: responseBody,
  failure: openaiFailure,
  errorEvent: (errorBody) => {
    const error = isObject(errorBody['error']) ? errorBody['error'] : {};
    const { message, code, param } = error;
    return `event: error\ndata: ${JSON.stringify({ type: 'error', code: code ?? null, message: message ?? '', param: param ?? null, sequence_number: 1_000 })}\n\n`;
  },
  headers: (requestId) => ({ 'x-request-id': requestId }),
  modelList: (models, createdAt) => ({ object: 'list', data: models.map((id) => modelCard(id, createdAt)) }),
  model: modelCard,
  tokenCount: (inputTokens) => ({ object: 'response.input_tokens', input_tokens: inputTokens }),
};

function call(method: string, path: string): SandboxCall | undefined {
  if (method === 'POST' && /^(\/v1)*\/responses$/.test(path)) return { kind: 'generate' };
  if (method === 'POST' && /^(\/v1)*\/responses\/input_tokens$/.test(path)) return { kind: 'count-tokens' };
  const models = method === 'GET' ? /^(?:\/v1)*\/models(?:\/(.+))?$/.exec(path) : null;
  if (models === null) return undefined;
  return models[1] === undefined ? { kind: 'models' } : { kind: 'model', id: decodeURIComponent(models[1]) };
}

function modelCard(id: string, createdAt: number): JsonObject {
  return { id, object: 'model', created: createdAt, owned_by: 'waybill-sandbox' };
}

function readPrompt(body: JsonObject, _headers: IncomingHttpHeaders): SandboxPrompt | string {
  const { model, input } = body;
  if (typeof model !== 'string' || model === '') return "Missing required parameter: 'model'.";
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : Array.isArray(input) ? input.filter(isObject) : [];
  if (items.length === 0) return "Missing required parameter: 'input'.";
  if (body['previous_response_id'] !== undefined && body['previous_response_id'] !== null) return `Previous response with id '${asString(body['previous_response_id']) ?? ''}' not found.`;
  const strange = items.find((item) => kindOf(item) === undefined);
  if (strange !== undefined) return `Invalid value: '${asString(strange['type']) ?? ''}'.`;
  const orphan = firstUnansweredCall(items);
  if (orphan !== undefined) return `No tool output found for function call ${orphan}.`;
  const tools = (Array.isArray(body['tools']) ? body['tools'] : []).filter(isObject);
  const reasoning = isObject(body['reasoning']) ? body['reasoning'] : undefined;
  return {
    model,
    stream: body['stream'] === true,
    inputTokens: countTokens(asString(body['instructions']) ?? '') + items.reduce((total, item) => total + itemTokens(item), 0) + (tools.length === 0 ? 0 : countTokens(JSON.stringify(tools))),
    ...newestTurn(items),
    tools: tools.filter((tool) => tool['type'] === 'function' || tool['type'] === 'custom').map((tool) => ({
      name: asString(tool['name']) ?? '', parameters: isObject(tool['parameters']) ? tool['parameters'] : undefined, custom: tool['type'] === 'custom',
    })),
    toolChoice: readToolChoice(body['tool_choice']),
    parallelToolCalls: body['parallel_tool_calls'] !== false,
    maxOutputTokens: asNumber(body['max_output_tokens']),
    stop: [],
    choices: 1,
    thinking: reasoning === undefined || reasoning['effort'] === 'none' ? 'off' : asString(reasoning['summary']) === undefined ? 'hidden' : 'visible',
    format: readFormat(isObject(body['text']) ? body['text']['format'] : undefined),
    logprobs: Array.isArray(body['include']) && body['include'].includes('message.output_text.logprobs'),
    includeUsage: true,
  };
}

function readToolChoice(choice: JsonValue | undefined): SandboxPrompt['toolChoice'] {
  if (choice === 'none' || choice === 'required') return choice;
  const name = isObject(choice) ? asString(choice['name']) : undefined;
  return name === undefined ? 'auto' : { name };
}

function readFormat(format: JsonValue | undefined): SandboxPrompt['format'] {
  if (!isObject(format)) return 'text';
  if (format['type'] === 'json_object') return 'json';
  return isObject(format['schema']) ? { schema: format['schema'] } : 'text';
}

type ItemKind = 'user' | 'assistant' | 'instruction' | 'reasoning' | 'call' | 'result';

/** What an item is; undefined when the sandbox does not know it. */
function kindOf(item: JsonObject): ItemKind | undefined {
  switch (item['type'] ?? 'message') {
    case 'message': {
      const { role } = item;
      return role === 'system' || role === 'developer' ? 'instruction' : role === 'user' || role === 'assistant' ? role : undefined;
    }
    case 'reasoning': return 'reasoning';
    case 'function_call': case 'custom_tool_call': return 'call';
    case 'function_call_output': case 'custom_tool_call_output': return 'result';
    default: return undefined;
  }
}

function firstUnansweredCall(items: readonly JsonObject[]): string | undefined {
  const answered = new Set(items.filter((item) => kindOf(item) === 'result').map((item) => asString(item['call_id'])));
  return items.filter((item) => kindOf(item) === 'call').map((item) => asString(item['call_id']) ?? '').find((id) => !answered.has(id));
}

function textOf(content: JsonValue | undefined): string {
  if (typeof content === 'string') return content;
  return (Array.isArray(content) ? content : []).filter(isObject).map((part) => asString(part['text']) ?? '').filter((text) => text !== '').join('\n');
}

function mediaCount(content: JsonValue | undefined, type: string): number {
  return Array.isArray(content) ? content.filter((part) => isObject(part) && part['type'] === type).length : 0;
}

function itemTokens(item: JsonObject): number {
  const content = item['content'] ?? item['output'];
  const written = [item['name'], item['arguments'], item['input']].map((text) => asString(text) ?? '').join(' ').trim();
  return tokensPerMessage + countTokens(textOf(content)) + countTokens(written) + (mediaCount(content, 'input_image') + mediaCount(content, 'input_file')) * tokensPerImage;
}

/** The newest user text, and the results behind the model's newest turn, unless words that ask for calls came with them. */
function newestTurn(items: readonly JsonObject[]): Pick<SandboxPrompt, 'userText' | 'toolResults' | 'images'> {
  const last = items.findLastIndex((item) => ['assistant', 'reasoning', 'call'].includes(kindOf(item) ?? ''));
  const latest = items.slice(last + 1);
  const results = latest.filter((item) => kindOf(item) === 'result').map((item) => textOf(item['output']));
  const users = latest.filter((item) => kindOf(item) === 'user');
  const asksAgain = users.some((item) => textOf(item['content']).includes('call tool '));
  const userText = textOf(items.findLast((item) => kindOf(item) === 'user' && textOf(item['content']) !== '')?.['content']);
  return { userText, toolResults: asksAgain ? [] : results, images: users.reduce((total, item) => total + mediaCount(item['content'], 'input_image'), 0) };
}

function hasForeignThinking(body: JsonObject, provider: string): boolean {
  const items = Array.isArray(body['input']) ? body['input'].filter(isObject) : [];
  return items.some((item) => item['type'] === 'reasoning'
    && !Buffer.from(asString(item['encrypted_content']) ?? '', 'base64').toString('utf8').startsWith(`sandbox:${provider}:`));
}
