import type { IncomingHttpHeaders } from 'node:http';
import { asNumber, asString, isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { geminiFailure } from './geminiFailures.ts';
import { freeText, sandboxLogprob } from './sandboxWire.ts';
import type { Frame, SandboxAnswer, SandboxCall, SandboxPrompt, SandboxReply, SandboxUsage, SandboxWire } from './sandboxWire.ts';
import { countTokens, tokensPerImage, tokensPerMessage } from '../tokens.ts';

/**
 * Google's Gemini API. As there, calls come whole and without ids, a stream has no event that ends it, and thoughts are
 * counted beside the candidates. Signatures name the sandbox provider that made them. It streams as server-sent events only.
 */
export const geminiWire: SandboxWire = {
  protocol: 'gemini',
  basePath: '',
  keepAlive: ': keep-alive\n\n',
  call,
  credential: (headers) => asString(headers['x-goog-api-key']) ?? /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1],
  readPrompt,
  hasForeignThinking,
  frames,
  oversizeFrame: (reply, bytes) => chunk(reply, [candidate(0, [{ text: 'x'.repeat(bytes) }])]),
  body,
  failure: geminiFailure,
  errorEvent: (errorBody) => `data: ${JSON.stringify(errorBody)}\n\n`,
  headers: () => ({}),
  modelList: (models) => ({ models: models.map((id) => modelCard(id)) }),
  model: (id) => modelCard(id),
  tokenCount: (inputTokens) => ({ totalTokens: inputTokens }),
};

function call(method: string, path: string, query: URLSearchParams): SandboxCall | undefined {
  const found = /^\/v1(?:beta1?)?\/models(?:\/([^:/]+)(?::(\w+))?)?$/.exec(path);
  if (found === null) return undefined;
  const model = found[1] === undefined ? undefined : decodeURIComponent(found[1]);
  if (method === 'GET' && found[2] === undefined) return model === undefined ? { kind: 'models' } : { kind: 'model', id: model };
  if (method !== 'POST' || model === undefined) return undefined;
  switch (found[2]) {
    case 'generateContent': return { kind: 'generate', model, stream: false };
    case 'streamGenerateContent': return query.get('alt') === 'sse' ? { kind: 'generate', model, stream: true } : undefined;
    case 'countTokens': return { kind: 'count-tokens', model };
    default: return undefined;
  }
}

function modelCard(id: string): JsonObject {
  return {
    name: `models/${id}`, version: '001', displayName: id, inputTokenLimit: 200_000, outputTokenLimit: 32_000,
    supportedGenerationMethods: ['generateContent', 'countTokens'],
  };
}

function readPrompt(body: JsonObject, _headers: IncomingHttpHeaders, wanted: SandboxCall): SandboxPrompt | string {
  if (wanted.kind === 'count-tokens' && isObject(body['generateContentRequest'])) return readPrompt(body['generateContentRequest'], _headers, wanted);
  const model = 'model' in wanted ? wanted.model ?? '' : '';
  const contents = (Array.isArray(body['contents']) ? body['contents'] : []).filter(isObject);
  if (contents.length === 0) return '* GenerateContentRequest.contents: contents is not specified';
  if (contents.some((content) => content['role'] !== undefined && content['role'] !== 'user' && content['role'] !== 'model')) return 'Please use a valid role: user, model.';
  if (contents.some((content) => partsOf(content).length === 0)) return '* GenerateContentRequest.contents: contents.parts must not be empty.';
  if (hasUnansweredCall(contents)) return 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.';
  const config = isObject(body['generationConfig']) ? body['generationConfig'] : {};
  const tools = (Array.isArray(body['tools']) ? body['tools'] : []).filter(isObject).flatMap((tool) => (Array.isArray(tool['functionDeclarations']) ? tool['functionDeclarations'] : [])).filter(isObject);
  return {
    model,
    stream: wanted.kind === 'generate' && wanted.stream === true,
    inputTokens: contentTokens(body['systemInstruction']) + contents.reduce((total, content) => total + tokensPerMessage + contentTokens(content), 0)
      + (tools.length === 0 ? 0 : countTokens(JSON.stringify(tools))),
    ...newestTurn(contents),
    tools: tools.map((tool) => ({ name: asString(tool['name']) ?? '', parameters: schemaOf(tool['parametersJsonSchema'] ?? tool['parameters']) })),
    toolChoice: readToolChoice(isObject(body['toolConfig']) ? body['toolConfig']['functionCallingConfig'] : undefined),
    parallelToolCalls: true,
    maxOutputTokens: asNumber(config['maxOutputTokens']),
    stop: (Array.isArray(config['stopSequences']) ? config['stopSequences'] : []).filter((stop) => typeof stop === 'string'),
    choices: Math.max(1, Math.min(8, asNumber(config['candidateCount']) ?? 1)),
    thinking: readThinking(config['thinkingConfig']),
    format: readFormat(config),
    logprobs: config['responseLogprobs'] === true,
    includeUsage: true,
  };
}

