import { isObject, type JsonObject } from '../../base/json.ts';

/** Where requests say how many tokens the answer may have: at the top level, or in one of these objects. */
const topNames = ['max_tokens', 'max_completion_tokens', 'max_output_tokens'] as const;
const nestedNames: readonly (readonly [parent: string, name: string])[] = [
  ['generationConfig', 'maxOutputTokens'], ['generation_config', 'max_output_tokens'], ['inferenceConfig', 'maxTokens'],
];

/** The limit by any of its names, then some words, then the bound; or the bound, then words for tokens of the answer. */
const limitName = String.raw`(?:max(?:imum)?[_ ]?(?:(?:new|completion|output)[_ ]?)?tokens|maximum number of (?:output |completion )?tokens|(?:output|completion) tokens)`;
const figure = String.raw`[\x60'"]?(\d[\d,_]{0,12})[\x60'"]?`;
const inclusive = String.raw`(?:at most|less than or equal to|lower than or equal to|smaller than or equal to|<=|\u2264|up to|not exceed|no more than|limit(?: is| of|:)|maximum(?: allowed)?(?: value)?(?: is| of|:)?|(?:not|n't) (?:be )?(?:greater|larger|more|higher) than)`;

/**
 * How providers name the most that an answer may have. Sources, November 2026: OpenAI "max_tokens is too large: 100000. This model supports
 * at most 16384 completion tokens, whereas you provided 100000."; Anthropic "max_tokens: 200000 > 64000, which is the maximum allowed number
 * of output tokens for claude-…"; DeepSeek "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]"; Qwen "Range of max_tokens
 * should be [1, 8192]"; Groq "`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the
 * `context_window` for this model"; Gemini "it has a maxOutputTokens value of 100000 but the supported range is from 1 (inclusive) to 8193
 * (exclusive)"; Bedrock "The maximum tokens you requested exceeds the model limit of 4096."
 */
const wordings: readonly { readonly pattern: RegExp; readonly exclusive?: boolean }[] = [
  { pattern: new RegExp(String.raw`max_tokens: \d{1,12} > (\d{1,12})\b`) },
  { pattern: new RegExp(String.raw`${limitName}[^]{0,80}?\[\s{0,3}\d{1,9},\s{0,3}(\d{1,12})\s{0,3}\]`, 'i') },
  { pattern: new RegExp(String.raw`${limitName}[^]{0,80}?\[\s{0,3}\d{1,9},\s{0,3}(\d{1,12})\s{0,3}\)`, 'i'), exclusive: true },
  { pattern: new RegExp(String.raw`${limitName}[^]{0,120}?to (\d{1,12}) \(exclusive\)`, 'i'), exclusive: true },
  { pattern: new RegExp(String.raw`${limitName}[^]{0,120}?(?:to|and) (\d{1,12}) \(inclusive\)`, 'i') },
  { pattern: new RegExp(String.raw`${limitName}[^]{0,60}?between \d{1,9} and ${figure}`, 'i') },
  { pattern: new RegExp(String.raw`${inclusive} ${figure} (?:output|completion) tokens`, 'i') },
  { pattern: new RegExp(String.raw`${limitName}[^]{0,80}?${inclusive} ${figure}`, 'i') },
  { pattern: new RegExp(String.raw`${limitName}[^]{0,80}?(?:less|lower|smaller) than ${figure}`, 'i'), exclusive: true },
];

/** Messages about prompt and answer together: what is left for the answer depends on the prompt. Groq names the window as a parameter only. */
const aboutContext = /context (?:length|window|size)|input tokens|prompt|per[_ ](?:minute|day)|budget_tokens/i;

/**
 * The most tokens of an answer that a refusal names.
 * @returns undefined where it names none, or one that the request keeps
 */
export function namedOutputLimit(message: string, body: JsonObject): number | undefined {
  const wanted = writtenLimit(body);
  if (wanted === undefined || aboutContext.test(message)) return undefined;
  for (const { pattern, exclusive = false } of wordings) {
    const found = pattern.exec(message)?.[1];
    if (found === undefined) continue;
    const most = Number(found.replaceAll(/[,_]/g, '')) - (exclusive ? 1 : 0);
    if (most >= 1 && most < wanted) return most;
  }
  return undefined;
}

/** The highest limit that a request writes. */
function writtenLimit(body: JsonObject): number | undefined {
  const limits = [...topNames.map(name => body[name]), ...nestedNames.map(([parent, name]) => nested(body, parent)?.[name])].filter(limit => typeof limit === 'number');
  return limits.length === 0 ? undefined : Math.max(...limits);
}

function nested(body: JsonObject, parent: string): JsonObject | undefined {
  const value = body[parent];
  return isObject(value) ? value : undefined;
}

/** The names at the top level under which bytes may write a limit. */
export const outputLimitNames: readonly string[] = topNames;

/** Lowers every limit of a body in place. @returns false where none is higher */
export function lowerOutputLimit(body: JsonObject, most: number): boolean {
  let lowered = false;
  for (const name of topNames) {
    const limit = body[name];
    if (typeof limit !== 'number' || limit <= most) continue;
    body[name] = most;
    lowered = true;
  }
  for (const [parent, name] of nestedNames) {
    const within = nested(body, parent);
    const limit = within?.[name];
    if (typeof limit !== 'number' || limit <= most) continue;
    body[parent] = { ...within, [name]: most };
    lowered = true;
  }
  return lowered;
}
