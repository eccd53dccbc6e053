import { canaryActions, type CanaryAction, type CanaryParams, type CanaryResult } from '../../../api/canary.ts';
import { asString, isObject, parseJson } from '../../../base/json.ts';
import type { HttpCall } from '../httpCall.ts';
import type { HttpRoute } from './httpRoute.ts';

const noWords: ReadonlySet<string> = new Set();
const shape = `Send JSON like {"action": "start", "route": "coding"}; actions are ${canaryActions.join(', ')}, and "route" may be left out where one route has a canary.`;

/** The canaries of routes: a report of each, and what is done with them. */
export const canaryRoutes: readonly HttpRoute[] = [
  {
    methods: ['GET'], path: '/waybill/canary', access: 'token',
    handle: (call, { router }) => {
      const route = new URLSearchParams(call.query).get('route');
      answer(call, router.canaries.act({ action: 'status', ...(route === null ? {} : { route }) }));
    },
  },
  {
    methods: ['POST'], path: '/waybill/canary', access: 'owner',
    handle: (call, { router }) => call.readBody(noWords, ({ bytes }) => {
      const params = paramsOf(parseJson(bytes.toString('utf8')));
      return params === undefined ? call.refuse(400, shape) : answer(call, router.canaries.act(params));
    }),
  },
];

function answer(call: HttpCall, result: CanaryResult): void {
  if ('refused' in result) call.refuse(409, result.refused);
  else call.json(200, result);
}

function paramsOf(body: unknown): CanaryParams | undefined {
  if (!isObject(body)) return undefined;
  const { action, route } = body;
  if (!canaryActions.includes(action as CanaryAction) || (route !== undefined && asString(route) === undefined)) return undefined;
  const name = asString(route);
  return { action: action as CanaryAction, ...(name === undefined ? {} : { route: name }) };
}
