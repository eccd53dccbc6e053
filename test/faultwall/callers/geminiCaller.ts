import { isObject, parseJson, type JsonObject } from '../../../server/base/json.ts';
import { earlier, lookUp, objectsOf, textOf, type Asked, type Caller, type SeenAnswer, type StreamReading } from './seenAnswer.ts';

/** A client of Google's Gemini API. */
export const geminiCaller: Caller = {
  path: (model, stream) => `/v1beta/models/${encodeURIComponent(model)}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
  headers: token => ({ 'x-goog-api-key': token }),
  body,
  createReading,
  readPlain,
};

function body({ prompt, tools, foreignReasoning }: Asked): JsonObject {
  const before = foreignReasoning !== true ? [] : [
    { role: 'user', parts: [{ text: earlier.question }] },
    { role: 'model', parts: [{ text: earlier.thought, thought: true }, { text: earlier.answer, thoughtSignature: earlier.signature }] },
  ];
  return {
    contents: [...before, { role: 'user', parts: [{ text: prompt }] }],
    ...(tools === true ? { tools: [{ functionDeclarations: [{ name: lookUp.name, description: lookUp.description, parameters: lookUp.schema }] }] } : {}),
  };
}

function createReading(seen: SeenAnswer): StreamReading {
  return {
    event(_name, data) {
      const chunk = parseJson(data);
      if (!isObject(chunk)) {
        seen.problems.push(`a line that cannot be read: ${data.slice(0, 80)}`);
        return;
      }
      const saidBefore = seen.text.length + seen.calls.length;
      const overBefore = seen.finished;
      readPlain(chunk, seen);
      if (overBefore && seen.text.length + seen.calls.length > saidBefore) seen.problems.push('content after the finish reason');
    },
    end: () => undefined,
  };
}

/** A chunk of a stream has the shape of a whole answer. Calls come in one piece, so each one counts as complete. */
function readPlain(chunk: JsonObject, seen: SeenAnswer): void {
  if (isObject(chunk.error)) {
    const { status, message } = chunk.error;
    const withReason = objectsOf(chunk.error.details).find(detail => textOf(detail.reason) !== undefined);
    seen.error = { type: textOf(status), code: textOf(withReason?.reason), message: textOf(message) ?? '' };
    return;
  }
  seen.openings.add(textOf(chunk.responseId) ?? 'no id');
  if (isObject(chunk.usageMetadata)) seen.usage = chunk.usageMetadata;
  const [candidate] = objectsOf(chunk.candidates);
  const content = isObject(candidate?.content) ? candidate.content : {};
  for (const part of objectsOf(content.parts)) {
    if (part.thought !== true) seen.text += textOf(part.text) ?? '';
    if (isObject(part.functionCall)) seen.calls.push({ name: String(part.functionCall.name), arguments: JSON.stringify(part.functionCall.args ?? {}), complete: true });
  }
  const reason = textOf(candidate?.finishReason) ?? (isObject(chunk.promptFeedback) ? textOf(chunk.promptFeedback.blockReason) : undefined);
  if (reason === undefined) return;
  seen.stopReason = reason;
  seen.finished = true;
}
