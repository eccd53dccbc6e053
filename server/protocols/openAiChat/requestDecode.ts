import type { ConversationRequest, HostedTool, ReasoningRequest, ResponseFormat, ToolChoice, ToolDefinition } from '../../api/conversation.ts';
import { asString, isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { RequestFormatError } from '../codec.ts';
import { severalAnswers } from '../conversationShape.ts';
import { arrayField, booleanField, numberField, objectField, requiredObject, requiredString, stringField } from '../fields.ts';
import { decodeChatMessages } from './messagesDecode.ts';
import { parseEffort } from '../reasoningEffort.ts';
import { oncePerList } from '../toolLists.ts';

/**
 * Reads the body of `POST /v1/chat/completions`. Fields it does not know are ignored; content it does not know
 * becomes a note to the model.
 * @throws RequestFormatError
 */
export function decodeChatRequest(body: JsonObject): ConversationRequest {
  const messages = arrayField(body, 'messages');
  if (messages === undefined) throw new RequestFormatError('messages', 'is required');
  const { tools, hostedTools } = decodeTools(body);
  const choice = decodeToolChoice(body.tool_choice ?? body.function_call, tools);
  return {
    ...decodeChatMessages(messages),
    tools: choice.allowed === undefined ? tools : tools.filter((tool) => choice.allowed?.has(tool.name)),
    hostedTools: hostedTools.length === 0 ? undefined : hostedTools,
    toolChoice: choice.choice,
    parallelToolCalls: booleanField(body, 'parallel_tool_calls'),
    maxOutputTokens: numberField(body, 'max_completion_tokens') ?? numberField(body, 'max_tokens'),
    temperature: numberField(body, 'temperature'),
    topP: numberField(body, 'top_p'),
    topK: numberField(body, 'top_k'),
    stop: decodeStop(body.stop),
    seed: numberField(body, 'seed') ?? numberField(body, 'random_seed'),
    frequencyPenalty: numberField(body, 'frequency_penalty'),
    presencePenalty: numberField(body, 'presence_penalty'),
    choices: numberField(body, 'n'),
    logprobs: booleanField(body, 'logprobs') === true ? { top: numberField(body, 'top_logprobs') } : undefined,
    responseFormat: decodeResponseFormat(body),
    reasoning: decodeReasoning(body),
    verbosity: stringField(body, 'verbosity'),
    serviceTier: stringField(body, 'service_tier'),
    user: stringField(body, 'safety_identifier') ?? stringField(body, 'user'),
    promptCacheKey: stringField(body, 'prompt_cache_key'),
    providerState: severalAnswers(numberField(body, 'n')),
  };
}

interface DecodedTools { tools: ToolDefinition[]; hostedTools: HostedTool[] }

function decodeTools(body: JsonObject): DecodedTools {
  const listed = decodeToolList(arrayField(body, 'tools') ?? []);
  const functions = (arrayField(body, 'functions') ?? []).map((entry, index) => decodeFunction(requiredObject(entry, `functions[${index}]`), `functions[${index}]`));
  const search = body.web_search_options;
  return {
    tools: functions.length === 0 ? listed.tools : [...listed.tools, ...functions],
    hostedTools: isObject(search) ? [...listed.hostedTools, { protocol: 'openai-chat', type: 'web_search_options', definition: search }] : listed.hostedTools,
  };
}

const decodeToolList = oncePerList((list: JsonValue[]): DecodedTools => {
  const tools: ToolDefinition[] = [];
  const hostedTools: HostedTool[] = [];
  for (const [index, entry] of list.entries()) {
    const path = `tools[${index}]`;
    const tool = requiredObject(entry, path);
    if (tool.type === 'custom') {
      const custom = objectField(tool, 'custom', `${path}.custom`) ?? tool;
      tools.push({
        name: requiredString(custom, 'name', `${path}.custom.name`),
        description: stringField(custom, 'description', `${path}.custom.description`),
        kind: 'custom',
        format: objectField(custom, 'format', `${path}.custom.format`),
      });
    } else if (tool.type === 'function' || (tool.type === undefined && tool.function !== undefined)) {
      tools.push(decodeFunction(requiredObject(tool.function, `${path}.function`), `${path}.function`));
    } else {
      hostedTools.push({ protocol: 'openai-chat', type: asString(tool.type) ?? 'unknown', definition: tool });
    }
  }
  return { tools, hostedTools };
});

function decodeFunction(definition: JsonObject, path: string): ToolDefinition {
  return {
    name: requiredString(definition, 'name', `${path}.name`),
    description: stringField(definition, 'description', `${path}.description`),
    parameters: objectField(definition, 'parameters', `${path}.parameters`),
    strict: booleanField(definition, 'strict', `${path}.strict`),
  };
}

/** `allowed` is the subset of an `allowed_tools` choice: other protocols express it by sending only those. */
function decodeToolChoice(choice: JsonValue | undefined, tools: readonly ToolDefinition[]): { choice?: ToolChoice; allowed?: ReadonlySet<string> } {
  if (choice === undefined || choice === null) return {};
  if (choice === 'auto' || choice === 'none') return { choice: { type: choice } };
  // Mistral writes `any`.
  if (choice === 'required' || choice === 'any') return { choice: { type: 'required' } };
  if (!isObject(choice)) throw new RequestFormatError('tool_choice', 'must be "auto", "none", "required" or an object');
  if (choice.type === 'allowed_tools') {
    const subset = requiredObject(choice.allowed_tools, 'tool_choice.allowed_tools');
    const named = new Set((arrayField(subset, 'tools', 'tool_choice.allowed_tools.tools') ?? []).filter((entry) => isObject(entry)).map(toolName));
    const allowed = new Set(tools.map((tool) => tool.name).filter((name) => named.has(name)));
    return { choice: { type: subset.mode === 'required' ? 'required' : 'auto' }, allowed };
  }
  const name = toolName(choice);
  if (name === undefined) throw new RequestFormatError('tool_choice', 'names no tool');
  return { choice: { type: 'tool', name } };
}

/** The name in `{function:{name}}`, `{custom:{name}}`, or the legacy and flat `{name}`. */
function toolName(entry: JsonObject): string | undefined {
  const holder = isObject(entry.function) ? entry.function : isObject(entry.custom) ? entry.custom : entry;
  return asString(holder.name);
}

function decodeStop(stop: JsonValue | undefined): string[] | undefined {
  if (stop === undefined || stop === null) return undefined;
  const list = Array.isArray(stop) ? stop : [stop];
  if (!list.every((entry) => typeof entry === 'string')) throw new RequestFormatError('stop', 'must be a string or a list of strings');
  return list.length === 0 ? undefined : list;
}

function decodeResponseFormat(body: JsonObject): ResponseFormat | undefined {
  const format = objectField(body, 'response_format');
  switch (format?.type) {
    case undefined: return undefined;
    case 'text': return { type: 'text' };
    case 'json_object': return { type: 'json' };
    case 'json_schema': {
      const path = 'response_format.json_schema';
      const described = requiredObject(format?.json_schema, path);
      return {
        type: 'json-schema',
        name: stringField(described, 'name', `${path}.name`) ?? 'response',
        schema: objectField(described, 'schema', `${path}.schema`) ?? {},
        strict: booleanField(described, 'strict', `${path}.strict`),
        description: stringField(described, 'description', `${path}.description`),
      };
    }
    default: return undefined;
  }
}

/** OpenAI's `reasoning_effort`, OpenRouter's `reasoning`, and the `thinking` switch of DeepSeek and Kimi. */
function decodeReasoning(body: JsonObject): ReasoningRequest | undefined {
  const reasoning = isObject(body.reasoning) ? body.reasoning : {};
  const thinking = isObject(body.thinking) ? body.thinking : {};
  const off = reasoning.enabled === false || thinking.type === 'disabled';
  const effort = off ? 'none' : parseEffort(body.reasoning_effort) ?? parseEffort(reasoning.effort);
  const budgetTokens = numberField(reasoning, 'max_tokens', 'reasoning.max_tokens') ?? numberField(thinking, 'budget_tokens', 'thinking.budget_tokens');
  const visible = typeof reasoning.exclude === 'boolean' ? !reasoning.exclude : undefined;
  const on = reasoning.enabled === true || (thinking.type !== undefined && thinking.type !== 'disabled');
  if (effort === undefined && budgetTokens === undefined && visible === undefined && !on) return undefined;
  return { effort, budgetTokens: off ? undefined : budgetTokens, visible };
}
