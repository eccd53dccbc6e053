import { answerInference, watchedWords } from '../inference.ts';
import { decodePathPart, geminiCallPath } from '../request/requestPath.ts';
import type { HttpRoute } from './httpRoute.ts';

/** Conversations of Gemini, which names the model and the kind of answer in the path. */
export const geminiRoutes: readonly HttpRoute[] = [geminiRoute('generateContent', false), geminiRoute('streamGenerateContent', true)];

function geminiRoute(method: string, stream: boolean): HttpRoute {
  return {
    methods: ['POST'], path: geminiCallPath(method), access: 'token', protocol: 'gemini',
    handle: (call, services) => call.readBody(watchedWords, body => answerInference(call, services, {
      kind: 'conversation', protocol: 'gemini', named: { model: decodePathPart(call.groups[0] ?? ''), stream },
      // Without `alt=sse` the stream is one JSON array.
      jsonArray: stream && new URLSearchParams(call.query).get('alt') !== 'sse',
    }, body)),
  };
}
