import type { ProtocolName } from '../../server/api/conversation.ts';
import type { Random } from './random.ts';

/** Whose requests the fuzz makes: those of the four protocols, and the editor's. */
export type FuzzCaller = ProtocolName | 'editor';
export const fuzzCallers: readonly FuzzCaller[] = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini', 'editor'];

/** A document as base64. */
export interface MeantDocument { label: string; name: string; data: string }

/** A picture as base64, and the type that its bytes are. */
export interface MeantImage { label: string; data: string }

export interface MeantCall { id: string; name: string; /** JSON text. */ args: string }

export type MeantTurn =
  | { role: 'user'; text: string; images: MeantImage[]; documents: MeantDocument[] }
  | { role: 'assistant'; text: string; calls: MeantCall[]; reasoning?: string | undefined; /** Reasoning that another provider signed or hid. */ signed?: 'shown' | 'hidden' | undefined }
  | { role: 'results'; results: { id: string; name: string; text: string; failed: boolean; image?: MeantImage | undefined }[] }
  | { role: 'system'; text: string };

export interface MeantTool { name: string; description: string; /** JSON text. */ schema: string; strict?: boolean | undefined }

/** What a caller means, without any protocol. A part that the caller's protocol cannot say is not in it. */
export interface Meant {
  caller: FuzzCaller;
  stream: boolean;
  system: string[];
  turns: MeantTurn[];
  tools: MeantTool[];
  choice?: 'auto' | 'none' | 'required' | { name: string } | undefined;
  oneCallOnly?: boolean | undefined;
  maxTokens?: number | undefined;
  temperature?: number | undefined;
  topP?: number | undefined;
  topK?: number | undefined;
  stop?: string[] | undefined;
  seed?: number | undefined;
  frequencyPenalty?: number | undefined;
  presencePenalty?: number | undefined;
  format?: { type: 'json' } | { type: 'schema'; schema: string; strict?: boolean | undefined } | undefined;
  effort?: string | undefined;
  user?: string | undefined;
  verbosity?: string | undefined;
  logprobs?: number | undefined;
  tier?: string | undefined;
  /** Fields and items that client libraries and other servers write beside. */
  habits: ReadonlySet<Habit>;
}

/** What clients of a protocol do beside what they mean. `echo`: an answer's whole message is sent back. */
export type Habit = 'echo' | 'developer' | 'item-ids' | 'foreign-item-ids' | 'name' | 'logit-bias' | 'metadata' | 'old-limit' | 'empty-tools' | 'budget' | 'level' | 'blank' | 'result-pictures' | 'both-limits' | 'any';

const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const gif = 'R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';
const jpeg = '/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////';
const images: readonly MeantImage[] = [
  { label: 'image/png', data: png }, { label: 'image/jpeg', data: jpeg }, { label: 'image/gif', data: gif }, { label: 'image/jpg', data: jpeg }, { label: 'image/png', data: jpeg }, { label: 'image/bmp', data: 'Qk0eAAAAAAAAABoAAAAMAAAAAQABAAEAGAAAAP8A' },
];

const documents: readonly MeantDocument[] = [
  { label: 'application/pdf', name: 'report.pdf', data: 'JVBERi0xLjQKMSAwIG9iajw8L1R5cGUvQ2F0YWxvZz4+ZW5kb2JqCnRyYWlsZXI8PC9Sb290IDEgMCBSPj4KJSVFT0YK' },
  { label: 'text/markdown', name: 'notes.md', data: 'IyBOb3RlcwoKVGhlIGhhcmJvdXIgaXMgb3Blbi4=' },
];

