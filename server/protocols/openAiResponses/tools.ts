import type { ConversationRequest, HostedTool, ToolChoice, ToolDefinition } from '../../api/conversation.ts';
import { asString, isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import type { Dialect } from '../codec.ts';
import { RequestFormatError } from '../codec.ts';
import { asFunctions, grammarOf } from '../customTools.ts';
import { arrayField, booleanField, objectField, requiredObject, requiredString, stringField, withoutUndefined } from '../fields.ts';
import { withHostedTools } from '../conversationShape.ts';
import { oncePerList } from '../toolLists.ts';

/** Longer names are refused by most providers. */
const maxNameLength = 64;
/** Codex's name for tools that are in no group. */
const defaultNamespace = 'functions';

/** The tools of a request, in the order in which they were met. */
export interface ReadTools { tools: ToolDefinition[]; hostedTools: HostedTool[]; names: Set<string> }

/**
 * One name for a tool in a namespace, for targets that know no namespaces; undefined namespace: the tool's own.
 * The same pair always gives the same name, so history and definitions agree.
 */
export function flatName(namespace: string | undefined, tool: string): string {
  if (namespace === undefined || namespace === '' || namespace === defaultNamespace) return tool;
  const joined = `${namespace}${namespace.endsWith('__') ? '' : '__'}${tool}`.replace(/[^a-zA-Z0-9_-]/g, '_');
  if (joined.length <= maxNameLength) return joined;
  const mark = `_${hash(`${namespace}\n${tool}`)}`;
  return joined.slice(0, maxNameLength - mark.length) + mark;
}

/** FNV-1a, in 8 hexadecimal digits. */
function hash(text: string): string {
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) state = Math.imul(state ^ byte, 0x01000193) >>> 0;
  return state.toString(16).padStart(8, '0');
}

/**
 * Adds the tools of a list, which may hold functions, free-text tools, namespaces of both, and hosted tools.
 * A tool that is declared twice counts once: Codex repeats what a tool search has found.
 * @throws RequestFormatError
 */
export function readTools(list: readonly JsonValue[], path: string, into: ReadTools): void {
  for (const [index, entry] of list.entries()) readTool(requiredObject(entry, `${path}[${index}]`), `${path}[${index}]`, undefined, into);
}

/** The tools of the request's own list. Nothing may be added to them. */
export const readToolList = oncePerList((list: JsonValue[]): ReadTools => {
  const read: ReadTools = { tools: [], hostedTools: [], names: new Set() };
  readTools(list, 'tools', read);
  return read;
});

function readTool(tool: JsonObject, path: string, namespace: string | undefined, into: ReadTools): void {
  switch (tool.type) {
    case 'function':
      addTool(into, {
        ...named(tool, path, namespace),
        parameters: objectField(tool, 'parameters', `${path}.parameters`),
        strict: booleanField(tool, 'strict', `${path}.strict`),
      });
      return;
    case 'custom':
      addTool(into, { ...named(tool, path, namespace), kind: 'custom', format: objectField(tool, 'format', `${path}.format`) });
      return;
    case 'namespace': {
      const name = requiredString(tool, 'name', `${path}.name`);
      for (const [index, entry] of (arrayField(tool, 'tools', `${path}.tools`) ?? []).entries()) {
        readTool(requiredObject(entry, `${path}.tools[${index}]`), `${path}.tools[${index}]`, name, into);
      }
      return;
    }
    default:
      into.hostedTools.push({ protocol: 'openai-responses', type: asString(tool.type) ?? 'unknown', definition: tool });
  }
}

function named(tool: JsonObject, path: string, namespace: string | undefined): ToolDefinition {
  const own = requiredString(tool, 'name', `${path}.name`);
  const description = stringField(tool, 'description', `${path}.description`);
  if (namespace === undefined) return { name: own, description };
  return { name: flatName(namespace, own), description, namespace: { name: namespace, tool: own } };
}

function addTool(into: ReadTools, tool: ToolDefinition): void {
  if (into.names.has(tool.name)) return;
  into.names.add(tool.name);
  into.tools.push(tool);
}

export interface ReadToolChoice {
  choice?: ToolChoice | undefined;
  /** The flat names of an `allowed_tools` choice: other protocols express it by sending only those. */
  allowed?: ReadonlySet<string> | undefined;
  /** The hosted tool the model is forced to; only the provider itself can do that. */
  hosted?: string | undefined;
}

/** @throws RequestFormatError */
export function readToolChoice(choice: JsonValue | undefined): ReadToolChoice {
  if (choice === undefined || choice === null) return {};
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { choice: { type: choice } };
  if (!isObject(choice)) throw new RequestFormatError('tool_choice', 'must be "auto", "none", "required" or an object');
  if (choice.type === 'function' || choice.type === 'custom') {
    return { choice: { type: 'tool', name: flatName(asString(choice.namespace), requiredString(choice, 'name', 'tool_choice.name')) } };
  }
  if (choice.type !== 'allowed_tools') return { hosted: asString(choice.type) ?? 'unknown' };
  const allowed = new Set<string>();
  for (const entry of arrayField(choice, 'tools', 'tool_choice.tools') ?? []) {
    const name = isObject(entry) ? asString(entry.name) : undefined;
    if (isObject(entry) && name !== undefined) allowed.add(flatName(asString(entry.namespace), name));
  }
  return { choice: { type: choice.mode === 'required' ? 'required' : 'auto' }, allowed };
}

/** The tool fields of a request body. */
export function writeTools(request: ConversationRequest, dialect: Dialect): JsonObject {
  const asWritten = dialect.customTools === false ? asFunctions(request.tools) : request.tools;
  const tools = withHostedTools(writeToolList(asWritten), request, 'openai-responses');
  // A choice among no tools is refused.
  if (tools.length === 0) return {};
  return {
    tools,
    tool_choice: request.toolChoice === undefined ? undefined : writeToolChoice(request.toolChoice, asWritten),
    parallel_tool_calls: request.parallelToolCalls,
  };
}

const writeToolList = oncePerList((tools: ToolDefinition[]): JsonValue[] => tools.map(writeTool));

function writeTool(tool: ToolDefinition): JsonObject {
  if (tool.kind === 'custom') {
    const grammar = grammarOf(tool.format);
    const format = grammar === undefined ? tool.format as JsonObject | undefined : { type: 'grammar', ...grammar };
    return withoutUndefined({ type: 'custom', name: tool.name, description: tool.description, format });
  }
  return withoutUndefined({
    type: 'function',
    name: tool.name,
    description: tool.description,
    parameters: (tool.parameters ?? { type: 'object', properties: {} }) as JsonObject,
    // An absent `strict` means true, which schemas of other protocols are not written for.
    strict: tool.strict ?? false,
  });
}

function writeToolChoice(choice: ToolChoice, tools: readonly ToolDefinition[]): JsonValue {
  if (choice.type !== 'tool') return choice.type;
  return { type: tools.find((tool) => tool.name === choice.name)?.kind === 'custom' ? 'custom' : 'function', name: choice.name };
}