/** Google's schemas write types in capitals; sampleFromSchema reads the names of JSON Schema. */
function schemaOf(schema: JsonValue | undefined): JsonObject | undefined {
  if (!isObject(schema)) return undefined;
  return JSON.parse(JSON.stringify(schema, (key, value: unknown) => (key === 'type' && typeof value === 'string' ? value.toLowerCase() : value))) as JsonObject;
}

function readToolChoice(config: JsonValue | undefined): SandboxPrompt['toolChoice'] {
  if (!isObject(config)) return 'auto';
  if (config['mode'] === 'NONE') return 'none';
  if (config['mode'] !== 'ANY') return 'auto';
  const allowed = Array.isArray(config['allowedFunctionNames']) ? config['allowedFunctionNames'] : [];
  return allowed.length === 1 && typeof allowed[0] === 'string' ? { name: allowed[0] } : 'required';
}

function readFormat(config: JsonObject): SandboxPrompt['format'] {
  if (config['responseMimeType'] !== 'application/json') return 'text';
  const schema = schemaOf(config['responseJsonSchema'] ?? config['responseSchema']);
  return schema === undefined ? 'json' : { schema };
}

function readThinking(config: JsonValue | undefined): SandboxPrompt['thinking'] {
  if (!isObject(config) || config['thinkingBudget'] === 0) return 'off';
  return config['includeThoughts'] === true ? 'visible' : 'hidden';
}

function partsOf(content: JsonValue | undefined): JsonObject[] {
  if (!isObject(content)) return [];
  return (Array.isArray(content['parts']) ? content['parts'] : [content['parts']]).filter(isObject);
}

function textOf(parts: readonly JsonObject[]): string {
  return parts.filter((part) => part['thought'] !== true).map((part) => asString(part['text']) ?? '').filter((text) => text !== '').join('\n');
}

function resultText(part: JsonObject): string {
  const response = isObject(part['functionResponse']) && isObject(part['functionResponse']['response']) ? part['functionResponse']['response'] : {};
  const said = response['output'] ?? response['result'] ?? response['error'];
  return typeof said === 'string' ? said : JSON.stringify(said ?? response);
}

function contentTokens(content: JsonValue | undefined): number {
  return partsOf(content).reduce((total, part) => {
    if (isObject(part['functionCall'])) return total + countTokens(`${asString(part['functionCall']['name']) ?? ''} ${JSON.stringify(part['functionCall']['args'] ?? {})}`);
    if (isObject(part['functionResponse'])) return total + countTokens(resultText(part));
    if (isObject(part['inlineData']) || isObject(part['fileData'])) return total + tokensPerImage;
    return total + countTokens(asString(part['text']) ?? '');
  }, 0);
}

function hasUnansweredCall(contents: readonly JsonObject[]): boolean {
  return contents.some((content, index) => {
    const calls = partsOf(content).filter((part) => isObject(part['functionCall'])).length;
    const results = partsOf(contents[index + 1]).filter((part) => isObject(part['functionResponse'])).length;
    return calls > 0 && calls !== results;
  });
}

/** The newest user text, and the results behind the model's newest turn, unless words that ask for calls came with them. */
function newestTurn(contents: readonly JsonObject[]): Pick<SandboxPrompt, 'userText' | 'toolResults' | 'images'> {
  const latest = contents.slice(contents.findLastIndex((content) => content['role'] === 'model') + 1).flatMap(partsOf);
  const results = latest.filter((part) => isObject(part['functionResponse'])).map(resultText);
  const users = contents.filter((content) => content['role'] !== 'model').map((content) => textOf(partsOf(content)));
  const asksAgain = textOf(latest).includes('call tool ');
  const images = latest.filter((part) => isObject(part['inlineData']) && (asString(part['inlineData']['mimeType']) ?? '').startsWith('image/')).length;
  return { userText: users.findLast((text) => text !== '') ?? '', toolResults: asksAgain ? [] : results, images };
}

function signature(provider: string, reply: string): string {
  return Buffer.from(`sandbox:${provider}:${reply}`).toString('base64');
}

/** Google's own placeholder for a lost signature is accepted: it is not a foreign signature. */
function hasForeignThinking(body: JsonObject, provider: string): boolean {
  const contents = (Array.isArray(body['contents']) ? body['contents'] : []).filter(isObject);
  return contents.flatMap(partsOf).map((part) => asString(part['thoughtSignature'])).some((signed) => signed !== undefined
    && signed !== 'skip_thought_signature_validator' && !Buffer.from(signed, 'base64').toString('utf8').startsWith(`sandbox:${provider}:`));
}

