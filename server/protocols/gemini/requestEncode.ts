import type { ConversationRequest, ReasoningRequest } from '../../api/conversation.ts';
import type { JsonObject } from '../../base/json.ts';
import type { EncodeTarget } from '../codec.ts';
import { withoutAttribution } from '../conversationShape.ts';
import { withoutUndefined } from '../fields.ts';
import { encodeContents } from './contentsEncode.ts';
import { geminiModelRules } from './models.ts';
import type { GeminiModelRules } from './models.ts';
import { writeTools } from './tools.ts';
import { budgetOfEffort, nearestEffort, requestedEffort } from '../reasoningEffort.ts';

const maxStopStrings = 5;
const serviceTiers: ReadonlyMap<string, string> = new Map([['flex', 'flex'], ['priority', 'priority'], ['standard', 'standard'], ['default', 'standard']]);

/**
 * Writes the body of `:generateContent` and `:streamGenerateContent` for one target. The model's name and whether
 * to stream are in the path, not in the body.
 */
export function encodeGeminiRequest(request: ConversationRequest, target: EncodeTarget): JsonObject {
  const rules = geminiModelRules(target.model);
  const system = withoutAttribution(request.system).filter((part) => part.text !== '').map((part) => ({ text: part.text }));
  const format = encodeFormat(request, rules);
  if (format.instruction !== undefined) system.push({ text: format.instruction });
  const config = withoutUndefined({
    maxOutputTokens: request.maxOutputTokens,
    temperature: request.temperature === undefined ? undefined : Math.min(2, Math.max(0, request.temperature)),
    topP: request.topP,
    topK: request.topK,
    stopSequences: request.stop?.filter((entry) => entry !== '').slice(0, maxStopStrings),
    seed: request.seed,
    frequencyPenalty: request.frequencyPenalty,
    presencePenalty: request.presencePenalty,
    candidateCount: request.choices,
    responseLogprobs: request.logprobs === undefined ? undefined : true,
    logprobs: request.logprobs?.top,
    ...format.fields,
    thinkingConfig: encodeThinking(request.reasoning, rules, target.dialect.efforts),
  });
  return withoutUndefined({
    contents: encodeContents(request, target),
    systemInstruction: system.length === 0 ? undefined : { parts: system },
    ...writeTools(request),
    generationConfig: Object.keys(config).length === 0 ? undefined : config,
    serviceTier: request.serviceTier === undefined ? undefined : serviceTiers.get(request.serviceTier),
  });
}

/** Older models refuse a schema beside tools: there it is asked for in words. */
function encodeFormat(request: ConversationRequest, rules: GeminiModelRules): { fields?: JsonObject; instruction?: string } {
  const format = request.responseFormat;
  if (format === undefined || format.type === 'text') return {};
  const schema = format.type === 'json-schema' ? format.schema as JsonObject : undefined;
  if (request.tools.length === 0 || rules.schemaWithTools) return { fields: withoutUndefined({ responseMimeType: 'application/json', responseJsonSchema: schema }) };
  if (schema === undefined) return { instruction: 'When you answer, answer with one valid JSON object and nothing else.' };
  return { instruction: `When you answer, answer with one JSON value that matches this JSON Schema, and nothing else:\n${JSON.stringify(schema)}` };
}

function encodeThinking(reasoning: ReasoningRequest | undefined, rules: GeminiModelRules, efforts: readonly string[] | undefined): JsonObject | undefined {
  if (reasoning === undefined || rules.thinking === 'none') return undefined;
  const effort = requestedEffort(reasoning);
  // Elsewhere reasoning that was asked for is shown unless the caller says otherwise.
  const includeThoughts = effort === 'none' ? undefined : reasoning.visible ?? (effort === undefined ? undefined : true);
  const size: JsonObject = {};
  if (effort !== undefined && rules.thinking === 'level') {
    const level = nearestEffort(effort, efforts ?? rules.levels);
    size.thinkingLevel = level?.toUpperCase();
  } else if (effort !== undefined) {
    size.thinkingBudget = effort === 'none' ? (rules.budget.off ? 0 : rules.budget.least) : Math.min(rules.budget.most, Math.max(rules.budget.least, reasoning.budgetTokens ?? budgetOfEffort(effort)));
  }
  const written = withoutUndefined({ ...size, includeThoughts });
  return Object.keys(written).length === 0 ? undefined : written;
}
