import type { Dialect, ModelRule } from '../../protocols/codec.ts';

/** What becomes of a part of a request that a provider does not take as it is. */
export type FactKind = 'refused' | 'renamed' | 'bounded' | 'asked for otherwise' | 'needed' | 'charged';

/** One fact of a provider in words, as a reader of docs/providers.md sees it. */
export interface FactWords { kind: FactKind; words: string }

type Words = { [Key in keyof Dialect]-?: (value: NonNullable<Dialect[Key]>, dialect: Dialect) => FactWords | undefined };

const list = (names: readonly string[]): string => names.map(name => `\`${name}\``).join(', ');

/** The words of each fact that a dialect can state. A field without words does not compile. Undefined: the value says what every server does. */
export const dialectWords: Words = {
  maxTokensField: (value, { maxTokensFieldOnly }) => (maxTokensFieldOnly === true ? { kind: 'renamed', words: `the output limit is always \`${value}\`` } : { kind: 'renamed', words: `the output limit is written as \`${value}\`` }),
  maxTokensFieldOnly: () => undefined,
  instructionRole: value => ({ kind: 'renamed', words: `instructions have the role \`${value}\`` }),
  streamUsageOption: value => (value ? undefined : { kind: 'refused', words: '`stream_options`' }),
  reasoningField: value => ({ kind: 'renamed', words: `text of reasoning is \`${value}\`` }),
  reasoningRequiredWithTools: value => (value ? { kind: 'needed', words: 'messages with calls of tools must have text of reasoning, even an empty one' } : undefined),
  thinkingToggle: value => ({ kind: 'asked for otherwise', words: `thinking is turned on and off by \`${value === 'thinking-type' ? 'thinking.type' : value}\`` }),
  reasoningBesideOutput: value => (value ? { kind: 'charged', words: 'tokens of reasoning are counted beside those of the answer, on Chat' } : undefined),
  dropFields: value => ({ kind: 'refused', words: list(value) }),
  anthropicVersion: value => ({ kind: 'needed', words: `\`anthropic-version: ${value}\`` }),
  shortCallIds: value => (value ? { kind: 'bounded', words: 'ids of calls have nine letters and digits' } : undefined),
  seedField: value => (value === 'seed' ? undefined : { kind: 'renamed', words: `\`seed\` is \`${value}\`` }),
  efforts: value => ({ kind: 'bounded', words: `efforts are ${list(value)}; others become the nearest` }),
  customTools: value => (value ? undefined : { kind: 'refused', words: 'free-text tools, which are sent as functions with one argument' }),
  developerRole: () => undefined,
  maxCallIdLength: value => ({ kind: 'bounded', words: `ids of calls have up to ${value} characters on Chat, 64 on Responses` }),
  maxUserLength: value => ({ kind: 'bounded', words: `identifiers of end users have up to ${value} characters` }),
  bytesAndOwnToolsOnly: value => (value ? { kind: 'refused', words: 'pictures and documents behind an address, and tools that run at Anthropic' } : undefined),
  commonImagesOnly: value => (value ? { kind: 'bounded', words: 'pictures are JPEG, PNG, GIF or WebP' } : undefined),
  jsonSchemaOutput: value => (value ? undefined : { kind: 'asked for otherwise', words: "the answer's JSON schema is asked for in words, in JSON mode" }),
  toolStrict: value => (value ? undefined : { kind: 'refused', words: '`strict` of tools' }),
  knownFields: value => ({ kind: 'refused', words: `every top-level field but ${list(value)}` }),
  messageFields: value => ({ kind: 'refused', words: `every field of messages but ${Object.entries(value).map(([role, names]) => `${role}: ${list(names.filter(name => name !== 'role'))}`).join('; ')}` }),
  assistantAfterTools: value => (value ? { kind: 'needed', words: 'the assistant must speak between the result of a tool and the user' } : undefined),
  textResultsOnly: value => (value ? { kind: 'refused', words: 'pictures in results of tools, on Chat: they go into a message of the user behind them' } : undefined),
  noEmptyAssistant: value => (value ? { kind: 'refused', words: 'messages of the assistant without text and calls' } : undefined),
  highestTemperature: value => ({ kind: 'bounded', words: `\`temperature\` is at most ${value}` }),
  minOutputTokens: value => ({ kind: 'bounded', words: `the output limit is at least ${value}, on Responses` }),
  imageTypes: value => ({ kind: 'bounded', words: `pictures are ${list(value)}` }),
  toolNames: ({ shape }) => ({ kind: 'bounded', words: `names of tools match \`${shape.source}\`; others are replaced, and given back` }),
  strictSchemas: value => (value ? { kind: 'bounded', words: 'schemas marked as strict must close all objects and require all properties; else they are sent as not strict' } : undefined),
  models: value => ({ kind: 'refused', words: value.map(modelWords).join('; ') }),
  toolChoices: value => ({ kind: 'bounded', words: `\`tool_choice\` is ${list(value)}; a call is else asked for in words, and tools that must not be called are left out` }),
  forcedChoiceWithoutThinking: value => (value ? { kind: 'asked for otherwise', words: 'a forced choice of a tool is asked for in words, unless thinking is off' } : undefined),
  messagesToolChoices: value => ({ kind: 'bounded', words: `\`tool_choice\` is ${list(value)} on Messages, where \`any\` is \`required\`; a call is else asked for in words` }),
  jsonWithoutThinking: value => ({ kind: 'asked for otherwise', words: `models \`${value.source.replaceAll('|', '\\|')}\`: thinking is turned off for a form of JSON, or the form is asked for in words where thinking was asked for` }),
  oneSystemMessage: value => (value ? { kind: 'bounded', words: 'one message of the system, at the beginning; others are joined to it, and later ones are sent as the user\'s' } : undefined),
  userMessageRequired: value => (value ? { kind: 'needed', words: 'a message of the user' } : undefined),
  jsonArguments: value => (value ? { kind: 'needed', words: 'arguments of calls are JSON; empty ones are sent as `{}`' } : undefined),
  toolParametersRequired: value => (value ? { kind: 'needed', words: 'functions have `parameters`, even empty ones' } : undefined),
  sameToolStrict: value => (value ? { kind: 'bounded', words: 'all tools have the same `strict`; else none has it' } : undefined),
  mostPlainOutputTokens: value => ({ kind: 'bounded', words: `the output limit is at most ${value} where the answer is not streamed` }),
  plainItems: value => (value ? { kind: 'bounded', words: 'items are messages, calls and results, with texts of the assistant and of tools as text, and documents of the user as text or named; other items are left out' } : undefined),
  plainWithoutThinking: value => ({ kind: 'needed', words: `models \`${value.source.replaceAll('|', '\\|')}\`: \`enable_thinking\` is false while the answer is plain` }),
  temperatureAboveZero: value => (value ? { kind: 'bounded', words: '`temperature` is above 0; 0 is sent as 0.01' } : undefined),
  mostStops: value => ({ kind: 'bounded', words: `up to ${value} stop strings; for others the answer is stopped on its way back` }),
  plainContent: value => (value ? { kind: 'bounded', words: 'content is text or a list of texts, and never null' } : undefined),
  reasoningFieldOnly: value => (value ? { kind: 'renamed', words: 'reasoning in messages has this one name' } : undefined),
  assistantLast: value => ({ kind: 'needed', words: value === 'prefix' ? 'a last message of the assistant is marked with `prefix`' : 'a last message of the assistant goes only with thinking turned off in the chat template' }),
  documents: value => ({ kind: 'refused', words: `documents${value === 'pdf' ? ' other than PDF, on Chat' : ''}: texts among them are sent as text, others are named to the model` }),
  maxImageLength: value => ({ kind: 'bounded', words: `pictures have up to ${value} characters of base64; larger ones go to other targets of the route` }),
  imageBytesOnly: value => (value ? { kind: 'refused', words: 'pictures behind an address' } : undefined),
  jsonObjectOutput: () => ({ kind: 'asked for otherwise', words: '`json_object` is asked for by a schema of any object' }),
  logprobsWithTools: () => ({ kind: 'refused', words: '`logprobs` in streams with tools' }),
  textFormatNeeded: value => (value ? { kind: 'needed', words: '`text` has a `format`, on Responses' } : undefined),
  adaptiveThinking: () => ({ kind: 'asked for otherwise', words: 'adaptive thinking is asked for by a budget, on Messages' }),
  redactedThinking: () => ({ kind: 'refused', words: 'blocks of hidden thinking, on Messages' }),
};

