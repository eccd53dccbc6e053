/** What is sent: the requests and the upstream's answers. Always the same bytes, so that runs can be compared. */

/**
 * `small`: one question. `question`: the same, streamed. `flood` and `steady`: questions with long answers, whose events come as fast as they are taken, or 100 a second. `turn`: a coding agent's streamed turn. `tools…`: a conversation of so many bytes beside 50 tools.
 * The others: long conversations, answered shortly.
 */
export type RequestKind = 'small' | 'question' | LongAnswerKind | 'turn' | 'megabyte' | 'eightMegabytes' | ToolsKind;
export type LongAnswerKind = 'flood' | 'steady';
export type ToolsKind = 'tools1k' | 'tools100k' | 'tools1m';

export const upstreamModel = 'bench-model';
/** Another model of the upstream, which streams a turn as fast as it is taken. */
export const hurriedModel = 'bench-hurried';
export const turnChunks = 50;
export const chunkGapMs = 20;
/** How many events a long answer has, and the milliseconds between two of them; 0: none. */
export const longAnswers: Readonly<Record<LongAnswerKind, { chunks: number; gapMs: number }>> = { flood: { chunks: 4000, gapMs: 0 }, steady: { chunks: 200, gapMs: 10 } };

const toolCount = 20;
export const manyTools = 50;
export const kilobyte = 1024;
/** Of a whole body; of `tools…`, without the tools. */
const bodyBytes: Readonly<Record<Exclude<RequestKind, 'small' | 'question' | LongAnswerKind>, number>> = {
  turn: 64 * kilobyte,
  megabyte: 1024 * kilobyte,
  eightMegabytes: 8 * 1024 * kilobyte,
  tools1k: kilobyte,
  tools100k: 100 * kilobyte,
  tools1m: 1024 * kilobyte,
};

/** The JSON body of a chat completion request. @param model the name that the receiver routes by */
export function requestBody(kind: RequestKind, model: string): Buffer {
  if (kind === 'small' || kind === 'question' || kind === 'flood' || kind === 'steady') {
    return json({ model, max_tokens: 100, ...(kind === 'small' ? {} : { stream: true }), ...(kind === 'flood' || kind === 'steady' ? { user: longAnswerMark(kind) } : {}), messages: [{ role: 'system', content: 'Answer in one sentence.' }, { role: 'user', content: 'What is a waybill?' }] });
  }
  const stream = kind === 'turn' ? { stream: true, stream_options: { include_usage: true } } : { stream: false };
  const manyAreOffered = kind.startsWith('tools');
  const offered = tools(manyAreOffered ? manyTools : toolCount);
  const request = (messages: readonly object[], withTools = true) => json({ model, ...stream, max_tokens: 4096, messages, ...(withTools ? { tools: offered } : {}) });
  const messages: object[] = [{ role: 'system', content: sourceText(0, kind === 'tools1k' ? kilobyte / 2 : 4 * kilobyte) }, { role: 'user', content: 'Why does the second test fail?' }];
  let bytes = request(messages, !manyAreOffered).length;
  for (let turn = 1; bytes < bodyBytes[kind]; turn++) {
    const id = `call_${turn}`;
    const pair = [
      { role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: { name: 'tool_1', arguments: JSON.stringify({ path: `src/part${turn}.ts`, startLine: turn }) } }] },
      // The last file read is cut to the size that is wanted.
      { role: 'tool', tool_call_id: id, content: sourceText(turn, Math.max(1, Math.min(6 * kilobyte, bodyBytes[kind] - bytes - 300))) },
    ];
    messages.push(...pair);
    bytes += json(pair).length;
  }
  return request(messages);
}

/** Asks the upstream for a long answer. */
export function longAnswerMark(kind: LongAnswerKind): string {
  return `bench-${kind}`;
}

/** Models whose requests are answered with a stream wherever they ask for one; ours asks behind the conversation. `short`: one word. */
export const editorModels = { turn: 'bench-editor-turn', flood: 'bench-editor-flood', short: 'bench-editor-short' } as const;
export const editorModelMark = '"model":"bench-editor-';

export const smallAnswer = json({
  id: 'chatcmpl-bench', object: 'chat.completion', created: 1_700_000_000, model: upstreamModel,
  choices: [{ index: 0, message: { role: 'assistant', content: 'A waybill joins supply lines and moves the load to another when one fails.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 24, completion_tokens: 17, total_tokens: 41 },
});

/** The same answer in Anthropic's protocol. */
export const smallMessagesAnswer = json({
  id: 'msg_bench', type: 'message', role: 'assistant', model: upstreamModel, stop_reason: 'end_turn', stop_sequence: null,
  content: [{ type: 'text', text: 'A waybill joins supply lines and moves the load to another when one fails.' }],
  usage: { input_tokens: 24, output_tokens: 17 },
});

/** One streamed event that carries the moment it is sent at. */
export function contentEvent(sentAtUs: number): string {
  return event({ choices: [{ index: 0, delta: { content: `@${sentAtUs};word` }, finish_reason: null }] });
}

export const roleEvent = event({ choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] });

/** What ends a stream: stop reason, usage, the terminal mark. */
export const lastEvents = event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
  + event({ choices: [], usage: { prompt_tokens: 16_000, completion_tokens: turnChunks, total_tokens: 16_000 + turnChunks } })
  + 'data: [DONE]\n\n';

/** The moments found in a piece of a stream, in microseconds of `nowUs`. */
export function sentMoments(piece: Buffer): number[] {
  const moments: number[] = [];
  for (const match of piece.toString('latin1').matchAll(/@(\d+);/g)) moments.push(Number(match[1]));
  return moments;
}

/** Microseconds of a clock that all processes of this machine share. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

function event(fields: object): string {
  return `data: ${JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1_700_000_000, model: upstreamModel, ...fields })}\n\n`;
}

function tools(count: number): object[] {
  return offeredTools(count).map(tool => ({ type: 'function', function: tool }));
}

/** A tool, its parts in the names that most protocols have for them. */
export interface OfferedTool { name: string; description: string; parameters: object }

export function offeredTools(count: number): OfferedTool[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `tool_${index}`,
    description: `Tool ${index}: reads or changes a part of the workspace. ${sourceText(index, 300)}`,
    parameters: {
      type: 'object', required: ['path'], additionalProperties: false,
      properties: {
        path: { type: 'string', description: 'Path of the file, relative to the workspace.' },
        startLine: { type: 'integer', minimum: 1, description: 'First line, counted from 1.' },
        mode: { type: 'string', enum: ['read', 'write', 'append'] },
      },
    },
  }));
}

/** Text like source code: lines, quotes and indentation, which JSON has to escape. */
export function sourceText(seed: number, bytes: number): string {
  let text = '';
  for (let line = 1; text.length < bytes; line++) {
    const number = seed * 7919 + line * 104_729;
    text += `  const value${number} = read("part ${number % 97}", { depth: ${number % 13}, note: 'left as "is"' });\n`;
  }
  return text.slice(0, bytes);
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
