import type { ConversationEvent, ToolDefinition } from '../api/conversation.ts';
import { asString, isObject, parseJson } from '../base/json.ts';
import type { JsonObject } from '../base/json.ts';
import { oncePerList } from './toolLists.ts';

/**
 * Free-text (`custom`) tools for targets that know only functions: there they are functions with one text
 * argument, `input`, and what the format demanded is said in the description. {@link CustomToolRestorer} turns
 * calls of them back.
 */

/** The function that stands for a free-text tool. A tool that is a function already is given back as it is. */
export function asFunction(tool: ToolDefinition): ToolDefinition {
  if (tool.kind !== 'custom') return tool;
  const { format, kind, ...rest } = tool;
  return { ...rest, description: describe(tool), parameters: textArgument };
}

/** The tools as {@link asFunction} gives them. */
export const asFunctions = oncePerList((tools: ToolDefinition[]): ToolDefinition[] => (tools.some(({ kind }) => kind === 'custom') ? tools.map(asFunction) : tools));

/** The arguments of a call, as JSON text, as that function takes them. */
export function asFunctionArguments(call: { arguments: string; kind?: 'function' | 'custom' | undefined }): string {
  if (call.kind === 'custom') return JSON.stringify({ input: call.arguments });
  return call.arguments === '' ? '{}' : call.arguments;
}

/**
 * The free text inside the arguments of a call. Models now and then name the argument differently, or send the
 * text itself: what cannot be anything but the text is taken for it.
 */
export function freeTextOf(argumentsText: string): string {
  const parsed = parseJson(argumentsText);
  if (typeof parsed === 'string') return parsed;
  if (!isObject(parsed)) return argumentsText;
  if (typeof parsed.input === 'string') return parsed.input;
  const [only, ...others] = Object.values(parsed);
  return typeof only === 'string' && others.length === 0 ? only : argumentsText;
}

/** The grammar of a format, which the two OpenAI protocols nest differently; undefined for plain text. */
export function grammarOf(format: Record<string, unknown> | undefined): { syntax: string; definition: string } | undefined {
  if (format?.type !== 'grammar') return undefined;
  const grammar: JsonObject = isObject(format.grammar) ? format.grammar : (format as JsonObject);
  const definition = asString(grammar.definition);
  return definition === undefined ? undefined : { syntax: asString(grammar.syntax) ?? 'lark', definition };
}

const textArgument: Record<string, unknown> = {
  type: 'object',
  properties: { input: { type: 'string', description: 'The whole input of the tool, as plain text.' } },
  required: ['input'],
  additionalProperties: false,
};

function describe(tool: ToolDefinition): string {
  const parts = tool.description === undefined || tool.description === '' ? [] : [tool.description];
  parts.push('Put the whole input of this tool, as plain text, into the argument "input".');
  const grammar = grammarOf(tool.format);
  if (grammar !== undefined) parts.push(`The text must match this ${grammar.syntax} grammar:\n${grammar.definition}`);
  return parts.join('\n\n');
}

/**
 * Turns calls of functions that stand for free-text tools back into calls of those tools. Their arguments are
 * held until the call is complete, as half a JSON string says nothing yet.
 */
export class CustomToolRestorer {
  readonly #names: ReadonlySet<string>;
  readonly #held = new Map<number, string>();

  constructor(names: ReadonlySet<string>) {
    this.#names = names;
  }

  /**
   * @param tools the caller's own tools
   * @returns undefined when none of them is a free-text tool: most callers have none, and then nothing is to be done
   */
  static for(tools: readonly ToolDefinition[] | undefined): CustomToolRestorer | undefined {
    const names = new Set((tools ?? []).filter((tool) => tool.kind === 'custom').map((tool) => tool.name));
    return names.size === 0 ? undefined : new CustomToolRestorer(names);
  }

  restore(event: ConversationEvent): ConversationEvent[] {
    switch (event.type) {
      case 'tool-call-start':
        if (event.kind === 'custom' || !this.#names.has(event.name)) return [event];
        this.#held.set(event.index, '');
        return [{ ...event, kind: 'custom' }];
      case 'tool-call-arguments': {
        const held = this.#held.get(event.index);
        if (held === undefined) return [event];
        this.#held.set(event.index, held + event.text);
        return [];
      }
      case 'tool-call-end': {
        const held = this.#held.get(event.index);
        if (held === undefined) return [event];
        this.#held.delete(event.index);
        return [{ type: 'tool-call-arguments', index: event.index, text: freeTextOf(held) }, event];
      }
      default:
        return [event];
    }
  }
}
