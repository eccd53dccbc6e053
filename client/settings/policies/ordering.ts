import { routeStrategies, type RouteSettings, type StrategyName } from '../../../server/api/settings.ts';
import { withField, type Policy } from './policy.ts';

/** A strategy in a word or two; one without them does not compile. */
export const strategyLabels: Readonly<Record<StrategyName, string>> = {
  'priority': 'As they are listed', 'weighted': 'By weight', 'round-robin': 'In turn', 'least-busy': 'The least busy', 'fastest': 'The fastest', 'cheapest': 'The cheapest', 'sticky': 'The same for a conversation',
};

/** Whether a route's strategy heeds the weights of its targets. */
export function heedsWeights({ strategy }: RouteSettings): boolean {
  return strategy === 'weighted' || strategy === 'sticky' || strategy === 'least-busy';
}

/** A strategy's meaning as a detail: upper case first, and no marks of Markdown. */
function sentence(order: string): string {
  return order.charAt(0).toUpperCase() + order.slice(1).replaceAll('`', '');
}

export const strategyPolicy: Policy = {
  title: 'Which model comes first',
  fields: [{
    kind: 'choice', title: 'Which model comes first',
    values: (Object.keys(routeStrategies) as StrategyName[]).map(name => ({
      label: strategyLabels[name], detail: sentence(routeStrategies[name]),
      change: settings => withField(settings, 'strategy', name === 'priority' ? undefined : name), isOf: ({ strategy = 'priority' }) => strategy === name,
    })),
  }],
};
