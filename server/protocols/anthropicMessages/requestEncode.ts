import type { ConversationRequest, TextPart, ToolChoice, ToolDefinition } from '../../api/conversation.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { encodeCache, encodeMessages, refusesOldFields } from './contentEncode.ts';
import { jsonWords, mustCallWords } from '../bodyRules/promptWords.ts';
import { claudeModelRules, isClaude } from './claudeModels.ts';
import type { ClaudeModelRules } from './claudeModels.ts';
import type { EncodeTarget } from '../codec.ts';
import { withHostedTools, withoutAttribution } from '../conversationShape.ts';
import { asFunctions } from '../customTools.ts';
import { withoutUndefined } from '../fields.ts';
import { budgetOfEffort, nearestEffort, requestedEffort } from '../reasoningEffort.ts';
import { oncePerList } from '../toolLists.ts';

const minimumBudgetTokens = 1_024;
const efforts = ['low', 'medium', 'high', 'xhigh', 'max'] as const;

/**
 * Writes the body of `POST /v1/messages` for one target: `max_tokens` always, results first in their user
 * message, thinking only where it may go, sampling parameters only where they are accepted.
 */
export function encodeMessagesRequest(request: ConversationRequest, target: EncodeTarget): JsonObject {
  const rules = claudeModelRules(target.model);
  const maxTokens = Math.max(1, request.maxOutputTokens ?? target.defaultMaxOutputTokens);
  const messages = encodeMessages(request.messages, target);
  const choice = decideToolChoice(request, rules);
  const thinking = decideThinking(request, rules, maxTokens, choice.isForced, messages);
  const thinks = thinking.thinking !== undefined && thinking.thinking.type !== 'disabled';
  const outputConfig = withoutUndefined({
    effort: thinking.effort,
    format: request.responseFormat?.type === 'json-schema' ? { type: 'json_schema', schema: request.responseFormat.schema as JsonObject } : undefined,
  });
  return withoutUndefined({
    model: target.model,
    max_tokens: maxTokens,
    system: encodeSystem(request, target, choice.instruction),
    messages,
    tools: choice.tools.length > 0 ? choice.tools : undefined,
    tool_choice: choice.choice,
    ...(refusesOldFields(target) ? {} : encodeSampling(request, rules, thinks)),
    stop_sequences: encodeStop(request.stop),
    thinking: thinking.thinking,
    output_config: Object.keys(outputConfig).length > 0 ? outputConfig : undefined,
    metadata: request.user === undefined ? undefined : { user_id: request.user },
    service_tier: request.serviceTier === 'auto' || request.serviceTier === 'standard_only' ? request.serviceTier : undefined,
    stream: target.stream ? true : undefined,
  });
}

/** One plain string where it can be; blocks, in order and untouched, where the caller sent several or marked a breakpoint. */
function encodeSystem(request: ConversationRequest, target: EncodeTarget, toolInstruction: string | undefined): JsonValue | undefined {
  const system = isClaude(target.model) ? request.system : withoutAttribution(request.system);
  const parts: TextPart[] = system.filter((part) => part.text.trim() !== '');
  // There is no JSON mode here; asking in words is what the field means everywhere else as well.
  if (request.responseFormat?.type === 'json') parts.push({ type: 'text', text: jsonWords });
  if (toolInstruction !== undefined) parts.push({ type: 'text', text: toolInstruction });
  const [first] = parts;
  if (first === undefined) return undefined;
  if (parts.length === 1 && first.cache === undefined) return first.text;
  return parts.map((part) => withoutUndefined({ type: 'text', text: part.text, cache_control: encodeCache(part.cache) }));
}

const encodeToolList = oncePerList((tools: ToolDefinition[]): JsonValue[] => asFunctions(tools).map(encodeTool));

interface DecidedChoice {
  tools: JsonValue[];
  choice: JsonObject | undefined;
  isForced: boolean;
  /** Said in words, for models that refuse to be forced. */
  instruction: string | undefined;
}

