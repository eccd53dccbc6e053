import type { ConversationRequest, ResponseFormat, ToolChoice, ToolDefinition } from '../../api/conversation.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { withShortCallIds } from '../tools/callIds.ts';
import type { Dialect, EncodeTarget } from '../codec.ts';
import { withHostedTools } from '../conversationShape.ts';
import { asFunctions, grammarOf } from '../customTools.ts';
import { withoutUndefined } from '../fields.ts';
import { encodeChatMessages } from './messagesEncode.ts';
import { nearestEffort, requestedEffort } from '../reasoningEffort.ts';
import { oncePerList } from '../toolLists.ts';

/** Longer identifiers than this are refused by OpenAI; agents send whole JSON documents here. */
const maxUserLength = 64;
const maxStopStrings = 4;

/**
 * Writes the body of `POST /v1/chat/completions` for one target. What the caller did not ask for is not in the
 * body, and neither is what only another protocol knows (`top_k`, cache breakpoints, foreign reasoning).
 */
export function encodeChatRequest(request: ConversationRequest, target: EncodeTarget): JsonObject {
  const { dialect } = target;
  return withoutUndefined({
    model: target.model,
    messages: encodeChatMessages(dialect.shortCallIds === true ? withShortCallIds(request) : request, target),
    [dialect.maxTokensField ?? 'max_completion_tokens']: request.maxOutputTokens,
    temperature: clamp(request.temperature, 0, 2),
    top_p: request.topP,
    stop: request.stop?.slice(0, maxStopStrings),
    [dialect.seedField ?? 'seed']: request.seed,
    frequency_penalty: request.frequencyPenalty,
    presence_penalty: request.presencePenalty,
    n: request.choices,
    logprobs: request.logprobs === undefined ? undefined : true,
    top_logprobs: request.logprobs?.top,
    response_format: encodeResponseFormat(request.responseFormat),
    ...encodeReasoning(request, target),
    ...encodeTools(request, dialect),
    verbosity: request.verbosity,
    service_tier: request.serviceTier === 'standard_only' ? undefined : request.serviceTier,
    user: request.user !== undefined && request.user.length <= maxUserLength ? request.user : undefined,
    prompt_cache_key: request.promptCacheKey,
    stream: target.stream ? true : undefined,
    stream_options: target.stream && dialect.streamUsageOption !== false ? { include_usage: true } : undefined,
  });
}

const webSearchField = 'web_search_options';

function encodeTools(request: ConversationRequest, dialect: Dialect): JsonObject {
  const asWritten = dialect.customTools === true ? request.tools : asFunctions(request.tools);
  const hostedTools = (request.hostedTools ?? []).filter(({ type }) => type !== webSearchField);
  const tools = withHostedTools(encodeToolList(asWritten), { hostedTools }, 'openai-chat');
  const webSearch = request.hostedTools?.findLast(({ protocol, type }) => protocol === 'openai-chat' && type === webSearchField)?.definition as JsonObject | undefined;
  // A choice among no tools is refused.
  const choosable = tools.length > 0;
  return {
    tools: choosable ? tools : undefined,
    tool_choice: choosable && request.toolChoice !== undefined ? encodeToolChoice(request.toolChoice, asWritten) : undefined,
    parallel_tool_calls: choosable ? request.parallelToolCalls : undefined,
    web_search_options: webSearch,
  };
}

const encodeToolList = oncePerList((tools: ToolDefinition[]): JsonValue[] => tools.map(encodeTool));

function encodeTool(tool: ToolDefinition): JsonObject {
  if (tool.kind === 'custom') {
    const grammar = grammarOf(tool.format);
    const format = grammar === undefined ? tool.format as JsonObject | undefined : { type: 'grammar', grammar };
    return { type: 'custom', custom: withoutUndefined({ name: tool.name, description: tool.description, format }) };
  }
  return {
    type: 'function',
    function: withoutUndefined({
      name: tool.name,
      description: tool.description,
      parameters: (tool.parameters ?? { type: 'object', properties: {} }) as JsonObject,
      strict: tool.strict,
    }),
  };
}

function encodeToolChoice(choice: ToolChoice, tools: readonly ToolDefinition[]): JsonValue {
  if (choice.type !== 'tool') return choice.type;
  return tools.find((tool) => tool.name === choice.name)?.kind === 'custom'
    ? { type: 'custom', custom: { name: choice.name } }
    : { type: 'function', function: { name: choice.name } };
}

function encodeResponseFormat(format: ResponseFormat | undefined): JsonObject | undefined {
  switch (format?.type) {
    case undefined: return undefined;
    case 'text': return { type: 'text' };
    case 'json': return { type: 'json_object' };
    case 'json-schema':
      return {
        type: 'json_schema',
        json_schema: withoutUndefined({
          name: format?.name, description: format?.description, schema: format?.schema as JsonObject | undefined, strict: format?.strict,
        }),
      };
  }
}

/**
 * A server whose accepted efforts are not known gets the effort as it was asked for, except `none`: older models
 * refuse the field altogether, and not asking is what comes nearest.
 */
function encodeReasoning(request: ConversationRequest, { dialect, stream }: EncodeTarget): JsonObject {
  const wanted = requestedEffort(request.reasoning);
  if (dialect.thinkingToggle === 'thinking-type') {
    if (request.reasoning === undefined) return {};
    if (wanted === 'none') return { thinking: { type: 'disabled' } };
    return {
      thinking: { type: 'enabled' },
      reasoning_effort: wanted === undefined || dialect.efforts === undefined ? undefined : nearestEffort(wanted, dialect.efforts),
    };
  }
  if (wanted === undefined) return {};
  // Some models refuse to think before a plain answer, and all think by default where they can.
  if (dialect.thinkingToggle === 'enable-thinking') return wanted === 'none' ? { enable_thinking: false } : stream ? { enable_thinking: true, thinking_budget: request.reasoning?.budgetTokens } : {};
  if (dialect.efforts !== undefined) return { reasoning_effort: nearestEffort(wanted, dialect.efforts) };
  return { reasoning_effort: wanted === 'none' ? undefined : wanted };
}

function clamp(value: number | undefined, low: number, high: number): number | undefined {
  return value === undefined ? undefined : Math.min(high, Math.max(low, value));
}
