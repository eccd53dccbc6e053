/**
 * How a count of tokens is estimated where no tokenizer has counted. Current tokenizers make a token of 3.5 to 4.5 characters of
 * English prose and code (OpenAI, "What are tokens and how to count them": about 4; Anthropic, "Glossary": about 3.5).
 *
 * `lower`: the real count is hardly ever smaller; for leaving out what certainly does not fit.
 * `likely`: nearest to the real count on average.
 * `cautious`: the real count is rarely larger; for callers that make room by it.
 */
export type TokenBound = 'lower' | 'likely' | 'cautious';

/** Characters (or bytes of JSON) that one token stands for. */
export const charactersPerToken: Readonly<Record<TokenBound, number>> = {
  // Long words, indentation and the JSON around a prompt make more than the usual 4.
  lower: 5,
  likely: 4,
  cautious: 3.6,
};

/** Tokens of one image. */
export const tokensPerImage: Readonly<Record<TokenBound, number>> = {
  // Gemini counts 258 for a small image or a tile (ai.google.dev, "Understand and count tokens").
  lower: 250,
  // OpenAI counts 765 to 1,105 for a usual screenshot (85 + 170 for each tile of 512 pixels), Anthropic more (pixels / 750).
  likely: 1_200,
  // Anthropic scales an image down to about 1,600 tokens; most stay below.
  cautious: 1_500,
};

/** Estimated tokens of a text. @param length in characters, or in bytes of JSON */
export function textTokens(length: number, bound: TokenBound): number {
  return Math.ceil(length / charactersPerToken[bound]);
}
