import { isObject, type JsonObject, type JsonValue } from '../../base/json.ts';

/** Content as one text, where it is null or a list of texts only; any other content as it is. */
export function plainContent(content: JsonValue | undefined): JsonValue | undefined {
  if (content === null || content === undefined) return '';
  if (!Array.isArray(content)) return content;
  const texts: string[] = [];
  for (const part of content) {
    if (!isObject(part) || part.type !== 'text' || typeof part.text !== 'string') return content;
    texts.push(part.text);
  }
  return texts.join('\n\n');
}

const contentMark = '"content"';
const space = /^\s*:\s*(?:null|\[)/;

/** Whether a message in JSON bytes may have content that is null, missing or a list. False is certain. */
export function mayHaveOtherContent(bytes: Buffer, mayCallTools: boolean): boolean {
  // A message that calls tools may have no content at all.
  if (mayCallTools && bytes.includes('"tool_calls"')) return true;
  for (let at = bytes.indexOf(contentMark, 0, 'latin1'); at !== -1; at = bytes.indexOf(contentMark, at + contentMark.length, 'latin1')) {
    if (space.test(bytes.toString('latin1', at + contentMark.length, at + contentMark.length + 32))) return true;
  }
  return false;
}

/** Fields that hold reasoning in messages of this protocol. */
export const reasoningFields = ['reasoning_content', 'reasoning'] as const;

/** Gives reasoning the one name that a server knows. @returns the name that it had; undefined where nothing was changed */
export function renameReasoning(message: JsonObject, known: string): string | undefined {
  let had: string | undefined;
  for (const name of reasoningFields) {
    if (name === known || message[name] === undefined) continue;
    if (typeof message[name] === 'string') message[known] ??= message[name];
    delete message[name];
    had = name;
  }
  return had;
}