const texts = ['Where is the harbour?', 'ok', 'Line one\nline two', 'ünïcödé ✓ 日本', 'a "quoted" \\ text', 'See {"json": true}', 'x'.repeat(300), ' leading and trailing '] as const;
const argumentTexts = ['{}', '{"place":"Rome"}', '{"id":9007199254740993,"ratio":1.0}', '{"big":1234567890123456789,"small":1e3,"minus":-0}', '{"nested":{"list":[1,2,{"deep":null}]},"text":"a\\nb"}', '{"q":"\\u00e9 ✓"}'] as const;
/** No arguments, as some servers write them. */
const textsOfArguments: Readonly<Record<FuzzCaller, readonly string[]>> = { 'openai-chat': [...argumentTexts, ''], 'openai-responses': [...argumentTexts, ''], 'anthropic-messages': argumentTexts, 'gemini': argumentTexts, 'editor': argumentTexts };
const schemas = [
  '{"type":"object","properties":{"place":{"type":"string"}},"required":["place"]}',
  '{"type":"object"}', '{}', '{"type":"object","properties":{}}',
  '{"type":"object","properties":{"tags":{"type":"array"},"n":{"type":"integer","minimum":1,"maximum":9007199254740993}}}',
  '{"type":"object","properties":{"a":{"anyOf":[{"type":"string"},{"type":"null"}]}},"additionalProperties":false,"required":["a"]}',
  '{"oneOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},{"type":"object","properties":{"b":{"type":"number"}}}]}',
  '{"$ref":"#/$defs/Q","$defs":{"Q":{"type":"object","properties":{"q":{"$ref":"#/$defs/T"}}},"T":{"type":"string","enum":["x","y"]}}}',
  '{"type":"object","properties":{"ratio":{"type":"number","default":1.0,"multipleOf":0.5},"when":{"type":["string","null"],"format":"date"}},"$schema":"http://json-schema.org/draft-07/schema#"}',
  '{"type":"object","properties":{"deep":{"type":"object","properties":{"rows":{"type":"array","items":{"type":"array"}}}}}}',
] as const;
const answerSchemas = [
  '{"type":"object","properties":{"place":{"type":"string"}},"required":["place"],"additionalProperties":false}',
  '{"type":"object","properties":{"n":{"type":"integer","minimum":1},"s":{"type":"string","maxLength":10}}}',
  '{"type":"object","properties":{"rows":{"type":"array","items":{"type":"object","properties":{"a":{"type":"number"}}}}},"required":["rows"]}',
] as const;
const names = ['look_up', 'read-file', '_private', '2fa_check', 'a'.repeat(64), 'Search2'] as const;
/** Names that only some protocols or servers have. */
const oddNames: Readonly<Record<FuzzCaller, readonly string[]>> = {
  'editor': ['mcp_server_tool', 'c'.repeat(80)],
  'openai-chat': ['mcp.server.tool', 'ns:tool', 'b'.repeat(90)], 'openai-responses': ['mcp.server.tool', 'b'.repeat(70)], 'anthropic-messages': ['m'.repeat(110)], 'gemini': ['mcp.server.tool'],
};
/** As other providers make them. */
const idMakers: readonly ((number: number) => string)[] = [
  number => `call_${String(number).padStart(24, 'a')}`, number => `toolu_01${String(number).padStart(22, 'B')}`, number => `functions.look_up:${number}`, number => `${String(number).padStart(9, 'Q')}`,
  number => `fc_${String(number).padStart(50, '0')}`, number => `chatcmpl-tool-${String(number).padStart(64, 'f')}`, number => `${number}`, number => `0a1b2c3d-0000-4000-8000-${String(number).padStart(12, '0')}`, number => `call|${number}|fc_9`,
];
/** Anthropic itself refuses other ids than these. */
const plainIds = [0, 1, 3, 4, 5, 7];

/** A random request of a caller of this protocol. */
export function randomMeant(random: Random, caller: FuzzCaller): Meant {
  const isOpenAi = caller === 'openai-chat' || caller === 'openai-responses';
  const tools = random.chance(0.6) ? randomTools(random, caller) : [];
  const turns = randomTurns(random, caller, tools);
  const effort = caller === 'editor' ? random.maybe(0.25, ['low', 'medium', 'high']) : random.maybe(0.25, isOpenAi ? ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] : ['low', 'medium', 'high']);
  const format = caller !== 'editor' && random.chance(0.2) ? randomFormat(random, caller) : undefined;
  return {
    caller, stream: random.chance(0.5), turns, tools,
    system: random.chance(0.6) ? [random.pick(texts), ...(random.chance(0.2) ? ['Second rule.'] : [])] : [],
    choice: tools.length === 0 ? undefined : random.maybe(0.35, ['auto', 'none', 'required', { name: random.pick(tools).name }] as const),
    oneCallOnly: tools.length > 0 && caller !== 'gemini' && caller !== 'editor' ? random.maybe(0.2, [true]) : undefined,
    maxTokens: caller === 'anthropic-messages' ? random.pick([1, 100, 4096, 20_000, 200_000]) : random.maybe(0.5, [1, 5, 100, 4096, 200_000]),
    temperature: caller === 'editor' ? random.maybe(0.1, [0, 1]) : random.maybe(0.3, caller === 'anthropic-messages' ? [0, 0.2, 1] : [0, 0.2, 1, 1.3, 1.9, 2]),
    topP: caller === 'editor' ? undefined : random.maybe(0.15, [0.1, 0.9, 1]),
    topK: caller === 'anthropic-messages' || caller === 'gemini' ? random.maybe(0.15, [1, 40]) : undefined,
    stop: caller === 'openai-responses' || caller === 'editor' ? undefined : random.maybe(0.15, [['END'], ['a', 'b', 'c', 'd'], ...(caller === 'openai-chat' ? [] : [['1', '2', '3', '4', '5']]), ...(caller === 'anthropic-messages' ? [['1', '2', '3', '4', '5', '6']] : [])]),
    seed: caller === 'openai-chat' ? random.maybe(0.15, [7, 8_589_934_592]) : caller === 'gemini' ? random.maybe(0.15, [7]) : undefined,
    frequencyPenalty: caller === 'openai-chat' || caller === 'gemini' ? random.maybe(0.1, [0.5, -1]) : undefined,
    presencePenalty: caller === 'openai-chat' || caller === 'gemini' ? random.maybe(0.1, [0.5, 1]) : undefined,
    format, effort,
    user: caller === 'gemini' || caller === 'editor' ? undefined : random.maybe(0.2, ['user-1', 'someone@example.com', '+41 79 000 00 00', `${'u'.repeat(200)}`, '{"device_id":"d","session_id":"s"}']),
    verbosity: isOpenAi ? random.maybe(0.08, ['low', 'high']) : undefined,
    logprobs: caller === 'openai-chat' ? random.maybe(0.08, [2]) : undefined,
    tier: isOpenAi ? random.maybe(0.08, ['flex', 'priority']) : undefined,
    habits: randomHabits(random, caller),
  };
}

