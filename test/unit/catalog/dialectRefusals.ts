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
  if (protocol !== 'openai-chat') {
    refuse(protocol === 'openai-responses' && dialect.developerRole !== true && rolesOf(body.input).includes('developer'), 'the role developer is unknown');
    return refused;
  }
  const messages = Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
  const known = dialect.reasoningField ?? 'reasoning_content';
  refuse(dialect.developerRole !== true && messages.some(({ role }) => role === 'developer'), 'the role developer is unknown');
  refuse(dialect.maxTokensFieldOnly === true && body[dialect.maxTokensField === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens'] !== undefined, 'the output limit has another name');
  refuse(dialect.jsonSchemaOutput === false && isObject(body.response_format) && body.response_format.type === 'json_schema', 'response_format takes no schema');
  refuse(dialect.highestTemperature !== undefined && Number(body.temperature ?? 0) > dialect.highestTemperature, 'the temperature is too high');
  refuse(dialect.temperatureAboveZero === true && body.temperature === 0, 'the temperature must be above zero');
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
  const choice = body.tool_choice;
  const kind = typeof choice === 'string' ? choice : isObject(choice) ? 'function' : undefined;
  refuse(kind !== undefined && dialect.toolChoices !== undefined && !dialect.toolChoices.some(taken => taken === kind), `tool_choice ${String(kind)} is not taken`);
  const thinks = body.enable_thinking !== false && !(isObject(body.thinking) && body.thinking.type === 'disabled');
  refuse(dialect.forcedChoiceWithoutThinking === true && thinks && (kind === 'required' || kind === 'function'), 'thinking models cannot be forced to a tool');
  refuse(dialect.plainWithoutThinking?.test(model) === true && body.stream !== true && body.enable_thinking !== false, 'a plain answer needs thinking turned off');
  refuse(protocolRules === undefined && body.cache_control !== undefined, 'cache_control is unknown');
  return refused;
}

function rolesOf(input: JsonValue | undefined): unknown[] {
  return Array.isArray(input) ? input.map(item => (isObject(item) ? item.role : undefined)) : [];
}

function toolsOf({ tools }: JsonObject): JsonObject[] {
  return Array.isArray(tools) ? tools.flatMap(tool => (isObject(tool) && isObject(tool.function) ? [tool.function] : [])) : [];
}
