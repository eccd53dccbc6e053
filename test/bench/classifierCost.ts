import type { ConversationRequest } from '../../server/api/conversation.ts';
import { scanObject } from '../../server/base/objectScan.ts';
import { encodedConversation, type ExchangeInput } from '../../server/exchange/request.ts';
import { purposeOf } from '../../server/exchange/purpose/purposeOf.ts';
import { DecisionMemory } from '../../server/routing/purpose/decisionMemory.ts';
import type { Measure, Row } from './measure.ts';

/** What it costs to find out what a request is for, beside reading its body at all: in this process, in its own processor time. */

const asked = 'Prüfe bitte, why the totals of the invoice page differ from the export. Tóm tắt ngắn gọn what you find, then fix it and add a test. ';

function body(turns: number, resultLength: number): Buffer {
  const messages: unknown[] = [{ role: 'system', content: 'You are a coding agent. '.repeat(40) }, { role: 'user', content: asked.repeat(3) }];
  for (let turn = 0; turn < turns; turn++) {
    messages.push({ role: 'assistant', tool_calls: [{ id: `c${turn}`, type: 'function', function: { name: 'read', arguments: JSON.stringify({ path: `src/file${turn}.ts` }) } }] });
    messages.push({ role: 'tool', tool_call_id: `c${turn}`, content: 'const total = "sum";\n'.repeat(Math.ceil(resultLength / 21)) });
  }
  return Buffer.from(JSON.stringify({ model: 'coding', messages, tools: [{ type: 'function', function: { name: 'read', parameters: { type: 'object', properties: { path: { type: 'string' } } } } }] }));
}

const sizes = [
  { name: 'question', title: 'a question of 1 KB', bytes: body(0, 0) },
  { name: 'long', title: 'a question with 100 KB of pasted text', bytes: Buffer.from(JSON.stringify({ model: 'coding', messages: [{ role: 'user', content: `${asked}${'2026-11-27 12:00:01 INFO worker 7 took job 1812 and finished it\n'.repeat(1600)}` }] })) },
  { name: 'loop', title: 'a tool loop of 64 KB', bytes: body(30, 2000) },
  { name: 'large', title: 'a tool loop of 1 MB', bytes: body(30, 33_000) },
] as const;

const headers = { 'user-agent': 'opencode/1.18', 'x-session-id': 's1' };

function inputOf(bytes: Buffer): ExchangeInput {
  const scan = scanObject(bytes);
  if (scan === undefined) throw new Error('The body of the measure is no JSON object.');
  return {
    id: 'x', inbound: 'http', protocol: 'openai-chat', requestedModel: 'coding', stream: true, caller: { tool: 'opencode', conversation: 's1' }, headers, patienceMs: 0,
    requirements: { tools: true, images: false, documents: false, jsonSchema: false, estimatedInputTokens: bytes.length / 5 },
    body: encodedConversation({ bytes, scan, protocolHeaders: {}, includeUsage: false }, false, (): ConversationRequest => { throw new Error('The body is decoded.'); }),
  };
}

/** Microseconds that a run takes, the median of several rounds. */
function microseconds(run: () => unknown): number {
  const rounds: number[] = [];
  let turns = 20;
  for (let round = 0; round < 11; round++) {
    const begun = process.threadCpuUsage();
    for (let turn = 0; turn < turns; turn++) run();
    const { user, system } = process.threadCpuUsage(begun);
    rounds.push((user + system) / turns);
    if (user + system < 20_000) turns *= 2;
  }
  return rounds.slice(3).sort((a, b) => a - b)[4] ?? 0;
}

interface Cost { name: string; title: string; purposeUs: number; parseUs: number }

export function classifierCosts(): Cost[] {
  return sizes.map(({ name, title, bytes }) => {
    const input = inputOf(bytes);
    let decisions = new DecisionMemory();
    let turn = 0;
    const purpose = (): unknown => {
      // Each run is the first of its conversation, which costs most.
      if (turn++ % 64 === 0) decisions = new DecisionMemory();
      return purposeOf(input, { conversation: `c${turn}` }, { decisions, clock: { now: () => 0 } });
    };
    return { name, title, purposeUs: microseconds(purpose), parseUs: microseconds(() => JSON.parse(bytes.toString('utf8')) as unknown) };
  });
}

/** The last section of docs/classifier.md. */
export function classifierCost(): string {
  const rows = classifierCosts().map(({ title, purposeUs, parseUs }) => `| ${title} | ${purposeUs.toFixed(0)} µs | ${(purposeUs / parseUs).toFixed(2)} |`);
  return `## What it costs

Measured by \`npm run classifier\`, and by \`npm run bench -- --only purpose\`. Only requests for a route with \`byRole\` or \`byKind\` pay it, and where headers
say both role and kind, the body is not looked at. The end of the body is read, back to what was asked.

| a request | to find out what it is for | as a share of parsing its body |
|---|--:|--:|
${rows.join('\n')}
`;
}

const rows: Record<string, Row> = Object.fromEntries(sizes.flatMap(({ name, title }) => [
  [`purpose ${name}`, { title: `purpose of ${title}: CPU`, unit: 'us', target: { most: 1000 } }],
  [`purpose ${name} ratio`, { title: `purpose of ${title}, to parsing its body`, unit: 'x' }],
] satisfies [string, Row][]));

export const classifierMeasure: Measure = {
  name: 'purpose',
  rows,
  run({ record }) {
    for (const { name, purposeUs, parseUs } of classifierCosts()) {
      record(`purpose ${name}`, 'waybill', purposeUs);
      record(`purpose ${name} ratio`, 'waybill', purposeUs / parseUs);
    }
    return Promise.resolve();
  },
};
