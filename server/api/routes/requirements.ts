/** What a request requires of a target. */
export interface Requirements {
  tools: boolean;
  images: boolean;
  documents: boolean;
  jsonSchema: boolean;
  /** A lower bound of the prompt, in tokens. */
  estimatedInputTokens: number;
  /** The most tokens of one answer. */
  maxOutputTokens?: number | undefined;
  /** How many answers are asked for at once (`n`, `candidateCount`); absent: one. */
  answers?: number | undefined;
  /** What kinds of media it holds; absent: none, or not known. */
  media?: RequestMedia | undefined;
}

/** Kinds of media in a request, which not every target reads. */
export interface RequestMedia {
  /** Types of images that are sent as bytes, such as `image/gif`, as their bytes tell. */
  readonly imageTypes: readonly string[];
  readonly pdf: boolean;
  /** The longest image, in characters of its base64, where images are large; absent: none is. */
  readonly longestImage?: number | undefined;
}
