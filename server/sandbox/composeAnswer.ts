import { isObject, parseJson } from '../base/json.ts';
import type { SandboxBehaviour } from './sandboxBehaviour.ts';
import { sampleFromSchema } from './sampleFromSchema.ts';
import type { SandboxAnswer, SandboxPrompt, SandboxToolCall, SandboxUsage } from './wires/sandboxWire.ts';
import { countTokens, splitIntoTokens } from './tokens.ts';

type AnswerOverrides = Extract<SandboxBehaviour, { type: 'answer' }>;

const quotedPromptLimit = 400;
const quotedResultLimit = 4000;
const longestListOfWords = 100_000;

/**
 * The sandbox's answer to a prompt; the same prompt always gives the same words. What it understands, all in the
 * newest user message: `call tool NAME {json}` (several: parallel calls), `say N words`. After tool results it
 * quotes them. JSON mode and schemas are honoured with the smallest fitting value.
 */
export function composeAnswer(provider: string, prompt: SandboxPrompt, nextCallId: () => string, overrides?: AnswerOverrides): SandboxAnswer {
  const calls = overrides?.toolCalls ?? (overrides?.text === undefined ? wantedToolCalls(prompt) : []);
  const text = overrides?.text ?? (calls.length > 0 ? '' : answerText(provider, prompt));
  const thinking = overrides?.thinking ?? (prompt.thinking === 'off' ? '' : `Sandbox ${provider} read ${countTokens(prompt.userText)} tokens and answers directly.`);
  const { kept, stopSequence } = applyStop(text, prompt.stop);
  const answer: SandboxAnswer = {
    thinking: splitIntoTokens(thinking),
    text: splitIntoTokens(kept),
    refusal: undefined,
    toolCalls: calls.map((call) => ({ name: call.name, id: nextCallId(), pieces: splitIntoTokens(call.arguments) })),
    stop: calls.length > 0 ? 'tool-calls' : stopSequence === undefined ? 'end' : 'stop-sequence',
    stopSequence,
  };
  return limitTokens(answer, prompt.maxOutputTokens);
}

/** A well-formed answer in which the model declines. */
export function composeRefusal(text = 'The sandbox was told to decline this request.'): SandboxAnswer {
  return { thinking: [], text: [], refusal: text, toolCalls: [], stop: 'refusal', stopSequence: undefined };
}

/** A well-formed answer without content. */
export function composeEmptyAnswer(): SandboxAnswer {
  return { thinking: [], text: [], refusal: undefined, toolCalls: [], stop: 'end', stopSequence: undefined };
}

/** Counts by the rule of tokens.ts, with the script's numbers in place of counted ones. */
export function composeUsage(prompt: SandboxPrompt, answers: readonly SandboxAnswer[], numbers: Partial<Record<keyof SandboxUsage, number | undefined>> = {}): SandboxUsage {
  const reasoning = sum(answers.map((answer) => answer.thinking.length));
  return {
    input: numbers.input ?? prompt.inputTokens,
    cacheRead: numbers.cacheRead ?? 0,
    cacheWrite: numbers.cacheWrite ?? 0,
    cacheWrite1h: numbers.cacheWrite1h ?? 0,
    output: numbers.output ?? sum(answers.map(outputTokens)),
    reasoning: numbers.reasoning ?? reasoning,
  };
}

function outputTokens(answer: SandboxAnswer): number {
  return answer.thinking.length + answer.text.length + countTokens(answer.refusal ?? '') + sum(answer.toolCalls.map((call) => call.pieces.length + 1));
}

function answerText(provider: string, prompt: SandboxPrompt): string {
  if (prompt.toolResults.length > 0) {
    const quoted = prompt.toolResults.map((result) => `"${result.slice(0, quotedResultLimit)}"`).join(' and ');
    return `Waybill sandbox ${provider} got the tool's answer: ${quoted}.`;
  }
  if (prompt.format === 'json') return JSON.stringify({ answer: `Waybill sandbox ${provider}` });
  if (typeof prompt.format === 'object') return JSON.stringify(sampleFromSchema(prompt.format.schema));
  const words = /\bsay (\d{1,6}) words\b/i.exec(prompt.userText)?.[1];
  if (words !== undefined) return Array.from({ length: Math.min(Number(words), longestListOfWords) }, (_, index) => `word${index + 1}`).join(' ');
  const images = prompt.images === 0 ? '' : ` It saw ${prompt.images} ${prompt.images === 1 ? 'image' : 'images'}.`;
  return `Waybill sandbox ${provider} answers your prompt: "${quotable(prompt.userText)}".${images}`;
}