function modelWords({ names, dropFields, efforts, forcedToolChoice, roles, jsonSchemaOutput, documents }: ModelRule): string {
  const parts = [
    ...(dropFields === undefined ? [] : [`no ${list(dropFields)}`]),
    ...(efforts === undefined ? [] : [efforts.length === 0 ? 'no effort' : `efforts ${list(efforts)}`]),
    ...(forcedToolChoice === false ? ['no forced choice of a tool, which is asked for in words'] : []),
    ...(documents === false ? ['no documents'] : []),
    ...(jsonSchemaOutput === false ? ['no JSON schema of the answer, which is asked for in words'] : []),
    ...(roles === undefined ? [] : [roles === 'in-turn' ? 'one instruction first, then user and assistant in turn' : 'one instruction, and only at the beginning']),
  ];
  return `models \`${names.source.replaceAll('|', '\\|')}\`: ${parts.join(', ')}`;
}

/** The facts of a dialect in words, by its field. */
export function factsOf(dialect: Dialect): { of: keyof Dialect; fact: FactWords }[] {
  return (Object.keys(dialect) as (keyof Dialect)[]).flatMap((of): { of: keyof Dialect; fact: FactWords }[] => {
    const value = dialect[of];
    const words = dialectWords[of] as (value: unknown, dialect: Dialect) => FactWords | undefined;
    const fact = value === undefined ? undefined : words(value, dialect);
    return fact === undefined ? [] : [{ of, fact }];
  });
}
