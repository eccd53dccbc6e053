import { routeStrategies, type HedgeSettings, type RouteSettings, type StrategyName } from '../../server/api/settings.ts';

/** What a route does beside its targets: how it orders them, and what follows when something goes wrong. Each has a default. */
export type RouteOption = 'strategy' | 'afterCommit' | 'hedge' | 'onRefusal';

/** One value of an option, as it is offered. */
export interface OptionValue {
  label: string;
  detail: string;
  /** The settings with this value; a default is not written. */
  change(settings: RouteSettings): RouteSettings;
  /** Whether it is what the route has. */
  isOf(settings: RouteSettings): boolean;
}

interface OfferedOption { title: string; values: readonly OptionValue[] }

/** A strategy in a word or two; one without them does not compile. */
const strategyLabels: Readonly<Record<StrategyName, string>> = {
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

/** The options in the order in which they are shown, each with its default first. */
export const routeOptions: Readonly<Record<RouteOption, OfferedOption>> = {
  strategy: {
    title: 'Which model comes first',
    values: (Object.keys(routeStrategies) as StrategyName[]).map(name => ({
      label: strategyLabels[name], detail: sentence(routeStrategies[name]),
      change: name === 'priority' ? without('strategy') : settings => ({ ...settings, strategy: name }), isOf: ({ strategy = 'priority' }) => strategy === name,
    })),
  },
  afterCommit: {
    title: 'When a stream to a tool breaks off',
    values: [
      { label: 'Tell the tool', detail: "The tool gets its protocol's own error. VS Code's chat starts again in sight", change: without('afterCommit'), isOf: ({ afterCommit }) => afterCommit !== 'resume' },
      {
        label: 'Go on with the next model', detail: 'It continues from what was said, unless a tool call was handed over. Answers are rewritten on their way',
        change: settings => ({ ...settings, afterCommit: 'resume' }), isOf: ({ afterCommit }) => afterCommit === 'resume',
      },
    ],
  },
  hedge: {
    title: 'When the first model takes long to begin',
    values: [
      { label: 'Ask a second model for inline completions', detail: 'The first to begin answers. Every other request waits for its first model', change: withHedge(undefined), isOf: ({ hedge }) => hedge?.enabled === undefined },
      { label: 'Ask a second model for every request', detail: 'The first to begin answers. Both are paid for, up to a daily cap (1 US dollar unless you set dailyCapUsd)', change: withHedge(true), isOf: ({ hedge }) => hedge?.enabled === true },
      { label: 'Wait', detail: 'A second model is asked only when the first one fails', change: withHedge(false), isOf: ({ hedge }) => hedge?.enabled === false },
    ],
  },
  onRefusal: {
    title: 'When a model refuses for content policy',
    values: [
      { label: 'Show the refusal', detail: 'As the model gave it', change: without('onRefusal'), isOf: ({ onRefusal }) => onRefusal !== 'ask' },
      { label: 'Ask me', detail: "VS Code's chat asks whether the next model may try", change: settings => ({ ...settings, onRefusal: 'ask' }), isOf: ({ onRefusal }) => onRefusal === 'ask' },
    ],
  },
};

export const routeOptionNames = Object.keys(routeOptions) as RouteOption[];

/** What a route has of an option, in a few words. */
export function optionText(option: RouteOption, settings: RouteSettings): string {
  const { values } = routeOptions[option];
  return (values.find(value => value.isOf(settings)) ?? values[0])?.label ?? '';
}

function without(option: 'strategy' | 'afterCommit' | 'onRefusal'): OptionValue['change'] {
  return settings => {
    const { [option]: _dropped, ...rest } = settings;
    return rest;
  };
}

/** Keeps the cap and the wait the user wrote. */
function withHedge(enabled: boolean | undefined): OptionValue['change'] {
  return settings => {
    const { hedge, ...rest } = settings;
    const { enabled: _before, ...kept } = hedge ?? {};
    const changed: HedgeSettings = enabled === undefined ? kept : { ...kept, enabled };
    return Object.keys(changed).length === 0 ? rest : { ...rest, hedge: changed };
  };
}
