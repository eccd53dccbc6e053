import type { Requirements } from '../api/routes/requirements.ts';
import { grouped } from '../base/grouped.ts';
import type { ModelFacts } from '../models/mergedFacts.ts';

/**
 * Why a model can never serve a request, as one sentence without its end; undefined when nothing known speaks against it.
 * Only a fact that is known to be false excludes. The prompt estimate is a lower bound, so a context window that is too
 * small for the estimate is too small for the prompt.
 */
export function missingCapability(requirements: Requirements, facts: ModelFacts): string | undefined {
  if (requirements.tools && facts.tools === false) return 'cannot call tools, and the request has some';
  if (requirements.images && facts.images === false) return 'cannot read images, and the request has some';
  if (requirements.documents && facts.documents === false) return 'cannot read documents, and the request has some';
  if (requirements.jsonSchema && facts.jsonSchema === false) return 'cannot answer by a JSON schema, and the request demands one';
  if (facts.contextWindow !== undefined && isTooLong(requirements, facts)) {
    return `context window of ${grouped(facts.contextWindow)} tokens is too small for about ${grouped(requirements.estimatedInputTokens)}`;
  }
  return undefined;
}

/** Whether the prompt cannot fit into a model's context window. */
export function isTooLong(requirements: Requirements, facts: ModelFacts): boolean {
  return facts.contextWindow !== undefined && facts.contextWindow <= requirements.estimatedInputTokens;
}
