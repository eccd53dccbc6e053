import { shadowActions, type ShadowAction, type ShadowParams, type ShadowResult } from '../../../api/shadow.ts';
import { asString, isObject, parseJson } from '../../../base/json.ts';
import type { HttpCall } from '../httpCall.ts';
import type { HttpRoute } from './httpRoute.ts';

const noWords: ReadonlySet<string> = new Set();
const shape = `Send JSON like {"action": "start", "route": "coding"}; actions are ${shadowActions.join(', ')}, and "route" may be left out where one route has a shadow.`;

/** The shadows of routes: a report of each, and what is done with them. */
export const shadowRoutes: readonly HttpRoute[] = [
  {
    methods: ['GET'], path: '/waybill/shadow', access: 'token',
    handle: (call, { router }) => {
      const route = new URLSearchParams(call.query).get('route');
      answer(call, router.shadows.act({ action: 'status', ...(route === null ? {} : { route }) }));
    },
  },
  {
    methods: ['POST'], path: '/waybill/shadow', access: 'owner',
    handle: (call, { router }) => call.readBody(noWords, ({ bytes }) => {
      const params = paramsOf(parseJson(bytes.toString('utf8')));
      return params === undefined ? call.refuse(400, shape) : answer(call, router.shadows.act(params));
    }),
  },
];

function answer(call: HttpCall, result: ShadowResult): void {
  if ('refused' in result) call.refuse(409, result.refused);
  else call.json(200, result);
}

function paramsOf(body: unknown): ShadowParams | undefined {
  if (!isObject(body)) return undefined;
  const { action, route } = body;
  if (!shadowActions.includes(action as ShadowAction) || (route !== undefined && asString(route) === undefined)) return undefined;
  const name = asString(route);
  return { action: action as ShadowAction, ...(name === undefined ? {} : { route: name }) };
}
