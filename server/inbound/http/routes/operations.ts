import type { Operation } from '../../../catalog/operations.ts';
import { answerInference, watchedWords } from '../inference.ts';
import type { HttpRoute } from './httpRoute.ts';

/** Text completions, under OpenAI's and Mistral's paths, and embeddings. */
export const operationRoutes: readonly HttpRoute[] = [
  operationRoute('/completions', 'completion'),
  operationRoute('/fim/completions', 'completion'),
  operationRoute('/embeddings', 'embedding'),
];

function operationRoute(path: string, kind: Operation): HttpRoute {
  return {
    methods: ['POST'], path, access: 'token',
    handle: (call, services) => call.readBody(watchedWords, body => answerInference(call, services, { kind, protocol: 'openai-chat' }, body)),
  };
}
