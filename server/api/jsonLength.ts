/**
 * About how long a value's JSON text is, without making it: exact but for what has to be escaped, which counts as it is. So it
 * is never more than the text. Fields that JSON leaves out do not count.
 *
 * @param value plain data, as `JSON.parse` gives it
 * @param textLength what a text counts for; its length, unless given
 */
export function jsonLength(value: unknown, textLength: (text: string) => number = lengthOf): number {
  switch (typeof value) {
    case 'string': return textLength(value) + 2;
    case 'number': return Number.isFinite(value) ? String(value).length : 4;
    case 'boolean': return value ? 4 : 5;
    case 'object': return value === null ? 4 : Array.isArray(value) ? arrayLength(value, textLength) : objectLength(value as Record<string, unknown>, textLength);
    default: return 0;
  }
}

function arrayLength(items: readonly unknown[], textLength: (text: string) => number): number {
  // Brackets, and a comma between two items; an item without a JSON of its own is written as null.
  let length = 2 + Math.max(0, items.length - 1);
  for (const item of items) length += jsonLength(item, textLength) || 4;
  return length;
}

function objectLength(fields: Record<string, unknown>, textLength: (text: string) => number): number {
  let length = 2;
  let count = 0;
  for (const name of Object.keys(fields)) {
    const valueLength = jsonLength(fields[name], textLength);
    if (valueLength === 0) continue;
    // Quotes and colon.
    length += textLength(name) + 3 + valueLength;
    count++;
  }
  return length + Math.max(0, count - 1);
}

function lengthOf(text: string): number {
  return text.length;
}
