import { asString, isObject, parseJson } from '../../../base/json.ts';
import type { HttpCall } from '../httpCall.ts';
import type { HttpRoute, RouteServices } from './httpRoute.ts';

const noWords: ReadonlySet<string> = new Set();

/** What is done with a canary or a shadow, and with whose. */
interface Order<Action> { action: Action; route?: string | undefined }

/**
 * The paths of canaries, or of shadows: a report of each, and what is done with them.
 * @param name `canary` or `shadow`; the last part of the path
 */
export function runningPolicyRoutes<Action extends string>(
  name: string, actions: readonly (Action | 'status')[], act: (services: RouteServices, order: Order<Action | 'status'>) => object | { refused: string },
): readonly HttpRoute[] {
  const path = `/waybill/${name}`;
  const shape = `Send JSON like {"action": "start", "route": "coding"}; actions are ${actions.join(', ')}, and "route" may be left out where one route has a ${name}.`;
  return [
    {
      methods: ['GET'], path, access: 'owner',
      handle: (call, services) => {
        const route = new URLSearchParams(call.query).get('route');
        answer(call, act(services, { action: 'status', ...(route === null ? {} : { route }) }));
      },
    },
    {
      methods: ['POST'], path, access: 'owner',
      handle: (call, services) => call.readBody(noWords, ({ bytes }) => {
        const order = orderOf(parseJson(bytes.toString('utf8')), actions);
        return order === undefined ? call.refuse(400, shape) : answer(call, act(services, order));
      }),
    },
  ];
}

function answer(call: HttpCall, result: object | { refused: string }): void {
  if ('refused' in result) call.refuse(409, result.refused);
  else call.json(200, result);
}

function orderOf<Action extends string>(body: unknown, actions: readonly Action[]): Order<Action> | undefined {
  if (!isObject(body)) return undefined;
  const action = actions.find(known => known === body.action);
  if (action === undefined || (body.route !== undefined && asString(body.route) === undefined)) return undefined;
  const name = asString(body.route);
  return { action, ...(name === undefined ? {} : { route: name }) };
}
