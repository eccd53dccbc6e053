/**
 * Models of OpenAI that count with one tokenizer, o200k: openai/tiktoken, tiktoken/model.py (read 2026-11-20). Newer ones
 * are in no such list and count as others.
 */
const o200k = /^(?:gpt-4o|gpt-4\.1|gpt-5(?:\.[1-5])?|o3|o4-mini)(?:-mini|-nano|-codex)?$/;

/** Whether two models certainly make the same tokens of a text. @param one canonical name, like the other */
export function sameTokenizer(one: string, other: string): boolean {
  return one === other || (o200k.test(one) && o200k.test(other));
}

/**
 * How many tokens one tokenizer may make where another one makes one: current ones make a token of 3.5 to 4.5 characters
 * (see api/tokenEstimate.ts).
 */
export const otherTokenizer = { least: 3.5 / 4.5, most: 4.5 / 3.5 } as const;
