import { drillFaults, type StartDrillParams } from '../../../api/drill.ts';
import { WaybillError } from '../../../base/failure.ts';
import { asString, isObject, parseJson } from '../../../base/json.ts';
import type { HttpRoute, RouteServices } from './httpRoute.ts';

const noWords: ReadonlySet<string> = new Set();
const shape = `Send JSON like {"action": "start", "endpoint": "openai", "fault": "down", "durationMs": 60000} or {"action": "stop"}; faults are ${drillFaults.join(', ')}. "model", "keyId" and "slowMs" narrow a start, "id" a stop.`;

/** Fire drills of this server: what runs, starting one, and ending one or all. */
export const drillRoutes: readonly HttpRoute[] = [
  {
    methods: ['GET'], path: '/waybill/drills', access: 'owner',
    handle: (call, services) => call.json(200, { drill: statusOf(services) }),
  },
  {
    methods: ['POST'], path: '/waybill/drills', access: 'owner',
    handle: (call, services) => call.readBody(noWords, ({ bytes }) => {
      const body = parseJson(bytes.toString('utf8'));
      if (!isObject(body)) return call.refuse(400, shape);
      if (body.action === 'stop') {
        const id = asString(body.id);
        const ended = services.router.drills.stop(id);
        if (id !== undefined && ended.length === 0) return call.refuse(409, 'No drill of that id runs.');
        return call.json(200, { ended, drill: statusOf(services) });
      }
      const params = body.action === 'start' ? startIn(body) : undefined;
      if (params === undefined) return call.refuse(400, shape);
      try {
        return call.json(200, { started: services.router.drills.start(params), drill: statusOf(services) });
      } catch (error) {
        if (error instanceof WaybillError) return call.refuse(409, error.message);
        throw error;
      }
    }),
  },
];

function statusOf({ router, localEndpoint }: RouteServices): object | null {
  return router.status(localEndpoint()).drill ?? null;
}

/** Values of another type than is meant are no start. */
function startIn({ endpoint, fault, durationMs, model, keyId, slowMs }: Readonly<Record<string, unknown>>): StartDrillParams | undefined {
  const known = drillFaults.find(one => one === fault);
  if (typeof endpoint !== 'string' || known === undefined || typeof durationMs !== 'number') return undefined;
  if ((model !== undefined && typeof model !== 'string') || (keyId !== undefined && typeof keyId !== 'string') || (slowMs !== undefined && typeof slowMs !== 'number')) return undefined;
  return { endpoint, fault: known, durationMs, ...(model === undefined ? {} : { model }), ...(keyId === undefined ? {} : { keyId }), ...(slowMs === undefined ? {} : { slowMs }) };
}
