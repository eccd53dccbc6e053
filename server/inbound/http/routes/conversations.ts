import type { ProtocolName } from '../../../api/conversation.ts';
import { answerInference, watchedWords } from '../inference.ts';
import type { HttpRoute } from './httpRoute.ts';

/** Conversations of the protocols that name model and stream in the body. */
export const conversationRoutes: readonly HttpRoute[] = [
  conversationRoute('/chat/completions', 'openai-chat'),
  conversationRoute('/messages', 'anthropic-messages'),
  conversationRoute('/responses', 'openai-responses'),
];

function conversationRoute(path: string, protocol: ProtocolName): HttpRoute {
  return {
    methods: ['POST'], path, access: 'token', protocol,
    handle: (call, services) => call.readBody(watchedWords, body => answerInference(call, services, { kind: 'conversation', protocol }, body)),
  };
}
