import type { StopReason } from '../api/conversation.ts';
import { isObject, parseJson, type JsonValue } from '../base/json.ts';

/** What an answer says, as far as two answers are compared. It is kept in memory only. */
export interface SaidAnswer {
  readonly text: string;
  readonly calls: readonly SaidCall[];
  readonly stop: StopReason | undefined;
}

/** A call that a model asked for. It is compared and never run. @property arguments as the model wrote them */
export interface SaidCall { readonly name: string; readonly arguments: string }

/** How much alike two answers to the same request are, each 0 (nothing) to 1 (the same). */
export interface Likeness {
  /** Of answers with calls half the names and half the whole calls, of others the text. */
  readonly match: number;
  /** Names of the calls; absent where neither answer has calls. */
  readonly toolNames?: number | undefined;
  /** Calls with the same name and the same arguments; absent where neither answer has calls. */
  readonly toolCalls?: number | undefined;
  /** Absent where either answer has no text. */
  readonly text?: number | undefined;
  /** They ended for the same reason: 0 or 1. */
  readonly stop: number;
}

/** The text that is compared of each answer, in characters. */
const longestCompared = 64 * 1024;

/** Compares two answers to the same request. Which of them comes first makes no difference. */
export function compareAnswers(one: SaidAnswer, other: SaidAnswer): Likeness {
  const text = one.text === '' || other.text === '' ? undefined : textLikeness(one.text, other.text);
  const stop = one.stop === other.stop ? 1 : 0;
  if (one.calls.length === 0 && other.calls.length === 0) return { match: text ?? (one.text === other.text ? 1 : 0), text, stop };
  const toolNames = overlap(one.calls.map(({ name }) => name), other.calls.map(({ name }) => name));
  const toolCalls = overlap(one.calls.map(wholeCall), other.calls.map(wholeCall));
  return { match: (toolNames + toolCalls) / 2, toolNames, toolCalls, text, stop };
}

function wholeCall({ name, arguments: written }: SaidCall): string {
  return `${name} ${canonicalArguments(written)}`;
}

/** Arguments with their fields in order and without white space between them; what is no JSON stays as it stands. */
export function canonicalArguments(written: string): string {
  const text = written.trim();
  if (text === '') return '{}';
  const value = parseJson(text);
  return value === undefined ? text : canonicalJson(value) ?? text;
}

function canonicalJson(value: JsonValue): string | undefined {
  try {
    return JSON.stringify(value, (_name, inner: unknown) => (isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) : inner));
  } catch {
    // Nested so deeply that it cannot be written: it is compared as it stands.
    return undefined;
  }
}

/** The same JSON is the same text, whatever its layout; other texts are compared by their words and pairs of words. */
function textLikeness(one: string, other: string): number {
  if (one === other) return 1;
  const [first, second] = [one.slice(0, longestCompared), other.slice(0, longestCompared)];
  if (isJson(first) && isJson(second) && canonicalArguments(first) === canonicalArguments(second)) return 1;
  const [a, b] = [words(first), words(second)];
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 1 : 0;
  return (overlap(a, b) + overlap(pairs(a), pairs(b))) / 2;
}

function isJson(text: string): boolean {
  return /^\s*[{[]/.test(text);
}

/** Words, runs of signs, and single characters of scripts that write without spaces. */
const wordPattern = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{M}\p{N}_]+|[^\s\p{L}\p{M}\p{N}_]+/gu;

function words(text: string): string[] {
  return text.normalize('NFC').toLowerCase().match(wordPattern) ?? [];
}

function pairs(list: readonly string[]): string[] {
  return list.map((word, index) => `${list[index - 1] ?? ''} ${word}`);
}

/** How much two lists have in common, each entry as often as it stands there: 0 to 1 (Dice). */
function overlap(one: readonly string[], other: readonly string[]): number {
  const left = new Map<string, number>();
  for (const entry of one) left.set(entry, (left.get(entry) ?? 0) + 1);
  let common = 0;
  for (const entry of other) {
    const count = left.get(entry) ?? 0;
    if (count === 0) continue;
    left.set(entry, count - 1);
    common += 1;
  }
  return 2 * common / (one.length + other.length);
}
