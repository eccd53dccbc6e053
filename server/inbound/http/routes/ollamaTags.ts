import { namesFor } from './models.ts';
import type { HttpRoute } from './httpRoute.ts';

/** The list of models as Ollama writes it, for tools that look for local models. */
export const ollamaTagsRoute: HttpRoute = {
  methods: ['GET'], path: '/api/tags', access: 'token',
  handle: (call, { router }) => call.json(200, { models: namesFor(call, router).map(({ requestedModel }) => ({ name: requestedModel, model: requestedModel, details: {} })) }),
};
