import type { CompletionRequest, EmbeddingRequest } from '../../api/operations.ts';
import type { JsonObject } from '../../base/json.ts';

/**
 * The body of `POST /completions` for a completion that does not come in this shape.
 * Source: https://platform.openai.com/docs/api-reference/completions/create; Mistral's and DeepSeek's fill-in-the-middle take the same fields.
 * @param model the provider's own name
 */
export function completionBody({ prompt, suffix, maxOutputTokens, temperature, stop }: CompletionRequest, model: string, stream: boolean): JsonObject {
  return {
    model, prompt, stream,
    ...(suffix === undefined ? {} : { suffix }),
    ...(maxOutputTokens === undefined ? {} : { max_tokens: maxOutputTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(stop === undefined || stop.length === 0 ? {} : { stop }),
  };
}

/**
 * The body of `POST /embeddings` for texts that do not come in this shape.
 * Source: https://platform.openai.com/docs/api-reference/embeddings/create.
 * @param model the provider's own name
 */
export function embeddingBody({ input }: EmbeddingRequest, model: string): JsonObject {
  return { model, input };
}
