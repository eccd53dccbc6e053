import type { ProtocolName } from '../api/conversation.ts';
import type { KeyMaterial } from '../api/messages.ts';
import { WaybillError } from '../base/failure.ts';
import { chatUrl } from '../catalog/paths.ts';
import type { EndpointConfig } from '../config/config.ts';
import type { Requirements } from '../routing/plan.ts';
import { authorize } from '../keys/authHeader.ts';
import { fetchText } from '../upstream/fetchText.ts';
import type { Transport } from '../upstream/transport.ts';

/** A prompt whose tokens are to be counted. */
export interface CountRequest {
  protocol: ProtocolName;
  requestedModel: string;
  requirements: Requirements;
  /** The caller's headers of its protocol. */
  headers: Readonly<Record<string, string>>;
  /** The body for a model name. */
  body(model: string): readonly Buffer[];
}

const countTimeoutMs = 5000;

/** @returns the provider's answer; undefined when it does not count, refuses, or cannot be reached */
export async function countAtProvider(
  transport: Transport, endpoint: EndpointConfig, model: string, key: KeyMaterial | undefined, count: CountRequest,
): Promise<string | undefined> {
  const chat = chatUrl(endpoint, model, false);
  const url = countUrl(endpoint.protocol, chat);
  if (url === undefined || endpoint.provider.anthropicVersionInBody !== undefined) return undefined;
  try {
    const authorization = authorize(endpoint, key, url);
    const answer = await fetchText(transport, endpoint, {
      method: 'POST', url: authorization.url, googleLogin: authorization.googleLogin, body: count.body(model),
      headers: {
        'content-type': 'application/json',
        ...(endpoint.protocol === 'anthropic-messages' ? { 'anthropic-version': endpoint.provider.dialect.anthropicVersion ?? '2023-06-01' } : {}),
        ...count.headers, ...endpoint.headers, ...authorization.headers,
      },
    }, countTimeoutMs);
    return answer.status === 200 ? answer.text : undefined;
  } catch (error) {
    if (error instanceof WaybillError) return undefined;
    throw error;
  }
}

function countUrl(protocol: ProtocolName, chat: string): string | undefined {
  switch (protocol) {
    case 'anthropic-messages': return `${chat}/count_tokens`;
    case 'openai-responses': return `${chat}/input_tokens`;
    case 'gemini': return chat.replace(/:generateContent$/, ':countTokens');
    case 'openai-chat': return undefined;
  }
}
