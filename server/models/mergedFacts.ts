import type { ModelSettings } from '../api/settings.ts';
import { makersPricesAsOf, type ModelFactsEntry } from '../catalog/modelFacts.ts';
import type { ListedFacts } from './listedFacts.ts';

/** What is known of a model at an endpoint. An absent fact is unknown and excludes nothing. */
export interface ModelFacts {
  /** Prompt and answer together, in tokens. */
  contextWindow?: number | undefined;
  maxOutputTokens?: number | undefined;
  tools?: boolean | undefined;
  images?: boolean | undefined;
  documents?: boolean | undefined;
  jsonSchema?: boolean | undefined;
  thinking?: boolean | undefined;
  /** The list price with its date, for people to read. */
  pricing?: string | undefined;
}

/** Takes each fact from the best source that has it: the user's settings, the provider's list, our table of makers' figures. */
export function mergedFacts(configured: ModelSettings | undefined, listed: ListedFacts | undefined, known: ModelFactsEntry): ModelFacts {
  return {
    contextWindow: configured?.contextWindow ?? listed?.contextWindow ?? known.contextWindow,
    maxOutputTokens: configured?.maxOutputTokens ?? listed?.maxOutputTokens ?? known.maxOutputTokens,
    tools: configured?.tools ?? listed?.tools ?? known.tools,
    images: configured?.images ?? listed?.images ?? known.images,
    documents: listed?.documents,
    jsonSchema: listed?.jsonSchema,
    thinking: configured?.thinking ?? listed?.thinking ?? known.thinking,
    pricing: known.pricing === undefined ? undefined : `${known.pricing} (${makersPricesAsOf})`,
  };
}
