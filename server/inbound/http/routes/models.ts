import type { OfferedName } from '../../../router/status/offers.ts';
import type { Router } from '../../../router/router.ts';
import type { HttpCall } from '../httpCall.ts';
import { callerProtocol } from '../request/callerProtocol.ts';
import { decodePathPart } from '../request/requestPath.ts';
import type { HttpRoute, RouteServices } from './httpRoute.ts';

/** Lists of the names that callers can ask for, in the shapes of OpenAI, Anthropic and Google. */
export const modelsRoutes: readonly HttpRoute[] = [
  { methods: ['GET'], path: /^\/v1beta1?\/models$/, access: 'token', handle: sendGoogleModels },
  {
    methods: ['GET'], path: '/models', access: 'token',
    handle: (call, services) => (callerProtocol(call.request.headers) === 'gemini' ? sendGoogleModels(call, services) : sendModels(call, services)),
  },
  {
    methods: ['GET'], path: /^\/models\/(.*)$/s, access: 'token',
    handle(call, { router }) {
      const name = decodePathPart(call.groups[0] ?? '');
      const found = namesFor(call, router).find(({ requestedModel }) => requestedModel === name);
      if (found === undefined) call.refuse(404, `There is no model or route named ${name}.`);
      else call.json(200, modelEntry(found));
    },
  },
];

/** The names that the token of a call may ask for. */
export function namesFor({ access }: HttpCall, router: Router): readonly OfferedName[] {
  const names = router.offeredNames();
  return access === undefined ? names : names.filter(({ requestedModel }) => router.tokens.allows(access, requestedModel));
}

function sendModels(call: HttpCall, { router }: RouteServices): void {
  const data = namesFor(call, router).map(modelEntry);
  call.json(200, call.request.headers['anthropic-version'] === undefined
    ? { object: 'list', data }
    : { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null });
}

function sendGoogleModels(call: HttpCall, { router }: RouteServices): void {
  call.json(200, { models: namesFor(call, router).map(googleEntry) });
}

function googleEntry(one: OfferedName) {
  return {
    name: `models/${one.requestedModel}`, baseModelId: one.requestedModel, version: '1', displayName: displayName(one),
    inputTokenLimit: one.maxInputTokens, outputTokenLimit: one.maxOutputTokens,
    supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
  };
}

/** One entry that OpenAI's and Anthropic's clients both accept. */
function modelEntry(one: OfferedName) {
  return {
    id: one.requestedModel, object: 'model', type: 'model', created: 0, created_at: '1970-01-01T00:00:00Z', owned_by: 'waybill',
    display_name: displayName(one),
    max_input_tokens: one.maxInputTokens, max_tokens: one.maxOutputTokens,
  };
}

function displayName({ kind, name }: OfferedName): string {
  return kind === 'route' ? `${name} (route)` : name;
}
