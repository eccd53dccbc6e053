import { isObject, type JsonObject, type JsonValue } from '../../base/json.ts';

function isBlank(block: JsonValue): boolean {
  return isObject(block) && block.type === 'text' && typeof block.text === 'string' && block.text.trim() === '';
}

/** The blocks without texts that are empty or white, which Anthropic refuses ("text content blocks must be non-empty", "must contain non-whitespace text"). */
function withoutBlank(blocks: JsonValue[], changes: Set<string>): JsonValue[] {
  if (!blocks.some(isBlank)) return blocks;
  changes.add('empty texts were left out');
  return blocks.filter(block => !isBlank(block));
}

/** The system prompt without empty texts; undefined where nothing is left. */
export function fitSystem(system: JsonValue | undefined, changes: Set<string>): JsonValue | undefined {
  if (typeof system === 'string') return system.trim() === '' ? undefined : system;
  if (!Array.isArray(system)) return system;
  const blocks = withoutBlank(system, changes);
  return blocks.length === 0 ? undefined : blocks;
}

/** The messages without empty texts, and without messages that hold nothing; the last may not end with white space where the assistant said it. */
export function fitTexts(messages: readonly JsonValue[], changes: Set<string>): JsonValue[] {
  const fit: JsonValue[] = [];
  for (const message of messages) {
    const content = isObject(message) ? message.content : undefined;
    if (!isObject(message) || content === undefined) fit.push(message);
    else if (typeof content === 'string') {
      if (content.trim() === '') changes.add('empty texts were left out');
      else fit.push(message);
    } else if (Array.isArray(content)) {
      const kept = withoutBlank(content, changes).map(block => fitResult(block, changes));
      if (kept.length > 0) fit.push(kept.length === content.length && kept.every((block, index) => block === content[index]) ? message : { ...message, content: kept });
      else changes.add('empty texts were left out');
    } else fit.push(message);
  }
  // A conversation begins with the user, and holds something.
  if (fit.length === 0) fit.push({ role: 'user', content: '…' });
  return withTrimmedEnd(fit, changes);
}

function fitResult(block: JsonValue, changes: Set<string>): JsonValue {
  if (!isObject(block) || block.type !== 'tool_result' || !Array.isArray(block.content)) return block;
  const content = withoutBlank(block.content, changes);
  if (content === block.content) return block;
  const { content: _content, ...rest } = block;
  return content.length === 0 ? rest : { ...rest, content };
}

function withTrimmedEnd(messages: JsonValue[], changes: Set<string>): JsonValue[] {
  const last = messages.at(-1);
  if (!isObject(last) || last.role !== 'assistant') return messages;
  const trimmed = trimmedEnd(last);
  if (trimmed === last) return messages;
  changes.add('white space at the end of the last message was left out');
  return [...messages.slice(0, -1), trimmed];
}

function trimmedEnd(message: JsonObject): JsonObject {
  const { content } = message;
  if (typeof content === 'string') return content === content.trimEnd() ? message : { ...message, content: content.trimEnd() };
  const block = Array.isArray(content) ? content.at(-1) : undefined;
  if (!Array.isArray(content) || !isObject(block) || block.type !== 'text' || typeof block.text !== 'string' || block.text === block.text.trimEnd()) return message;
  return { ...message, content: [...content.slice(0, -1), { ...block, text: block.text.trimEnd() }] };
}
