import { featureBit } from '../../api/reports/features.ts';
import type { ExchangeInput } from '../request.ts';

const [tools, images, documents, jsonSchema, reasoning] = [featureBit('tools'), featureBit('images'), featureBit('documents'), featureBit('jsonSchema'), featureBit('reasoning')] as const;
const ofKind = { conversation: 0, completion: featureBit('completions'), embedding: featureBit('embeddings') } as const;
/** Top-level fields of a caller's body, in all protocols. */
const ofField: readonly (readonly [field: string, bit: number])[] = [
  ['previous_response_id', featureBit('providerState')], ['cachedContent', featureBit('providerState')], ['logprobs', featureBit('logprobs')], ['seed', featureBit('seed')],
];

/** What a request uses of its model, as bits; see requestFeatures. It looks at what was found out of the request already, and keeps nothing of it. */
export function usedFeatures({ requirements, body }: Pick<ExchangeInput, 'requirements' | 'body'>): number {
  let bits = ofKind[body.kind];
  if (requirements.tools) bits |= tools;
  if (requirements.images) bits |= images;
  if (requirements.documents) bits |= documents;
  if (requirements.jsonSchema) bits |= jsonSchema;
  if (body.kind === 'conversation' && body.thinkingAsked) bits |= reasoning;
  const fields = body.raw?.scan.fields;
  if (fields !== undefined) for (const [field, bit] of ofField) if (fields.has(field)) bits |= bit;
  return bits;
}
