import { asNumber, asString } from '../../../base/json.ts';
import type { JsonObject } from '../../../base/json.ts';
import { objectOf, objectsOf } from '../strictCheck.ts';

/** What is wrong with a Responses request: the kind, where it stands and the value that stands there. */
export interface ResponsesFault {
  kind: 'role' | 'orphan' | 'name' | 'schema' | 'limit';
  path: string;
  value: string;
}

/**
 * The faults that no other provider of OpenAI's Responses takes. `developer` is a role of OpenAI's own models.
 * @param roles that it knows
 * @param names its reference says how names of tools look
 */
export function responsesFault(body: JsonObject, roles: readonly string[] = ['system', 'user', 'assistant'], names = false): ResponsesFault | undefined {
  const limit = asNumber(body['max_output_tokens']);
  if (limit !== undefined && limit < 1) return { kind: 'limit', path: 'max_output_tokens', value: String(limit) };
  const called = new Set<string>();
  for (const [index, item] of objectsOf(body['input']).entries()) {
    const type = asString(item['type']) ?? 'message';
    const role = asString(item['role']) ?? '';
    if (type === 'message' && !roles.includes(role)) return { kind: 'role', path: `input[${index}].role`, value: role };
    if (type === 'function_call') called.add(asString(item['call_id']) ?? '');
    const id = asString(item['call_id']) ?? '';
    if (type === 'function_call_output' && !called.has(id)) return { kind: 'orphan', path: `input[${index}]`, value: id };
  }
  for (const [index, tool] of objectsOf(body['tools']).entries()) {
    if (tool['type'] !== 'function') continue;
    const name = asString(tool['name']) ?? '';
    if (names && !/^[a-zA-Z0-9_-]{1,64}$/.test(name)) return { kind: 'name', path: `tools[${index}].name`, value: name };
    if (tool['parameters'] !== undefined && tool['parameters'] !== null && objectOf(tool['parameters'])['type'] !== 'object') return { kind: 'schema', path: `tools[${index}].parameters`, value: name };
  }
  return undefined;
}
