import { partOfRoute, withPart, type Policy } from './policy.ts';

export const warmCachePolicy: Policy = {
  title: 'While the prompt cache of a conversation is warm',
  unset: 'Stay, unless leaving pays within 8 turns',
  fields: [
    {
      kind: 'choice', title: 'While the prompt cache of a conversation is warm',
      values: [
        { label: 'Stay, unless leaving pays', detail: 'Another model has to save more than reading the conversation anew costs', change: settings => withPart(settings, 'warmCache', 'enabled', undefined), isOf: ({ warmCache }) => warmCache?.enabled !== false },
        { label: 'Pay no heed to caches', detail: 'Each request goes where the route sends it', change: settings => withPart(settings, 'warmCache', 'enabled', false), isOf: ({ warmCache }) => warmCache?.enabled === false },
      ],
    },
    {
      kind: 'number', title: 'Pays within', prompt: 'Within how many turns leaving must have paid for itself', unit: 'turns', whole: true, min: 1, max: 1000,
      unset: '8 turns', shown: ({ warmCache }) => warmCache?.enabled !== false, ...partOfRoute('warmCache', 'payBackTurns'),
    },
    {
      kind: 'choice', title: 'When the work is of a higher kind', shown: ({ warmCache, byKind }) => warmCache?.enabled !== false && byKind !== undefined,
      values: [
        { label: 'Go to its model at once', detail: 'A lower kind of work has to pay for the way back', change: settings => withPart(settings, 'warmCache', 'higherKinds', undefined), isOf: ({ warmCache }) => warmCache?.higherKinds !== 'when-it-pays' },
        { label: 'Stay until the cache is cold', detail: 'A loop of tool calls that is stuck goes at once', change: settings => withPart(settings, 'warmCache', 'higherKinds', 'when-it-pays'), isOf: ({ warmCache }) => warmCache?.higherKinds === 'when-it-pays' },
      ],
    },
  ],
};
