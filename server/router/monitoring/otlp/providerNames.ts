import type { RequestBody } from '../../../exchange/request.ts';

/** Names that the OpenTelemetry conventions give to providers, where they are not ours. */
const providerNames: Readonly<Record<string, string>> = {
  gemini: 'gcp.gemini', vertex: 'gcp.vertex_ai', azure: 'azure.ai.openai', bedrock: 'aws.bedrock', moonshot: 'moonshot_ai', mistral: 'mistral_ai', codestral: 'mistral_ai', xai: 'x_ai',
};

/** The operations by the same conventions. */
export const operationNames: Readonly<Record<RequestBody['kind'], string>> = { conversation: 'chat', completion: 'text_completion', embedding: 'embeddings' };

/** The provider's name by the OpenTelemetry conventions. @param provider an id of the catalog */
export function providerName(provider: string): string {
  return providerNames[provider] ?? provider;
}
