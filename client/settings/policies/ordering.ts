import { t } from '@vscode/l10n';
import { routeStrategies, type RouteSettings, type StrategyName, type TargetTier } from '../../../server/api/settings.ts';
import { withField, type Policy } from './policy.ts';

/** What a tier of a target is called; one without it does not compile. */
export const tierLabels: Readonly<Record<TargetTier, string>> = { 'backup': t('Backup'), 'last-resort': t('Last Resort') };

/** A strategy in a word or two; one without them does not compile. */
export const strategyLabels: Readonly<Record<StrategyName, string>> = {
  'priority': t('As they are listed'), 'weighted': t('By weight'), 'round-robin': t('In turn'), 'least-busy': t('The least busy'), 'fastest': t('The fastest'), 'cheapest': t('The cheapest'), 'sticky': t('The same for a conversation'),
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
  title: t('Which model comes first'),
  fields: [{
    kind: 'choice', title: t('Which model comes first'),
    values: (Object.keys(routeStrategies) as StrategyName[]).map(name => ({
      label: strategyLabels[name], detail: sentence(routeStrategies[name]),
      change: settings => withField(settings, 'strategy', name === 'priority' ? undefined : name), isOf: ({ strategy = 'priority' }) => strategy === name,
    })),
  }],
};

/** What is typed for no model at all. */
const nothing = 'none';

function listed(text: string): string[] {
  return text.trim().toLowerCase() === nothing ? [] : [...new Set(text.split(',').map(name => name.trim()).filter(name => name !== ''))];
}

export const equivalentsPolicy: Policy = {
  title: t('Models that stand in when all of its own are out'),
  fields: [{
    kind: 'text', title: t('Models that stand in'), unset: t('as declared for its models'),
    prompt: t('Names of models, with commas between them and the best one first: they are used when no model of the route can answer; "{0}": no other model ever answers', nothing),
    problem: text => listed(text).some(name => name.length > 200 || /\s/.test(name)) ? t('Type names of models with commas between them, or "{0}".', nothing) : undefined,
    get: ({ equivalents }) => equivalents === undefined ? undefined : equivalents.length === 0 ? nothing : equivalents.join(', '),
    set: (settings, text) => withField(settings, 'equivalents', text === undefined ? undefined : listed(text)),
  }],
};
