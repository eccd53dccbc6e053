import { budgetActions, type BudgetOrder } from '../../../api/budgets/budgetStatus.ts';
import { asString, isObject, parseJson } from '../../../base/json.ts';
import type { HttpRoute } from './httpRoute.ts';

const noWords: ReadonlySet<string> = new Set();
const shape = `Send JSON like {"action": "allow", "budget": "daily", "usd": 1}; actions are ${budgetActions.join(', ')}, and "budget" is a name, or the "key" of one that is for many.`;

/** Where budgets stand, and allowing more of one. */
export const budgetRoutes: readonly HttpRoute[] = [
  {
    methods: ['GET'], path: '/waybill/budgets', access: 'owner',
    handle: (call, { router }) => call.json(200, { budgets: router.budgets.statuses() ?? [] }),
  },
  {
    methods: ['POST'], path: '/waybill/budgets', access: 'owner',
    handle: (call, { router }) => call.readBody(noWords, ({ bytes }) => {
      const order = orderOf(parseJson(bytes.toString('utf8')));
      if (order === undefined) return call.refuse(400, shape);
      const result = router.budgets.act(order);
      if ('refused' in result) call.refuse(409, result.refused);
      else call.json(200, result);
    }),
  },
];

function orderOf(body: unknown): BudgetOrder | undefined {
  if (!isObject(body)) return undefined;
  const action = budgetActions.find(known => known === body['action']);
  const budget = asString(body['budget']);
  const { usd } = body;
  if (action === undefined || budget === undefined || (usd !== undefined && typeof usd !== 'number')) return undefined;
  return { action, budget, ...(typeof usd === 'number' ? { usd } : {}) };
}
