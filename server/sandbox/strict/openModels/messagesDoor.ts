import { asNumber, asString, isObject } from '../../../base/json.ts';
import type { JsonObject, JsonValue } from '../../../base/json.ts';
import { mediaTypeOfBytes, objectOf, objectsOf } from '../strictCheck.ts';

/* What providers with a door for Anthropic's Messages read of a request; how they refuse it stands with each of them. */

/** What is wrong with a Messages request: the kind, where it stands and the value that stands there. */
export interface DoorFault {
  kind: 'role' | 'limit' | 'orphan' | 'name' | 'schema' | 'empty' | 'image';
  path: string;
  value: string;
}

function blocksOf(content: JsonValue | undefined): JsonObject[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : objectsOf(content);
}

/** The faults that no door takes: other roles than `user` and `assistant`, no output limit, results without calls, names and schemas of tools that are none. */
export function doorFault(body: JsonObject): DoorFault | undefined {
  if ((asNumber(body['max_tokens']) ?? 0) < 1) return { kind: 'limit', path: 'max_tokens', value: String(body['max_tokens']) };
  const list = objectsOf(body['messages']);
  if (list.length === 0) return { kind: 'empty', path: 'messages', value: '' };
  for (const [index, message] of list.entries()) {
    const role = asString(message['role']) ?? '';
    if (role !== 'user' && role !== 'assistant') return { kind: 'role', path: `messages[${index}].role`, value: role };
    const blocks = blocksOf(message['content']);
    if (blocks.length === 0) return { kind: 'empty', path: `messages[${index}].content`, value: '' };
    const called = new Set(blocksOf(list[index - 1]?.['content']).filter((block) => block['type'] === 'tool_use').map((block) => block['id']));
    for (const [position, block] of blocks.entries()) {
      const path = `messages[${index}].content[${position}]`;
      if (block['type'] === 'tool_result' && !called.has(block['tool_use_id'])) return { kind: 'orphan', path, value: asString(block['tool_use_id']) ?? '' };
      if (block['type'] === 'tool_use' && !isObject(block['input'])) return { kind: 'schema', path: `${path}.input`, value: '' };
      const image = badImage(block) ?? objectsOf(block['content']).map(badImage).find((found) => found !== undefined);
      if (image !== undefined) return { kind: 'image', path, value: image };
    }
  }
  for (const [index, tool] of objectsOf(body['tools']).entries()) {
    if (isOwnTool(tool)) continue;
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(asString(tool['name']) ?? '')) return { kind: 'name', path: `tools[${index}].name`, value: asString(tool['name']) ?? '' };
    if (objectOf(tool['input_schema'])['type'] !== 'object') return { kind: 'schema', path: `tools[${index}].input_schema`, value: asString(tool['name']) ?? '' };
  }
  return undefined;
}

/** A tool that Anthropic defines, and not the caller. */
export function isOwnTool(tool: JsonObject): boolean {
  return typeof tool['type'] === 'string' && tool['type'] !== 'custom';
}

/** The label of an image with a wrong label, or one that is none of Anthropic's. */
function badImage(block: JsonObject): string | undefined {
  const source = objectOf(block['source']);
  if (block['type'] !== 'image' || source['type'] !== 'base64') return undefined;
  const label = asString(source['media_type']) ?? '';
  if (!['image/jpeg', 'image/png', 'image/gif', 'image/webp'].includes(label)) return label;
  const real = mediaTypeOfBytes(asString(source['data']) ?? '');
  return real === undefined || real === label ? undefined : label;
}

/** The choice of a tool that a Messages request makes: `auto`, `any`, `tool`, `none`; undefined where it makes none. */
export function doorChoice(body: JsonObject): string | undefined {
  return asString(objectOf(body['tool_choice'])['type']);
}