function finishReason(answer: SandboxAnswer): string {
  switch (answer.stop) {
    case 'length': return 'MAX_TOKENS';
    case 'refusal': return 'SAFETY';
    case 'end': case 'stop-sequence': case 'tool-calls': return 'STOP';
  }
}

function candidate(index: number, parts: JsonObject[], more: JsonObject = {}): JsonObject {
  return { content: { role: 'model', ...(parts.length === 0 ? {} : { parts }) }, ...more, index };
}

function chunk(reply: SandboxReply, candidates: JsonObject[], usage?: JsonObject): string {
  return `data: ${JSON.stringify({ candidates, ...(usage === undefined ? {} : { usageMetadata: usage }), modelVersion: reply.model, responseId: reply.id })}\n\n`;
}

/** The first call of a turn that was thought about is signed; a turn without calls is signed at its end. */
function callParts(reply: SandboxReply, answer: SandboxAnswer): JsonObject[] {
  return answer.toolCalls.map(({ name, pieces }, index) => ({
    functionCall: { name, args: parsedArguments(pieces.join('')) },
    ...(index === 0 && answer.thinking.length > 0 ? { thoughtSignature: signature(reply.provider, reply.id) } : {}),
  }));
}

/** Arguments that were cut by the token limit are not JSON: Google then gives none. */
function parsedArguments(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return { input: freeText(text) };
  }
}

function thoughtParts(reply: SandboxReply, answer: SandboxAnswer): JsonObject[] {
  return reply.thinkingHidden ? [] : answer.thinking.map((text) => ({ text, thought: true }));
}

function lastParts(reply: SandboxReply, answer: SandboxAnswer): JsonObject[] {
  const signed = answer.thinking.length > 0 && answer.toolCalls.length === 0;
  return [{ text: '', ...(signed ? { thoughtSignature: signature(reply.provider, reply.id) } : {}) }];
}

function spoken(answer: SandboxAnswer): string[] {
  return answer.refusal === undefined ? answer.text : [answer.refusal];
}

function frames(reply: SandboxReply): Frame[] {
  const result: Frame[] = [];
  reply.answers.forEach((answer, index) => {
    for (const part of thoughtParts(reply, answer)) result.push({ kind: 'content', text: chunk(reply, [candidate(index, [part])]) });
    for (const text of spoken(answer)) result.push({ kind: 'content', text: chunk(reply, [candidate(index, [{ text }], logprobsOf(reply, [text]))]) });
    for (const part of callParts(reply, answer)) result.push({ kind: 'tool-arguments', text: chunk(reply, [candidate(index, [part])]) });
    const usage = reply.usage === undefined ? undefined : usageBody(reply.usage, reply.inconsistentUsage);
    result.push({ kind: 'finish', text: chunk(reply, [candidate(index, lastParts(reply, answer), { finishReason: finishReason(answer) })], usage) });
  });
  return result;
}

function body(reply: SandboxReply): JsonObject {
  const candidates = reply.answers.map((answer, index) => {
    const thoughts = thoughtParts(reply, answer).map((part) => asString(part['text']) ?? '').join('');
    const text = spoken(answer).join('');
    const parts = [
      ...(thoughts === '' ? [] : [{ text: thoughts, thought: true }]),
      ...(text === '' ? [] : [{ text, ...(answer.toolCalls.length === 0 && answer.thinking.length > 0 ? { thoughtSignature: signature(reply.provider, reply.id) } : {}) }]),
      ...callParts(reply, answer),
    ];
    return candidate(index, parts, { finishReason: finishReason(answer), ...logprobsOf(reply, answer.text) });
  });
  return { candidates, ...(reply.usage === undefined ? {} : { usageMetadata: usageBody(reply.usage, reply.inconsistentUsage) }), modelVersion: reply.model, responseId: reply.id };
}

function logprobsOf(reply: SandboxReply, tokens: readonly string[]): JsonObject {
  if (!reply.logprobs) return {};
  return { logprobsResult: { chosenCandidates: tokens.map((token) => ({ token, tokenId: 1, logProbability: sandboxLogprob })), topCandidates: tokens.map(() => ({ candidates: [] })) } };
}

/** The prompt includes what was read from the cache; nothing is ever written to one explicitly. */
function usageBody(usage: SandboxUsage, inconsistent: boolean): JsonObject {
  const prompt = usage.input + usage.cacheRead + usage.cacheWrite + usage.cacheWrite1h;
  return {
    promptTokenCount: prompt,
    candidatesTokenCount: usage.output - usage.reasoning,
    ...(usage.reasoning === 0 ? {} : { thoughtsTokenCount: usage.reasoning }),
    ...(usage.cacheRead === 0 && !inconsistent ? {} : { cachedContentTokenCount: inconsistent ? prompt + 7 : usage.cacheRead }),
    totalTokenCount: inconsistent ? 1 : prompt + usage.output,
  };
}