const requestTag = '<userRequest>';

/** The prompt itself, without the context an editor wraps around it in tags; after a failed turn it sends older prompts along. */
export function quotable(userText: string): string {
  let wrapped: string | undefined;
  for (let from = userText.indexOf(requestTag); from !== -1;) {
    const end = userText.indexOf('</userRequest>', from);
    if (end === -1) break;
    wrapped = userText.slice(from + requestTag.length, end);
    from = userText.indexOf(requestTag, end);
  }
  return (wrapped ?? userText).trim().slice(0, quotedPromptLimit);
}

function wantedToolCalls(prompt: SandboxPrompt): SandboxToolCall[] {
  if (prompt.toolChoice === 'none' || prompt.tools.length === 0 || prompt.toolResults.length > 0) return [];
  const asked = readToolCalls(prompt.userText).filter((call) => prompt.tools.some((tool) => tool.name === call.name));
  const calls = asked.length > 0 ? asked : forcedToolCalls(prompt);
  return prompt.parallelToolCalls ? calls : calls.slice(0, 1);
}

function forcedToolCalls(prompt: SandboxPrompt): SandboxToolCall[] {
  const { toolChoice } = prompt;
  if (toolChoice === 'auto' || toolChoice === 'none') return [];
  const tool = toolChoice === 'required' ? prompt.tools[0] : prompt.tools.find(({ name }) => name === toolChoice.name);
  if (tool === undefined) return [];
  return [{ name: tool.name, arguments: JSON.stringify(tool.parameters === undefined ? {} : sampleFromSchema(tool.parameters)) }];
}

/** More calls than this are in no prompt that is meant as one. */
const mostToolCalls = 64;

/** The first `call tool NAME {json}` of a text, in order; JSON that cannot be read counts as no arguments. */
export function readToolCalls(text: string): SandboxToolCall[] {
  return [...text.matchAll(/call tool ([A-Za-z0-9_.-]+)[^\S\n]*/g)].slice(0, mostToolCalls).map((match) => ({
    name: match[1] ?? '',
    arguments: leadingJsonObject(text, match.index + match[0].length) ?? '{}',
  }));
}

function leadingJsonObject(text: string, from: number): string | undefined {
  if (text[from] !== '{') return undefined;
  let depth = 0;
  let quoted = false;
  for (let at = from; at < text.length; at += 1) {
    const character = text[at];
    if (quoted) {
      if (character === '\\') at += 1;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '{') depth += 1;
    else if (character === '}') depth -= 1;
    if (depth > 0) continue;
    const candidate = text.slice(from, at + 1);
    return isObject(parseJson(candidate)) ? candidate : undefined;
  }
  return undefined;
}

function applyStop(text: string, stops: readonly string[]): { kept: string; stopSequence: string | undefined } {
  const hits = stops.filter((stop) => stop !== '' && text.includes(stop)).sort((left, right) => text.indexOf(left) - text.indexOf(right));
  const first = hits[0];
  return first === undefined ? { kept: text, stopSequence: undefined } : { kept: text.slice(0, text.indexOf(first)), stopSequence: first };
}

/** Thinking, text and tool arguments share the limit, in this order; what does not fit is cut off, as models do. */
function limitTokens(answer: SandboxAnswer, limit: number | undefined): SandboxAnswer {
  if (limit === undefined || outputTokens(answer) <= limit) return answer;
  let left = limit;
  const take = (pieces: string[]): string[] => {
    const taken = pieces.slice(0, left);
    left -= taken.length;
    return taken;
  };
  const thinking = take(answer.thinking);
  const text = take(answer.text);
  const toolCalls = [];
  for (const call of answer.toolCalls) {
    if (left < 1) break;
    left -= 1;
    toolCalls.push({ ...call, pieces: take(call.pieces) });
  }
  return { ...answer, thinking, text, toolCalls, stop: 'length', stopSequence: undefined };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}