function randomHabits(random: Random, caller: FuzzCaller): ReadonlySet<Habit> {
  const possible: Readonly<Record<FuzzCaller, readonly Habit[]>> = {
    'editor': [],
    'openai-chat': ['echo', 'developer', 'name', 'logit-bias', 'metadata', 'old-limit', 'empty-tools', 'result-pictures', 'both-limits', 'any'], 'openai-responses': ['developer', 'item-ids', 'foreign-item-ids', 'metadata', 'empty-tools'],
    'anthropic-messages': ['budget', 'blank'], 'gemini': ['budget', 'level'],
  };
  return new Set(possible[caller].filter(() => random.chance(0.15)));
}

function randomTools(random: Random, caller: FuzzCaller): MeantTool[] {
  const pool = [...names, ...oddNames[caller]].filter(name => (caller !== 'gemini' && caller !== 'editor') || /^[a-zA-Z_]/.test(name));
  const chosen = new Set(Array.from({ length: 1 + random.below(3) }, () => random.pick(pool)));
  return [...chosen].map(name => {
    const usable = caller === 'editor' ? schemas.filter(schema => !/9007199254740993|^\{\}$|^\{"oneOf|^\{"\$ref/.test(schema)) : caller === 'gemini' || caller === 'anthropic-messages' ? schemas.filter(schema => !/^\{\}$|^\{"oneOf|^\{"\$ref/.test(schema)) : schemas;
    const strict = caller === 'openai-chat' || caller === 'anthropic-messages' ? random.maybe(0.1, [true, false]) : undefined;
    return { name, description: random.pick(['Finds it.', 'ünïcödé ✓']), schema: strict === true ? answerSchemas[0] : random.pick(usable), strict };
  });
}

function randomFormat(random: Random, caller: FuzzCaller): Meant['format'] {
  if (caller !== 'anthropic-messages' && random.chance(0.4)) return { type: 'json' };
  const schema = caller === 'anthropic-messages' ? answerSchemas[0] : random.pick(answerSchemas);
  return { type: 'schema', schema, strict: caller === 'gemini' || caller === 'anthropic-messages' ? undefined : schema === answerSchemas[0] ? random.pick([true, false, undefined]) : random.pick([false, undefined]) };
}

function randomTurns(random: Random, caller: FuzzCaller, tools: readonly MeantTool[]): MeantTurn[] {
  const turns: MeantTurn[] = [];
  let number = 1 + random.below(50);
  const user = (): MeantTurn => ({ role: 'user', text: random.pick(texts), images: random.chance(0.12) ? [random.pick(caller === 'openai-chat' || caller === 'gemini' ? images : images.filter(({ label }) => label !== 'image/bmp'))] : [], documents: random.chance(0.1) ? [random.pick(documents)] : [] });
  const signed = (): 'shown' | 'hidden' | undefined => (caller === 'openai-chat' ? undefined : random.maybe(0.2, ['shown', 'shown', 'hidden']));
  turns.push(user());
  const rounds = random.below(4);
  for (let round = 0; round < rounds; round += 1) {
    if (tools.length > 0 && random.chance(0.6)) {
      const make = idMakers[caller === 'anthropic-messages' ? random.pick(plainIds) : random.below(idMakers.length)] ?? String;
      const calls = Array.from({ length: 1 + random.below(2) }, (): MeantCall => ({ id: make(number += 1), name: random.pick(tools).name, args: random.pick(textsOfArguments[caller]) }));
      turns.push({ role: 'assistant', text: random.chance(0.4) ? random.pick(texts) : '', calls, reasoning: random.maybe(0.25, ['I think so.']), signed: signed() });
      turns.push({ role: 'results', results: calls.map(({ id, name }) => ({ id, name, text: random.pick(['done', '{"n":9007199254740993}', '', 'ünïcödé\nsecond line']), failed: random.chance(0.1), image: random.chance(0.1) ? images[0] : undefined })) });
      if (random.chance(0.5)) turns.push({ role: 'assistant', text: random.pick(texts), calls: [], reasoning: undefined });
    } else turns.push({ role: 'assistant', text: random.chance(0.08) ? '' : random.pick(texts), calls: [], reasoning: random.maybe(0.15, ['I think so.']), signed: signed() });
    if (random.chance(0.07) && caller !== 'gemini' && caller !== 'editor') turns.push({ role: 'system', text: 'From now on be brief.' });
    if (turns.at(-1)?.role !== 'results' || random.chance(0.4)) turns.push(user());
  }
  if (random.chance(0.06)) turns.push({ role: 'assistant', text: 'The answer is', calls: [], reasoning: undefined });
  return turns;
}
