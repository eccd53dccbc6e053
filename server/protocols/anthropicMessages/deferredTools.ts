import { asString, isObject, type JsonValue } from '../../base/json.ts';
import type { HostedTool, ToolDefinition } from '../../api/conversation.ts';

/** The tools of a request, and which of them Anthropic's API shows to the model only after a search has found them. */
export interface ListedTools {
  readonly tools: ToolDefinition[];
  readonly hostedTools: HostedTool[] | undefined;
  /** Names of tools with `defer_loading`. */
  readonly deferred: ReadonlySet<string>;
}

const searchTool = /tool_?search|search_?tools?$/i;

/**
 * The tools that a target of another protocol is offered: such targets know no deferred tools, so one is offered from the moment
 * at which a `tool_reference` names it, as the model would see it at Anthropic. All are offered where no search of the caller's
 * could find them: Anthropic's own search cannot run elsewhere.
 * Source: platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool, November 2026.
 */
export function offeredTools({ tools, hostedTools, deferred }: ListedTools, messages: readonly JsonValue[], chosen: string | undefined): ToolDefinition[] {
  if (deferred.size === 0 || hostedTools?.some(tool => tool.type.startsWith('tool_search_tool')) === true) return tools;
  const loaded = loadedNames(messages);
  if (loaded.size === 0 && !tools.some(tool => !deferred.has(tool.name) && searchTool.test(tool.name))) return tools;
  return tools.filter(({ name }) => !deferred.has(name) || loaded.has(name) || name === chosen);
}

/** Names of tools that the history refers to, or calls. */
function loadedNames(messages: readonly JsonValue[]): Set<string> {
  const names = new Set<string>();
  for (const message of messages) {
    if (!isObject(message) || !Array.isArray(message.content)) continue;
    for (const block of message.content) {
      if (!isObject(block)) continue;
      if (block.type === 'tool_use') addName(names, block.name);
      else for (const name of referencedNames(block)) names.add(name);
    }
  }
  return names;
}

/** Names in the `tool_reference` blocks of a result, of the caller's own search or of Anthropic's. */
export function referencedNames({ content }: { content?: JsonValue | undefined }): string[] {
  const blocks = isObject(content) ? content.tool_references : content;
  if (!Array.isArray(blocks)) return [];
  const names = new Set<string>();
  for (const block of blocks) if (isObject(block) && block.type === 'tool_reference') addName(names, block.tool_name);
  return [...names];
}

function addName(names: Set<string>, value: JsonValue | undefined): void {
  const name = asString(value);
  if (name !== undefined) names.add(name);
}

/** What a `tool_reference` says to a model whose protocol has none. */
export function referenceText(names: readonly string[]): string {
  return names.length === 0 ? 'No tool was found.' : names.map(name => `The tool "${name}" is loaded and can be called now.`).join('\n');
}
