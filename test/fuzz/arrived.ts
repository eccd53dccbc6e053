import type { FuzzCaller } from './meant.ts';
import { parseExact } from '../../server/base/exactJson.ts';
import { isObject, type JsonObject, type JsonValue } from '../../server/base/json.ts';

/** One thing that a conversation holds, as it arrived. Ids and names stand as they were sent. */
export type Said = { kind: 'system' | 'user' | 'assistant'; text: string } | { kind: 'image' | 'document'; data: string } | { kind: 'reasoning' } | { kind: 'call'; id: string; name: string; args: string } | { kind: 'result'; id: string; text: string };

/** What a provider got, without any protocol. */
export interface Arrived {
  said: Said[];
  tools: { name: string; description: string; schema: string }[];
  settings: Readonly<Record<string, string | undefined>>;
}

/** Reads what a provider of this protocol was sent: not by the codec of that protocol. @param text the body */
export function readArrived(protocol: FuzzCaller, text: string): Arrived {
  const body = parseExact(text);
  if (!isObject(body)) throw new Error('the body is no object');
  return readers[protocol](body);
}

const readers: Readonly<Record<FuzzCaller, (body: JsonObject) => Arrived>> = { 'openai-chat': readChat, 'openai-responses': readResponses, 'anthropic-messages': readMessages, 'gemini': readGemini, 'editor': readEditor };

