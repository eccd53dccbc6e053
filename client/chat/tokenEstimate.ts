import { jsonLength } from '../../server/api/jsonLength.ts';
import { charactersPerToken, tokensPerImage } from '../../server/api/tokenEstimate.ts';
import { readPart } from './incomingParts.ts';
import type { IncomingMessage } from './incomingParts.ts';

/** Real ratios lie well inside; anything else is a provider that counts something else. */
const plausible = { least: 1.5, most: 8 };
/** How much one real count moves the ratio. */
const learningRate = 0.3;
/** Under this many characters a prompt says little: overheads prevail. */
const shortestLesson = 400;
/** Characters outside Latin scripts take about this many times the tokens of a Latin one. */
const wideWeight = 2.6;
const documentTokens = 3_000;
const messageOverheadTokens = 4;
const toolCallOverheadTokens = 12;
/** The last character of the Latin scripts. */
const lastLatin = 0x24f;

/**
 * Estimates token counts without a tokenizer or the network, fast enough to be asked for every string of every
 * tool schema. The ratio of characters to tokens is learnt per model from what providers really counted.
 */
export class TokenEstimator {
  readonly #ratios = new Map<string, number>();

  /** Estimated tokens of a text for a model. */
  text(model: string, text: string): number {
    return text === '' ? 0 : Math.max(1, Math.ceil(weigh(text) / this.#ratio(model)));
  }

  /** Estimated tokens of a message with everything in it. */
  message(model: string, message: IncomingMessage): number {
    const { weight, tokens } = this.#measure(message.content);
    return messageOverheadTokens + tokens + Math.ceil(weight / this.#ratio(model));
  }

  /** Weighted characters of a whole prompt, for `learn` once its real token count is known. */
  promptWeight(messages: readonly IncomingMessage[], tools: readonly unknown[]): number {
    let weight = 0;
    for (const message of messages) weight += this.#measure(message.content).weight;
    for (const tool of tools) weight += jsonLength(tool, weigh);
    return weight;
  }

  /** A prompt of this weight was really counted as this many tokens. */
  learn(model: string, promptWeight: number, promptTokens: number): void {
    if (promptWeight < shortestLesson || promptTokens <= 0) return;
    const ratio = promptWeight / promptTokens;
    if (ratio < plausible.least || ratio > plausible.most) return;
    const before = this.#ratio(model);
    this.#ratios.set(model, before + (ratio - before) * learningRate);
  }

  #ratio(model: string): number {
    return this.#ratios.get(model) ?? charactersPerToken.cautious;
  }

  #measure(content: readonly unknown[]): { weight: number; tokens: number } {
    let weight = 0;
    let tokens = 0;
    for (const incoming of content) {
      const part = readPart(incoming);
      switch (part.kind) {
        case 'text':
        case 'thinking':
          weight += weigh(part.text);
          break;
        case 'tool-call':
          weight += part.name.length + jsonLength(part.input);
          tokens += toolCallOverheadTokens;
          break;
        case 'tool-result': {
          const inner = this.#measure(part.content);
          weight += inner.weight;
          tokens += inner.tokens + toolCallOverheadTokens;
          break;
        }
        case 'media':
          if (part.mimeType.startsWith('image/')) tokens += tokensPerImage.likely;
          else if (part.mimeType === 'application/pdf') tokens += documentTokens;
          else weight += part.bytes.length;
          break;
        case 'unknown':
          break;
      }
    }
    return { weight, tokens };
  }
}

function weigh(text: string): number {
  // A text whose UTF-8 is no longer than itself is ASCII; native code sees that many times faster than a walk does.
  if (Buffer.byteLength(text) === text.length) return text.length;
  let wide = 0;
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > lastLatin) wide++;
  }
  return text.length + wide * (wideWeight - 1);
}
