import type { ProtocolName } from '../../api/conversation.ts';

interface Names { openAi: { type: string; code: string }; anthropic: string; google: string }

/** How each protocol names what the local endpoint itself refuses; a provider's failures are named by its codec. */
const names: Readonly<Record<number, Names>> = {
  400: { openAi: { type: 'invalid_request_error', code: 'invalid_request' }, anthropic: 'invalid_request_error', google: 'INVALID_ARGUMENT' },
  401: { openAi: { type: 'invalid_request_error', code: 'invalid_api_key' }, anthropic: 'authentication_error', google: 'UNAUTHENTICATED' },
  403: { openAi: { type: 'invalid_request_error', code: 'forbidden' }, anthropic: 'permission_error', google: 'PERMISSION_DENIED' },
  404: { openAi: { type: 'invalid_request_error', code: 'not_found' }, anthropic: 'not_found_error', google: 'NOT_FOUND' },
  413: { openAi: { type: 'invalid_request_error', code: 'request_too_large' }, anthropic: 'request_too_large', google: 'INVALID_ARGUMENT' },
  500: { openAi: { type: 'server_error', code: 'internal_error' }, anthropic: 'api_error', google: 'INTERNAL' },
};

/** The body of an error of the local endpoint's own, in the shape a protocol's clients read. */
export function refusalBody(protocol: ProtocolName, status: number, message: string): object {
  const named = names[status] ?? (status >= 500 ? names[500] : names[400]);
  switch (protocol) {
    case 'openai-chat':
    case 'openai-responses': return { error: { message, type: named?.openAi.type, param: null, code: named?.openAi.code } };
    case 'anthropic-messages': return { type: 'error', error: { type: named?.anthropic, message } };
    case 'gemini': return { error: { code: status, message, status: named?.google } };
  }
}
