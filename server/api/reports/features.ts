/**
 * What a request used of its model, each with its words. The place in the list is a bit in the ledger: a new one stands at
 * the end. Streaming and caching are known from other columns.
 */
export const requestFeatures = [
  'tools', 'images', 'documents', 'jsonSchema', 'reasoning', 'hostedTools', 'providerState', 'logprobs', 'seed', 'completions', 'embeddings',
] as const;
export type RequestFeature = (typeof requestFeatures)[number];

/** The bit of a feature. */
export function featureBit(feature: RequestFeature): number {
  return 1 << requestFeatures.indexOf(feature);
}

/** The features of a sum of bits. */
export function featuresOf(bits: number): RequestFeature[] {
  return requestFeatures.filter((_, index) => (bits & (1 << index)) !== 0);
}
