import type { ProtocolName } from '../../../server/api/conversation.ts';
import { isObject, type JsonObject, type JsonValue } from '../../../server/base/json.ts';
import type { Provider } from '../../../server/catalog/provider.ts';

/**
 * What a provider that keeps to its entry would refuse of a body, each as a sentence. Written from the fields' descriptions in
 * `server/protocols/codec.ts`, and without the code that makes bodies fit.
 */
export function dialectRefusals({ dialect, protocolRules }: Provider, protocol: ProtocolName, model: string, body: JsonObject): string[] {
  const refused: string[] = [];
  const refuse = (when: boolean, sentence: string): void => { if (when) refused.push(sentence); };
  for (const name of dialect.dropFields ?? []) refuse(body[name] !== undefined, `${name} is unknown`);
  refuse(dialect.temperatureAboveZero === true && body.temperature === 0, 'the temperature must be above zero');
  refuse(dialect.highestTemperature !== undefined && Number(body.temperature ?? 0) > dialect.highestTemperature, 'the temperature is too high');
  if (protocol !== 'openai-chat') {
    const isResponses = protocol === 'openai-responses';
    refuse(isResponses && dialect.developerRole !== true && rolesOf(body.input).includes('developer'), 'the role developer is unknown');
    refuse(isResponses && dialect.plainItems === true && itemsOf(body.input).some(item => !isPlainItem(item)), 'items have parts of OpenAI\'s');
    refuse(isResponses && kindOf(body.tool_choice) !== undefined && dialect.toolChoices?.some(taken => taken === kindOf(body.tool_choice)) === false, 'tool_choice is not taken');
    if (protocol === 'anthropic-messages') {
      const made = isObject(body.tool_choice) ? { auto: 'auto', none: 'none', any: 'required', tool: 'function' }[String(body.tool_choice.type)] : undefined;
      refuse(made !== undefined && dialect.messagesToolChoices?.some(taken => taken === made) === false, `tool_choice ${String(made)} is not taken`);
      refuse(!model.includes('claude') && rolesOf(body.messages).includes('system'), 'a turn of the system is unknown');
      refuse(dialect.documents === false && JSON.stringify(body.messages).includes('"type":"document"'), 'documents are unknown');
    }
    return refused;
  }
  const messages = Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
  const known = dialect.reasoningField ?? 'reasoning_content';
  refuse(dialect.developerRole !== true && messages.some(({ role }) => role === 'developer'), 'the role developer is unknown');
  refuse(dialect.maxTokensFieldOnly === true && body[dialect.maxTokensField === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens'] !== undefined, 'the output limit has another name');
  refuse(dialect.jsonSchemaOutput === false && isObject(body.response_format) && body.response_format.type === 'json_schema', 'response_format takes no schema');
  const systems = messages.flatMap(({ role }, index) => (role === 'system' ? [index] : []));
  refuse(dialect.oneSystemMessage === true && systems.some(index => index > 0), 'one message of the system stands at the beginning');
  refuse(dialect.userMessageRequired === true && !messages.some(({ role }) => role === 'user'), 'nothing was said by the user');
  refuse(dialect.jsonArguments === true && messages.some(message => callsOf(message).some(call => isObject(call.function) && call.function.arguments === '')), 'arguments are no JSON');
  refuse(dialect.toolParametersRequired === true && toolsOf(body).some(tool => tool.parameters === undefined), 'functions have no parameters');
  refuse(dialect.sameToolStrict === true && new Set(toolsOf(body).map(tool => tool.strict === true)).size > 1, 'tools have different strict');
  refuse(dialect.mostPlainOutputTokens !== undefined && body.stream !== true && Math.max(Number(body.max_tokens ?? 0), Number(body.max_completion_tokens ?? 0)) > dialect.mostPlainOutputTokens, 'the limit of a plain answer is too high');
  refuse(dialect.jsonWithoutThinking?.test(model) === true && isObject(body.response_format) && body.response_format.type !== 'text' && body.enable_thinking !== false, 'a form of JSON needs thinking turned off');
  refuse(dialect.messageFields !== undefined && messages.some(message => Object.keys(message).some(name => dialect.messageFields?.[String(message.role)]?.includes(name) === false)), 'messages have fields that are unknown');
  refuse(dialect.mostStops !== undefined && Array.isArray(body.stop) && body.stop.length > dialect.mostStops, 'there are too many stop strings');
  refuse(dialect.seedField !== undefined && dialect.seedField !== 'seed' && body.seed !== undefined, 'the seed has another name');
  refuse(dialect.streamUsageOption === false && body.stream_options !== undefined, 'stream_options is unknown');
  refuse(dialect.plainContent === true && messages.some(({ content }) => typeof content !== 'string' && !(Array.isArray(content) && content.some(part => isObject(part) && part.type !== 'text'))), 'content must be text');
  refuse(dialect.reasoningFieldOnly === true && messages.some(message => ['reasoning', 'reasoning_content'].some(name => name !== known && message[name] !== undefined)), 'reasoning has another name');
  refuse(dialect.reasoningRequiredWithTools === true && messages.some(message => Array.isArray(message.tool_calls) && typeof message[known] !== 'string'), 'calls come without their reasoning');
  refuse(dialect.assistantLast === 'prefix' && messages.at(-1)?.role === 'assistant' && messages.at(-1)?.prefix !== true, 'the last message is the assistant\'s');
  refuse(dialect.toolStrict === false && toolsOf(body).some(tool => tool.strict !== undefined), 'tools have strict');
  refuse(dialect.efforts !== undefined && typeof body.reasoning_effort === 'string' && !dialect.efforts.includes(body.reasoning_effort), 'the effort is unknown');
  const ids = messages.flatMap(message => [message.tool_call_id, ...(Array.isArray(message.tool_calls) ? message.tool_calls.map(call => (isObject(call) ? call.id : undefined)) : [])]).filter(id => typeof id === 'string');
  refuse(dialect.shortCallIds === true && ids.some(id => !/^[a-zA-Z0-9]{9}$/.test(id)), 'ids of calls are no nine letters and digits');
  refuse(ids.some(id => id.length > (dialect.maxCallIdLength ?? Infinity)), 'ids of calls are too long');
  const kind = kindOf(body.tool_choice);
  refuse(kind !== undefined && dialect.toolChoices !== undefined && !dialect.toolChoices.some(taken => taken === kind), `tool_choice ${String(kind)} is not taken`);
  const thinks = body.enable_thinking !== false && !(isObject(body.thinking) && body.thinking.type === 'disabled');
  refuse(dialect.forcedChoiceWithoutThinking === true && thinks && (kind === 'required' || kind === 'function'), 'thinking models cannot be forced to a tool');
  refuse(dialect.plainWithoutThinking?.test(model) === true && body.stream !== true && body.enable_thinking !== false, 'a plain answer needs thinking turned off');
  refuse(protocolRules === undefined && body.cache_control !== undefined, 'cache_control is unknown');
  return refused;
}

function kindOf(choice: JsonValue | undefined): string | undefined {
  return typeof choice === 'string' ? choice : isObject(choice) ? 'function' : undefined;
}

function callsOf({ tool_calls: calls }: JsonObject): JsonObject[] {
  return Array.isArray(calls) ? calls.filter(isObject) : [];
}

function itemsOf(input: JsonValue | undefined): JsonObject[] {
  return Array.isArray(input) ? input.filter(isObject) : [];
}

function isPlainItem({ type, role, content, output }: JsonObject): boolean {
  if (type === 'function_call') return true;
  return type === 'function_call_output' ? typeof output === 'string' : type === 'message' && (role !== 'assistant' || typeof content === 'string');
}

function rolesOf(input: JsonValue | undefined): unknown[] {
  return Array.isArray(input) ? input.map(item => (isObject(item) ? item.role : undefined)) : [];
}

function toolsOf({ tools }: JsonObject): JsonObject[] {
  return Array.isArray(tools) ? tools.flatMap(tool => (isObject(tool) && isObject(tool.function) ? [tool.function] : [])) : [];
}
