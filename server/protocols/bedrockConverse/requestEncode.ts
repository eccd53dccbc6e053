import type { ConversationRequest, TextPart, ToolDefinition } from '../../api/conversation.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { jsonWords, mustCallWords, schemaWords } from '../bodyRules/promptWords.ts';
import { fitToolSchema } from '../bodyRules/tools/toolSchemas.ts';
import type { EncodeTarget } from '../codec.ts';
import { withoutAttribution } from '../conversationShape.ts';
import { asFunctions } from '../customTools.ts';
import { withoutUndefined } from '../fields.ts';
import { nearestEffort, requestedEffort } from '../reasoningEffort.ts';
import { oncePerList } from '../toolLists.ts';
import { cachePoint, encodeMessages } from './contentEncode.ts';
import { converseModelRules, type ConverseModelRules } from './converseModels.ts';

/** A body of Converse, and what it had to change of the request, in words for the receipt. */
export interface ConverseBody {
  readonly body: JsonObject;
  readonly changes: string[];
  /** The model cannot stream such an answer, so it is to be asked for the whole. */
  readonly whole: boolean;
}

/** Writes the body of `POST /model/{model}/converse` and `converse-stream` for one target. */
export function encodeConverseRequest(request: ConversationRequest, target: EncodeTarget): ConverseBody {
  const rules = converseModelRules(target.model);
  const changes = new Set<string>();
  const messages = encodeMessages(request.messages, { rules, changes });
  const tools = decideTools(request, rules, changes);
  const system = encodeSystem(request, rules, tools.words, changes);
  const reasoning = decideReasoning(request, rules);
  const { temperature, topP } = request;
  // A high effort of Nova fits no other parameter of the inference.
  const free = reasoning?.high === true;
  if (temperature !== undefined && (temperature < 0 || temperature > 1)) changes.add('temperature was brought into the range of 0 to 1');
  const inference = withoutUndefined({
    maxTokens: free ? undefined : Math.max(1, request.maxOutputTokens ?? target.defaultMaxOutputTokens),
    temperature: temperature === undefined || free ? undefined : Math.min(1, Math.max(0, temperature)),
    topP: topP === undefined || free ? undefined : Math.min(1, Math.max(0, topP)),
    stopSequences: usableStops(request.stop),
  });
  for (const [field, name] of notHere) if (request[field] !== undefined) changes.add(`${name} was left out`);
  const body = withoutUndefined({
    messages,
    system: system.length > 0 ? system : undefined,
    inferenceConfig: Object.keys(inference).length > 0 ? inference : undefined,
    toolConfig: tools.config,
    additionalModelRequestFields: reasoning?.fields,
  });
  return { body, changes: [...changes], whole: tools.config !== undefined && !rules.streamsTools };
}

/** Parameters that Converse has no field for, with the names that people know them by. */
const notHere: readonly (readonly [keyof ConversationRequest, string])[] = [
  ['topK', 'top_k'], ['seed', 'seed'], ['frequencyPenalty', 'frequency_penalty'], ['presencePenalty', 'presence_penalty'], ['logprobs', 'logprobs'],
];

function usableStops(stop: readonly string[] | undefined): string[] | undefined {
  const usable = stop?.filter(text => text !== '');
  return usable === undefined || usable.length === 0 ? undefined : usable;
}

function encodeSystem(request: ConversationRequest, rules: ConverseModelRules, toolWords: string | undefined, changes: Set<string>): JsonObject[] {
  const parts: TextPart[] = withoutAttribution(request.system).filter(part => part.text.trim() !== '');
  const { responseFormat } = request;
  if (responseFormat?.type === 'json') parts.push({ type: 'text', text: jsonWords });
  if (responseFormat?.type === 'json-schema') {
    parts.push({ type: 'text', text: schemaWords(responseFormat.schema as JsonObject) });
    changes.add('the JSON schema was asked for in words');
  }
  if (toolWords !== undefined) parts.push({ type: 'text', text: toolWords });
  return parts.flatMap(({ text, cache }) => (cache === undefined || rules.cacheMarks === 'none' ? [{ text }] : [{ text }, cachePoint(cache)]));
}

const encodeToolList = oncePerList((tools: ToolDefinition[]): JsonObject[] => asFunctions(tools).map(encodeTool));

function encodeTool({ name, description, parameters = {} }: ToolDefinition): JsonObject {
  const schema = parameters.type === undefined ? { type: 'object', ...parameters } : parameters;
  return { toolSpec: withoutUndefined({ name, description: description === undefined || description.trim() === '' ? undefined : description, inputSchema: { json: fitToolSchema(schema as JsonValue, false) } }) };
}

interface DecidedTools {
  config: JsonObject | undefined;
  /** Asked for in words, because the model cannot be made to. */
  words: string | undefined;
}

/** A history with calls is refused without their tools, so those that the request no longer has are declared by name. */
function decideTools(request: ConversationRequest, rules: ConverseModelRules, changes: Set<string>): DecidedTools {
  const declared = encodeToolList(request.tools);
  const called = declared.length > 0 ? [] : calledTools(request);
  const tools: JsonObject[] = [...declared, ...called.map(name => ({ toolSpec: { name, inputSchema: { json: { type: 'object' } } } }))];
  if (tools.length === 0) return { config: undefined, words: undefined };
  const mark = rules.cacheMarks === 'everywhere' ? request.tools.findLast(({ cache }) => cache !== undefined)?.cache : undefined;
  const config = (toolChoice?: JsonObject): JsonObject => withoutUndefined({ tools: mark === undefined ? tools : [...tools, cachePoint(mark)], toolChoice });
  const choice = request.toolChoice;
  if (choice?.type === 'none' || called.length > 0) {
    if (choice?.type === 'none') changes.add('that no tool may be called was said in words');
    return { config: config(), words: 'Do not call any tool now. Answer in words.' };
  }
  const one = request.parallelToolCalls === false ? ' Call at most one tool at a time.' : '';
  if (one !== '') changes.add('that one tool may be called at a time was said in words');
  const words = one === '' ? undefined : one.trim();
  if (choice === undefined || choice.type === 'auto') return { config: config(choice === undefined || rules.forcedChoice === 'none' ? undefined : { auto: {} }), words };
  const named = choice.type === 'tool' ? choice.name : undefined;
  if (named !== undefined && rules.forcedChoice === 'named') return { config: config({ tool: { name: named } }), words };
  if (named === undefined && rules.forcedChoice !== 'none') return { config: config({ any: {} }), words };
  changes.add('the forced choice of a tool was asked for in words');
  return { config: config(), words: mustCallWords(named) + one };
}

function calledTools({ messages }: ConversationRequest): string[] {
  const names = new Set<string>();
  for (const { content } of messages) for (const part of content) if (part.type === 'tool-call') names.add(part.name);
  return [...names];
}

function decideReasoning({ reasoning }: ConversationRequest, { effort: field }: ConverseModelRules): { fields: JsonObject; high: boolean } | undefined {
  const effort = requestedEffort(reasoning);
  if (effort === undefined || field === 'none') return undefined;
  if (field === 'reasoningConfig' && (effort === 'none' || effort === 'minimal')) return { fields: { reasoningConfig: { type: 'disabled' } }, high: false };
  const named = nearestEffort(effort, ['low', 'medium', 'high']) ?? 'medium';
  return field === 'reasoning_effort'
    ? { fields: { reasoning_effort: named }, high: false }
    : { fields: { reasoningConfig: { type: 'enabled', maxReasoningEffort: named } }, high: named === 'high' };
}