/** JSON with sorted names, and numbers as they are written. */
export function canonical(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return `[${value.map(entry => canonical(entry)).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value ?? null);
  return `{${Object.keys(value).filter(name => value[name] !== undefined).sort().map(name => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}

/** The canonical form of JSON text; the text itself where it is no JSON. */
export function canonicalText(text: string): string {
  const value = parseExact(text);
  return value === undefined ? text : canonical(value);
}

/** Arguments of a call; none and an empty object say the same. */
function argumentsText(value: JsonValue | undefined): string {
  return canonicalText(words(value).trim() === '' ? '{}' : words(value));
}

const objects = (list: JsonValue | undefined): JsonObject[] => (Array.isArray(list) ? list.filter(isObject) : []);
const object = (value: JsonValue | undefined): JsonObject => (isObject(value) ? value : {});
const words = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');
const shown = (value: JsonValue | undefined): string | undefined => (value === undefined || value === null ? undefined : canonical(value));
const base64 = (url: JsonValue | undefined): string => words(url).replace(/^data:[^,]*,/, '');

function readChat(body: JsonObject): Arrived {
  const said: Said[] = [];
  for (const message of objects(body.messages)) {
    const kind = message.role === 'assistant' ? 'assistant' : message.role === 'user' ? 'user' : 'system';
    if (message.role === 'assistant' && (words(message.reasoning_content) !== '' || words(message.reasoning) !== '')) said.push({ kind: 'reasoning' });
    if (message.role === 'tool') {
      said.push({ kind: 'result', id: words(message.tool_call_id), text: Array.isArray(message.content) ? objects(message.content).map(part => words(part.text)).join('\n') : words(message.content) });
      for (const part of objects(message.content)) if (part.type === 'image_url') said.push({ kind: 'image', data: base64(object(part.image_url).url) });
    }
    else if (Array.isArray(message.content)) for (const part of objects(message.content)) said.push(part.type === 'image_url' ? { kind: 'image', data: base64(object(part.image_url).url) } : part.type === 'file' ? { kind: 'document', data: base64(object(part.file).file_data) } : { kind, text: words(part.text) });
    else said.push({ kind, text: words(message.content) });
    for (const call of objects(message.tool_calls)) said.push({ kind: 'call', id: words(call.id), name: words(object(call.function).name), args: argumentsText(object(call.function).arguments) });
  }
  const format = object(body.response_format);
  return {
    said,
    tools: objects(body.tools).map(tool => ({ name: words(object(tool.function).name), description: words(object(tool.function).description), schema: canonical(object(tool.function).parameters) })),
    settings: {
      maxTokens: shown(body.max_tokens ?? body.max_completion_tokens), temperature: shown(body.temperature), topP: shown(body.top_p), topK: shown(body.top_k), stop: shown(typeof body.stop === 'string' ? [body.stop] : body.stop),
      seed: shown(body.seed ?? body.random_seed), frequencyPenalty: shown(body.frequency_penalty), presencePenalty: shown(body.presence_penalty), user: shown(body.user ?? body.safety_identifier), verbosity: shown(body.verbosity), tier: shown(body.service_tier),
      logprobs: shown(body.top_logprobs), oneCallOnly: body.parallel_tool_calls === false ? 'true' : undefined, effort: shown(body.reasoning_effort) ?? (object(body.thinking).type === 'disabled' ? '"none"' : undefined),
      format: format.type === 'json_object' ? 'json' : format.type === 'json_schema' ? canonical(object(format.json_schema).schema) : undefined,
      choice: choiceOf(body.tool_choice === 'any' ? 'required' : body.tool_choice, object(object(body.tool_choice).function).name), logitBias: shown(body.logit_bias), metadata: shown(body.metadata),
    },
  };
}

function choiceOf(choice: JsonValue | undefined, name: JsonValue | undefined): string | undefined {
  return typeof choice === 'string' ? choice : name === undefined ? undefined : `one:${words(name)}`;
}

function readResponses(body: JsonObject): Arrived {
  const said: Said[] = [];
  if (typeof body.instructions === 'string') said.push({ kind: 'system', text: body.instructions });
  for (const item of objects(body.input)) {
    const kind = item.role === 'assistant' ? 'assistant' : item.role === 'user' ? 'user' : 'system';
    if (item.type === 'reasoning') said.push({ kind: 'reasoning' });
    else if (item.type === 'function_call') said.push({ kind: 'call', id: words(item.call_id), name: words(item.name), args: argumentsText(item.arguments) });
    else if (item.type === 'function_call_output') said.push({ kind: 'result', id: words(item.call_id), text: Array.isArray(item.output) ? objects(item.output).map(part => words(part.text)).join('\n') : words(item.output) }, ...objects(item.output).filter(part => part.type === 'input_image').map((part): Said => ({ kind: 'image', data: base64(part.image_url) })));
    else if (typeof item.content === 'string') said.push({ kind, text: item.content });
    else for (const part of objects(item.content)) said.push(part.type === 'input_image' ? { kind: 'image', data: base64(part.image_url) } : part.type === 'input_file' ? { kind: 'document', data: base64(part.file_data) } : { kind, text: words(part.text) });
  }
  const format = object(object(body.text).format);
  return {
    said,
    tools: objects(body.tools).map(tool => ({ name: words(tool.name), description: words(tool.description), schema: canonical(tool.parameters) })),
    settings: {
      maxTokens: shown(body.max_output_tokens), temperature: shown(body.temperature), topP: shown(body.top_p), user: shown(body.safety_identifier ?? body.user), verbosity: shown(object(body.text).verbosity), tier: shown(body.service_tier),
      logprobs: shown(body.top_logprobs), oneCallOnly: body.parallel_tool_calls === false ? 'true' : undefined, effort: shown(object(body.reasoning).effort),
      format: format.type === 'json_object' ? 'json' : format.type === 'json_schema' ? canonical(format.schema) : undefined, choice: choiceOf(body.tool_choice, object(body.tool_choice).name), metadata: shown(body.metadata),
    },
  };
}

function readMessages(body: JsonObject): Arrived {
  const said: Said[] = [];
  const read = (kind: 'system' | 'user' | 'assistant', content: JsonValue | undefined): void => {
    if (typeof content === 'string') said.push({ kind, text: content });
    for (const block of objects(content)) {
      if (block.type === 'text') said.push({ kind, text: words(block.text) });
      else if (block.type === 'thinking' || block.type === 'redacted_thinking') said.push({ kind: 'reasoning' });
      else if (block.type === 'document') said.push({ kind: 'document', data: object(block.source).type === 'text' ? Buffer.from(words(object(block.source).data)).toString('base64') : words(object(block.source).data) });
      else if (block.type === 'image') said.push({ kind: 'image', data: words(object(block.source).data) });
      else if (block.type === 'tool_use') said.push({ kind: 'call', id: words(block.id), name: words(block.name), args: canonical(block.input) });
      else if (block.type === 'tool_result') {
        said.push({ kind: 'result', id: words(block.tool_use_id), text: typeof block.content === 'string' ? block.content : objects(block.content).map(part => words(part.text)).join('\n') });
        for (const part of objects(block.content)) if (part.type === 'image') said.push({ kind: 'image', data: words(object(part.source).data) });
      }
    }
  };
  read('system', body.system);
  for (const message of objects(body.messages)) read(message.role === 'assistant' || message.role === 'system' ? message.role : 'user', message.content);
  const choice = object(body.tool_choice);
  const format = object(object(body.output_config).format);
  const budget = object(body.thinking).budget_tokens;
  return {
    said,
    tools: objects(body.tools).map(tool => ({ name: words(tool.name), description: words(tool.description), schema: canonical(tool.input_schema) })),
    settings: {
      maxTokens: shown(body.max_tokens), temperature: shown(body.temperature), topP: shown(body.top_p), topK: shown(body.top_k), stop: shown(body.stop_sequences), user: shown(object(body.metadata).user_id),
      oneCallOnly: choice.disable_parallel_tool_use === true ? 'true' : undefined, effort: ['disabled', 'between_tools'].includes(words(object(body.thinking).type)) ? '"none"' : shown(object(body.output_config).effort) ?? (budget === undefined ? undefined : `budget:${String(budget)}`), format: format.type === 'json_schema' ? canonical(format.schema) : undefined,
      choice: choice.type === 'any' ? 'required' : choice.type === 'tool' ? `one:${words(choice.name)}` : typeof choice.type === 'string' ? choice.type : undefined,
    },
  };
}

function readGemini(body: JsonObject): Arrived {
  const said: Said[] = [];
  const read = (kind: 'system' | 'user' | 'assistant', content: JsonObject): void => {
    for (const part of objects(content.parts)) {
      if (typeof part.thoughtSignature === 'string' && part.thoughtSignature !== 'skip_thought_signature_validator') said.push({ kind: 'reasoning' });
      const call = object(part.functionCall);
      const result = object(part.functionResponse);
      if (isObject(part.functionCall)) said.push({ kind: 'call', id: words(call.id), name: words(call.name), args: canonical(call.args ?? {}) });
      else if (isObject(part.functionResponse)) said.push({ kind: 'result', id: words(result.id), text: words(object(result.response).output ?? object(result.response).error) }, ...objects(result.parts).map((inner): Said => ({ kind: 'image', data: words(object(inner.inlineData).data) })));
      else if (isObject(part.inlineData)) said.push({ kind: words(part.inlineData.mimeType).startsWith('image/') ? 'image' : 'document', data: words(part.inlineData.data) });
      else said.push({ kind, text: words(part.text) });
    }
  };
  read('system', object(body.systemInstruction));
  for (const content of objects(body.contents)) read(content.role === 'model' ? 'assistant' : 'user', content);
  const config = object(body.generationConfig);
  const choice = object(object(body.toolConfig).functionCallingConfig);
  const allowed = Array.isArray(choice.allowedFunctionNames) ? choice.allowedFunctionNames : [];
  const thinking = object(config.thinkingConfig);
  return {
    said,
    tools: objects(body.tools).flatMap(tool => objects(tool.functionDeclarations)).map(tool => ({ name: words(tool.name), description: words(tool.description), schema: canonical(tool.parametersJsonSchema ?? tool.parameters) })),
    settings: {
      maxTokens: shown(config.maxOutputTokens), temperature: shown(config.temperature), topP: shown(config.topP), topK: shown(config.topK), stop: shown(config.stopSequences), seed: shown(config.seed),
      frequencyPenalty: shown(config.frequencyPenalty), presencePenalty: shown(config.presencePenalty), logprobs: shown(config.logprobs), tier: shown(body.serviceTier),
      effort: typeof thinking.thinkingLevel === 'string' ? `"${thinking.thinkingLevel.toLowerCase()}"` : thinking.thinkingBudget === undefined ? undefined : `budget:${String(thinking.thinkingBudget)}`,
      format: config.responseMimeType === 'application/json' ? (config.responseJsonSchema === undefined ? 'json' : canonical(config.responseJsonSchema)) : undefined,
      choice: choice.mode === 'ANY' ? (allowed.length > 0 ? `one:${words(allowed[0])}` : 'required') : choice.mode === 'AUTO' ? 'auto' : choice.mode === 'NONE' ? 'none' : undefined,
    },
  };
}

function readEditor(body: JsonObject): Arrived {
  const said: Said[] = objects(body.system).map((part): Said => ({ kind: 'system', text: words(part.text) }));
  for (const message of objects(body.messages)) {
    const kind = message.role === 'assistant' ? 'assistant' : 'user';
    for (const part of objects(message.content)) {
      const data = words(object(part.source).data);
      if (part.type === 'text') said.push({ kind, text: words(part.text) });
      else if (part.type === 'image' || part.type === 'document') said.push({ kind: part.type, data });
      else if (part.type === 'thinking') said.push({ kind: 'reasoning' });
      else if (part.type === 'tool-call') said.push({ kind: 'call', id: words(part.id), name: words(part.name), args: canonicalText(words(part.arguments)) });
      else if (part.type === 'tool-result') said.push({ kind: 'result', id: words(part.callId), text: objects(part.content).map(inner => words(inner.text)).join('\n') });
    }
  }
  const choice = object(body.toolChoice);
  return {
    said,
    tools: objects(body.tools).map(tool => ({ name: words(tool.name), description: words(tool.description), schema: canonical(tool.parameters) })),
    settings: { maxTokens: shown(body.maxOutputTokens), temperature: shown(body.temperature), effort: shown(object(body.reasoning).effort), choice: choice.type === 'tool' ? `one:${words(choice.name)}` : typeof choice.type === 'string' ? choice.type : undefined },
  };
}
