/**
 * The sandbox's rule of counting, the same for every protocol: a token is a run of up to twelve characters
 * other than white space, with the white space before it; trailing white space is one token. A message costs four tokens
 * more, an image 85. Tool definitions count as their JSON text.
 */

const tokenPattern = /\s*\S{1,12}|\s+/gu;

export const tokensPerMessage = 4;
export const tokensPerImage = 85;

/** Cuts text into tokens; joined they are the text again. One token is one streamed piece. */
export function splitIntoTokens(text: string): string[] {
  return text.match(tokenPattern) ?? [];
}

export function countTokens(text: string): number {
  return splitIntoTokens(text).length;
}
