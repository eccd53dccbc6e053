import type { HostileKind } from './kinds.ts';
import { hostileScalars, hostileTexts } from './values.ts';

/** The provider cuts an endless stream at this many bytes; the router must have stopped reading before that. */
const endlessBytes = 48 * 1024 * 1024;
const pieceBytes = 64 * 1024;

const chunk = (rest: string): string => `data: {"id":"c","object":"chat.completion.chunk","model":"m",${rest}}\n\n`;
const word = chunk('"choices":[{"index":0,"delta":{"role":"assistant","content":"word "}}]');
const end = chunk('"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]') + 'data: [DONE]\n\n';

function* endless(first: string, again: string): Generator<string> {
  yield first;
  const piece = again.repeat(Math.max(1, Math.floor(pieceBytes / again.length)));
  for (let sent = 0; sent < endlessBytes; sent += piece.length) yield piece;
}

function stream(name: string, body: () => Iterable<string | Buffer>): HostileKind {
  return { place: 'stream', name, answer: () => ({ status: 200, headers: [['content-type', 'text/event-stream']], framing: 'close', body: body() }) };
}

/** Event streams of the Chat protocol that are endless, malformed or impossible. */
export function streamKinds(): HostileKind[] {
  const shaped: [string, () => Iterable<string | Buffer>][] = [
    ['comments without an end', () => endless(word, ': keep\n')],
    ['one comment without an end', () => endless(`${word}: `, 'x')],
    ['unknown fields without an end', () => endless(word, 'odd: x\n')],
    ['a line without an end', () => endless(`${word}data: `, 'x')],
    ['an event without an end', () => endless(word, 'data: x\n')],
    ['an event name without an end', () => endless(`${word}event: `, 'x')],
    ['empty lines without an end', () => endless(word, '\n')],
    ['carriage returns without an end', () => endless(word, '\r')],
    ['empty events without an end', () => endless(word, 'data:\n\n')],
    ['no content without an end', () => endless('', chunk('"choices":[{"index":0,"delta":{}}]'))],
    ['a call without an end', () => endless(chunk('"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":""}}]}}]'), chunk(`"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"${'x'.repeat(500)}"}}]}}]`))],
    ['5,000 calls', () => [Array.from({ length: 5_000 }, (_, index) => chunk(`"choices":[{"index":0,"delta":{"tool_calls":[{"index":${index},"id":"t${index}","type":"function","function":{"name":"f${index}","arguments":"{}"}}]}}]`)).join(''), end]],
    ['nested 100,000 deep', () => [word, `data: ${'['.repeat(100_000)}\n\n`, end]],
    ['a piece of 4 MB', () => [chunk(`"choices":[{"index":0,"delta":{"content":"${'x'.repeat(4_000_000)}"}}]`), end]],
    ['half a character', () => [word, Buffer.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0x20, 0xf0, 0x9f]), end]],
    ['zero bytes', () => [word, Buffer.alloc(100_000), end]],
    ['nothing at all', () => []],
    ['the end first', () => ['data: [DONE]\n\n', word]],
    ['two ends', () => [word, end, word, end]],
    ['no end', () => [word]],
    ['a plain body', () => ['{"error":{"message":"no stream"}}']],
  ];
  const scalars = hostileScalars.slice(0, 12).map(value => stream(`a choice with ${value.slice(0, 30)}`, () => [
    chunk(`"choices":[{"index":${value},"delta":{"content":${value},"reasoning_content":${value},"tool_calls":[{"index":${value},"id":${value},"function":{"name":${value},"arguments":${value}}}]},"finish_reason":${value}}]`), chunk(`"choices":${value}`), word, end,
  ]));
  const errors = hostileTexts.map((text, index) => stream(`an error event, text ${index}`, () => [word, `data: ${JSON.stringify({ error: { message: text, type: 'server_error', code: text.slice(0, 10_000) } })}\n\n`]));
  return [...shaped.map(([name, body]) => stream(name, body)), ...scalars, ...errors];
}
