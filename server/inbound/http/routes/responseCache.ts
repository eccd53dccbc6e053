import { asString, isObject, parseJson } from '../../../base/json.ts';
import type { HttpRoute } from './httpRoute.ts';

const noWords: ReadonlySet<string> = new Set();
const shape = 'Send JSON like {"action": "clear"}; {"action": "clear", "route": "coding"} clears one route.';

/** The answers that routes keep: figures, and forgetting them. */
export const responseCacheRoutes: readonly HttpRoute[] = [
  {
    methods: ['GET'], path: '/waybill/response-cache', access: 'owner',
    handle: (call, { router }) => call.json(200, { routes: router.responses.statuses() }),
  },
  {
    methods: ['POST'], path: '/waybill/response-cache', access: 'owner',
    handle: (call, { router }) => call.readBody(noWords, ({ bytes }) => {
      const body = parseJson(bytes.toString('utf8'));
      if (!isObject(body) || body['action'] !== 'clear' || (body['route'] !== undefined && asString(body['route']) === undefined)) return call.refuse(400, shape);
      const result = router.responses.clear(asString(body['route']));
      if ('refused' in result) call.refuse(409, result.refused);
      else call.json(200, result);
    }),
  },
];
