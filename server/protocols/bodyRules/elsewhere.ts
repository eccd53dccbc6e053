import { isObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { leftOut } from '../media.ts';

/*
 * What a Messages request has elsewhere than in itself: images and documents behind an address, and tools that run at the
 * provider. Sources: Anthropic's page on Claude at Amazon Bedrock, and the API reference of InvokeModel; read 2026-11-27.
 */

/** Tools of Anthropic's own that the caller runs. */
const callersTools = /^(?:custom$|bash_|text_editor_|computer_|memory_|tool_search_)/;

/** Whether something may be elsewhere. False is certain. @param tools where the list of tools stands */
export function mayBeElsewhere(bytes: Buffer, tools: { start: number; end: number } | undefined): boolean {
  if (/"type"\s*:\s*"(?:url|file)"/.test(mediaTypes(bytes))) return true;
  return tools !== undefined && bytes.subarray(tools.start, tools.end).includes('"type"') && hasProvidersTool(bytes.toString('latin1', tools.start, tools.end));
}

/** The places where a source may name its kind. */
function mediaTypes(bytes: Buffer): string {
  let places = '';
  for (const word of ['"url"', '"file"']) {
    for (let at = bytes.indexOf(word, 0, 'latin1'); at !== -1 && places.length < 4096; at = bytes.indexOf(word, at + word.length, 'latin1')) places += bytes.toString('latin1', Math.max(0, at - 16), at + word.length);
  }
  return places;
}

function hasProvidersTool(tools: string): boolean {
  return /"type"\s*:\s*"[a-z_]{1,60}_20\d{6}"/.test(tools);
}

/** Leaves out of a body what is elsewhere, with words in place of media. @param changes takes what was left out, in words */
export function leaveOutElsewhere(body: JsonObject, changes: Set<string>): void {
  if (Array.isArray(body.messages)) body.messages = body.messages.map(message => (isObject(message) && Array.isArray(message.content) ? { ...message, content: message.content.map(block => inItself(block, changes)) } : message));
  if (!Array.isArray(body.tools)) return;
  const own = body.tools.filter(tool => !isObject(tool) || tool.input_schema !== undefined || typeof tool.type !== 'string' || callersTools.test(tool.type));
  if (own.length === body.tools.length) return;
  for (const tool of body.tools) if (!own.includes(tool) && isObject(tool)) changes.add(`the tool ${String(tool.name)}, which runs at Anthropic, was left out`);
  if (own.length > 0) body.tools = own;
  else {
    delete body.tools;
    delete body.tool_choice;
  }
}

function inItself(block: JsonValue, changes: Set<string>): JsonValue {
  if (!isObject(block)) return block;
  if (block.type === 'tool_result' && Array.isArray(block.content)) return { ...block, content: block.content.map(part => inItself(part, changes)) };
  if ((block.type !== 'image' && block.type !== 'document') || !isObject(block.source) || (block.source.type !== 'url' && block.source.type !== 'file')) return block;
  changes.add(`${block.type === 'image' ? 'an image' : 'a document'} behind an address was left out`);
  return { type: 'text', text: leftOut(block.type === 'image' ? 'An image behind an address' : 'A document behind an address').text };
}
