/** A text completion; with `suffix`, the text between prompt and suffix (fill in the middle). */
export interface CompletionRequest {
  prompt: string;
  suffix?: string | undefined;
  /** In tokens. */
  maxOutputTokens?: number | undefined;
  temperature?: number | undefined;
  stop?: string[] | undefined;
}

/** Texts to embed, each into one vector. */
export interface EmbeddingRequest {
  input: string[];
}
