import type { BillColumns, BillSource, ReconcileParams } from '../../../api/bill.ts';
import { asString, isObject, parseJson, type JsonObject } from '../../../base/json.ts';
import type { HttpRoute } from './httpRoute.ts';

const noWords: ReadonlySet<string> = new Set();
const shape = 'Send JSON like {"endpoint": "openai", "fromDay": "2026-11-01", "toDay": "2026-11-30", "adminKey": "…"}; instead of "adminKey", "file" is the text of a CSV file.';

/** The ledger compared with what a provider charges. */
export const reconcileRoute: HttpRoute = {
  methods: ['POST'], path: '/waybill/reconcile', access: 'owner',
  handle: (call, { router }) => call.readBody(noWords, async ({ bytes }) => {
    const body = parseJson(bytes.toString('utf8'));
    const params = isObject(body) ? paramsOf(body) : undefined;
    if (params === undefined) return call.refuse(400, shape);
    const aborter = new AbortController();
    const gone = (): void => aborter.abort();
    call.response.once('close', gone);
    const result = await router.reconcile(params, aborter.signal);
    call.response.off('close', gone);
    return 'report' in result ? call.json(200, result.report) : call.refuse(400, result.problem);
  }),
};

function paramsOf(body: JsonObject): ReconcileParams | undefined {
  const [endpoint, fromDay, toDay, utcOffset] = [body.endpoint, body.fromDay, body.toDay, body.utcOffset].map(asString);
  const source = sourceOf(body);
  if (endpoint === undefined || fromDay === undefined || toDay === undefined || source === undefined) return undefined;
  return { endpoint, fromDay, toDay, source, ...(utcOffset === undefined ? {} : { utcOffset }) };
}

function sourceOf(body: JsonObject): BillSource | undefined {
  const adminKey = asString(body.adminKey);
  if (adminKey !== undefined) return { kind: 'api', adminKey };
  const text = asString(body.file);
  if (text === undefined) return undefined;
  const given = isObject(body.columns) ? body.columns : {};
  const columns: BillColumns = { day: asString(given.day), model: asString(given.model), cost: asString(given.cost) };
  return { kind: 'file', text, columns };
}
