import { endpointActions, pauseEnd, wrongSpan, type EndpointOrder } from '../../../api/endpoints/pause.ts';
import { asString, isObject, parseJson } from '../../../base/json.ts';
import type { HttpRoute } from './httpRoute.ts';

const noWords: ReadonlySet<string> = new Set();
const shape = `Send JSON like {"action": "pause", "endpoint": "openai", "for": "1h"}; actions are ${endpointActions.join(', ')}.`;

/** What every endpoint can do now; pausing, resuming, probing and resetting one. */
export const endpointsRoutes: readonly HttpRoute[] = [
  {
    methods: ['GET'], path: '/waybill/endpoints', access: 'owner',
    handle: (call, { router }) => call.json(200, { endpoints: router.endpoints.states() }),
  },
  {
    methods: ['POST'], path: '/waybill/endpoints', access: 'owner',
    handle: (call, { router }) => call.readBody(noWords, async ({ bytes }) => {
      const order = orderIn(parseJson(bytes.toString('utf8')), router.clock.now());
      if ('refused' in order) return call.refuse(400, order.refused);
      const result = await router.endpoints.act(order);
      if ('refused' in result) call.refuse(409, result.refused);
      else call.json(200, result);
    }),
  },
];

function orderIn(body: unknown, now: number): EndpointOrder | { refused: string } {
  if (!isObject(body)) return { refused: shape };
  const action = endpointActions.find(known => known === body['action']);
  const endpoint = asString(body['endpoint']);
  if (action === undefined || endpoint === undefined) return { refused: shape };
  if (body['for'] === undefined) return { action, endpoint };
  const end = pauseEnd(asString(body['for']) ?? '', now);
  if (end === undefined || action !== 'pause') return { refused: action === 'pause' ? wrongSpan : 'Only a pause has "for".' };
  return { action, endpoint, ...end };
}
