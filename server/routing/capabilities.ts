import { grouped } from '../base/grouped.ts';
import type { EndpointConfig } from '../config/config.ts';
import type { ModelFacts, Requirements } from './plan.ts';

/**
 * Why a model at an endpoint can never serve these needs, as one sentence; undefined when nothing known speaks against it.
 * Only what is known to be false excludes. The prompt estimate is a lower bound, so a window that is too small for it is
 * too small indeed.
 */
export function missingCapability(requirements: Requirements, endpoint: EndpointConfig, facts: ModelFacts): string | undefined {
  if (requirements.onlyProtocol !== undefined && endpoint.protocol !== requirements.onlyProtocol.protocol) {
    return `speaks ${endpoint.protocol}, but only ${requirements.onlyProtocol.protocol} can serve this request: ${requirements.onlyProtocol.reason}`;
  }
  if (requirements.tools && facts.tools === false) return 'cannot call tools, and the request has some';
  if (requirements.images && facts.images === false) return 'cannot read images, and the request has some';
  if (requirements.documents && facts.documents === false) return 'cannot read documents, and the request has some';
  if (requirements.jsonSchema && facts.jsonSchema === false) return 'cannot answer by a JSON schema, and the request demands one';
  if (requirements.thinking && facts.thinking === false) return 'cannot think, and the request asks for thinking';
  if (facts.contextWindow !== undefined && isTooLong(requirements, facts)) {
    return `context window of ${grouped(facts.contextWindow)} tokens is too small for about ${grouped(requirements.estimatedInputTokens)}`;
  }
  return undefined;
}

/** Whether the prompt cannot fit into a model's context window. */
export function isTooLong(requirements: Requirements, facts: ModelFacts): boolean {
  return facts.contextWindow !== undefined && facts.contextWindow <= requirements.estimatedInputTokens;
}