function decideToolChoice(request: ConversationRequest, rules: ClaudeModelRules): DecidedChoice {
  const tools = withHostedTools(encodeToolList(request.tools), request, 'anthropic-messages');
  if (tools.length === 0) return { tools, choice: undefined, isForced: false, instruction: undefined };
  const wanted: ToolChoice | undefined = request.toolChoice ?? (request.parallelToolCalls === false ? { type: 'auto' } : undefined);
  if (wanted === undefined) return { tools, choice: undefined, isForced: false, instruction: undefined };
  if (wanted.type === 'none') return { tools, choice: { type: 'none' }, isForced: false, instruction: undefined };
  const parallel = request.parallelToolCalls === false ? { disable_parallel_tool_use: true } : {};
  if (wanted.type === 'auto') return { tools, choice: { type: 'auto', ...parallel }, isForced: false, instruction: undefined };
  if (!rules.forcedToolChoice) {
    const instruction = mustCallWords(wanted.type === 'tool' ? wanted.name : undefined);
    return { tools, choice: { type: 'auto', ...parallel }, isForced: false, instruction };
  }
  const choice = wanted.type === 'tool' ? { type: 'tool', name: wanted.name, ...parallel } : { type: 'any', ...parallel };
  return { tools, choice, isForced: true, instruction: undefined };
}

function encodeTool(tool: ToolDefinition): JsonObject {
  const schema = tool.parameters ?? {};
  return withoutUndefined({
    name: tool.name,
    description: tool.description,
    // The schema must be an object's; some callers leave the type out for tools without parameters.
    input_schema: (schema.type === undefined ? { type: 'object', ...schema } : schema) as JsonObject,
    strict: tool.strict === true ? true : undefined,
    cache_control: encodeCache(tool.cache),
  });
}

function encodeSampling(request: ConversationRequest, rules: ClaudeModelRules, thinks: boolean): JsonObject {
  if (!rules.sampling) return {};
  // With thinking only the default temperature and a high top_p are accepted.
  if (thinks) return { top_p: request.topP !== undefined && request.topP >= 0.95 ? request.topP : undefined };
  const temperature = request.temperature === undefined ? undefined : Math.min(1, Math.max(0, request.temperature));
  return {
    temperature,
    // Newer models refuse both at once; the temperature is what callers mean.
    top_p: temperature === undefined ? request.topP : undefined,
    top_k: request.topK,
  };
}

/** Stop strings of white space only are refused. */
function encodeStop(stop: readonly string[] | undefined): string[] | undefined {
  const usable = stop?.filter((entry) => entry.trim() !== '');
  return usable === undefined || usable.length === 0 ? undefined : usable;
}

function decideThinking(
  request: ConversationRequest,
  rules: ClaudeModelRules,
  maxTokens: number,
  isForced: boolean,
  messages: readonly JsonObject[],
): { thinking?: JsonObject | undefined; effort?: string | undefined } {
  const { reasoning } = request;
  if (reasoning === undefined || rules.thinking === 'none') return {};
  const effort = requestedEffort(reasoning);
  if (effort === 'none') {
    switch (rules.thinkingOff) {
      case 'omit': return {};
      case 'disabled': return { thinking: { type: 'disabled' } };
      case 'between-tools': return { thinking: { type: 'between_tools' } };
      case 'least-effort': return { effort: 'low' };
    }
  }
  const display = reasoning.visible === undefined ? {} : { display: reasoning.visible ? 'summarized' : 'omitted' };
  if (rules.thinking === 'adaptive') {
    const named = effort === undefined ? undefined : nearestEffort(effort, efforts);
    return isForced ? { effort: named } : { thinking: { type: 'adaptive', ...display }, effort: named };
  }
  if (isForced || endsInUnsignedToolLoop(messages)) return {};
  const budget = fittingBudget(reasoning.budgetTokens ?? budgetOfEffort(effort ?? 'medium'), maxTokens);
  return budget === undefined ? {} : { thinking: { type: 'enabled', budget_tokens: budget } };
}

/** A budget must leave room for the answer within `max_tokens`, and be at least 1,024. */
function fittingBudget(wanted: number, maxTokens: number): number | undefined {
  const budget = wanted < maxTokens ? wanted : Math.floor(maxTokens * 0.8);
  return budget >= minimumBudgetTokens ? budget : maxTokens > minimumBudgetTokens * 2 ? minimumBudgetTokens : undefined;
}

/**
 * With a budget, the assistant turn whose tool results come last must begin with its thinking block. When that
 * block belongs to another model it was stripped, and this one request has to go without thinking.
 */
function endsInUnsignedToolLoop(messages: readonly JsonObject[]): boolean {
  const blocksOf = (message: JsonObject | undefined): JsonObject[] => (Array.isArray(message?.content) ? (message.content as JsonObject[]) : []);
  if (!blocksOf(messages.at(-1)).some((block) => block.type === 'tool_result')) return false;
  const [first] = blocksOf(messages.at(-2));
  return first?.type !== 'thinking' && first?.type !== 'redacted_thinking';
}

