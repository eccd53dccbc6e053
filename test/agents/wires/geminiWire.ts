import { isObject, type JsonObject } from '../../../server/base/json.ts';
import { checkTools, list, Refused, sse, text, type Reply, type TurnUsage, type Wire } from './wire.ts';

const path = /^\/v1(?:beta1?)?\/models\/([^/:]+):(generateContent|streamGenerateContent)$/;
/** What Google documents for histories that another model wrote. */
const acceptedForForeignCalls = new Set(['skip_thought_signature_validator', 'context_engineering_is_the_way_to_go']);

/** Gemini, as Gemini 3 behaves: calls that come back without their signature are refused. */
export const geminiWire: Wire = {
  protocol: 'gemini',
  basePath: '',
  matches: requestPath => path.test(requestPath),
  fields: new Set(['contents', 'systemInstruction', 'tools', 'toolConfig', 'generationConfig', 'safetySettings', 'cachedContent', 'serviceTier', 'labels']),
  read(body, requestPath) {
    const [, model = '', verb] = path.exec(requestPath) ?? [];
    const tools = list(body.tools).flatMap(tool => list(tool.functionDeclarations)).map(tool => ({
      name: text(tool.name), kind: 'function' as const, schema: isObject(tool.parametersJsonSchema) ? tool.parametersJsonSchema : undefined,
    }));
    checkTools(tools, /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/);
    const contents = list(body.contents);
    return { model, stream: verb === 'streamGenerateContent', tools, results: readResults(contents), signatures: readSignatures(contents) };
  },
  stream(reply) {
    const parts = partsOf(reply);
    return parts.map((part, index) => sse({
      ...head(reply), candidates: [{ index: 0, content: { role: 'model', parts: [part] }, ...(index === parts.length - 1 ? { finishReason: 'STOP' } : {}) }], usageMetadata: usageOf(reply.usage),
    }));
  },
  whole: reply => ({ ...head(reply), candidates: [{ index: 0, content: { role: 'model', parts: partsOf(reply) }, finishReason: 'STOP' }], usageMetadata: usageOf(reply.usage) }),
  failure: (status, message) => ({ error: { code: status, message, status: status === 503 ? 'UNAVAILABLE' : status >= 500 ? 'INTERNAL' : 'INVALID_ARGUMENT' } }),
};

/** @throws Refused unless the turn behind calls answers each of them */
function readResults(contents: readonly JsonObject[]): string[] {
  const results: string[] = [];
  let open: string[] = [];
  for (const content of contents) {
    if (content.role !== 'user' && content.role !== 'model') throw new Refused('Please use a valid role: user, model.');
    const parts = list(content.parts);
    if (parts.length === 0) throw new Refused('contents.parts must not be empty.');
    const answers = parts.map(part => part.functionResponse).filter(isObject);
    if (answers.length !== open.length || answers.some(answer => !open.includes(text(answer.name)))) {
      throw new Refused('Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.');
    }
    results.push(...answers.map(answer => JSON.stringify(answer.response)));
    open = parts.map(part => part.functionCall).filter(isObject).map(call => text(call.name));
    if (open.length > 0 && content.role !== 'model') throw new Refused('Function calls belong to the model.');
  }
  if (open.length > 0) throw new Refused('Function calls without a response.');
  return results;
}

/** @throws Refused when the first call of a turn has no signature */
function readSignatures(contents: readonly JsonObject[]): string[] {
  const signatures: string[] = [];
  for (const content of contents) {
    const parts = list(content.parts);
    const firstCall = parts.find(part => isObject(part.functionCall));
    if (firstCall !== undefined && text(firstCall.thoughtSignature) === '') throw new Refused('Function call is missing a thought_signature in functionCall parts.');
    signatures.push(...parts.map(part => text(part.thoughtSignature)).filter(signature => signature !== '' && !acceptedForForeignCalls.has(signature)));
  }
  return signatures;
}

function partsOf({ turn, serial, signature }: Reply): JsonObject[] {
  const parts: JsonObject[] = [
    ...(turn.thinking === undefined ? [] : [{ text: turn.thinking, thought: true }]),
    ...(turn.text === undefined ? [] : [{ text: turn.text }]),
    ...(turn.calls ?? []).map(({ name, input }, index): JsonObject => ({
      functionCall: { id: `fc-${serial}-${index}`, name, args: input }, ...(index === 0 ? { thoughtSignature: signature } : {}),
    })),
  ];
  return parts.length === 0 ? [{ text: '' }] : parts;
}

function head({ serial, request }: Reply): JsonObject {
  return { responseId: `response-${serial}`, modelVersion: request.model };
}

function usageOf({ prompt, cached, output, reasoning }: TurnUsage): JsonObject {
  return { promptTokenCount: prompt, cachedContentTokenCount: cached, candidatesTokenCount: output - reasoning, thoughtsTokenCount: reasoning, totalTokenCount: prompt + output };
}
