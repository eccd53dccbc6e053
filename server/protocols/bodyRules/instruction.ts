import { isObject, type JsonObject } from '../../base/json.ts';

/** Adds an instruction to the system message at the beginning, or makes one. */
export function addInstruction(body: JsonObject, text: string): void {
  const messages = Array.isArray(body.messages) ? body.messages : [];
  const [first, ...rest] = messages;
  if (isObject(first) && (first.role === 'system' || first.role === 'developer')) {
    const content = Array.isArray(first.content) ? [...first.content, { type: 'text', text }] : `${typeof first.content === 'string' && first.content !== '' ? `${first.content}\n\n` : ''}${text}`;
    body.messages = [{ ...first, content }, ...rest];
  } else body.messages = [{ role: 'system', content: text }, ...messages];
}

/** Adds an instruction to those of a Responses request. */
export function addResponsesInstruction(body: JsonObject, text: string): void {
  body.instructions = typeof body.instructions === 'string' && body.instructions !== '' ? `${body.instructions}\n\n${text}` : text;
}
