import { t } from '@vscode/l10n';
import { partOfRoute, withPart, type Policy } from './policy.ts';

export const warmCachePolicy: Policy = {
  title: t('While the prompt cache of a conversation is warm'),
  unset: t('Stay, unless leaving pays within 8 turns'),
  fields: [
    {
      kind: 'choice', title: t('While the prompt cache of a conversation is warm'),
      values: [
        { label: t('Stay, unless leaving pays'), detail: t('Another model has to save more than reading the conversation anew costs'), change: settings => withPart(settings, 'warmCache', 'enabled', undefined), isOf: ({ warmCache }) => warmCache?.enabled !== false },
        { label: t('Pay no heed to caches'), detail: t('Each request goes where the route sends it'), change: settings => withPart(settings, 'warmCache', 'enabled', false), isOf: ({ warmCache }) => warmCache?.enabled === false },
      ],
    },
    {
      kind: 'number', title: t('Pays within'), prompt: t('Within how many turns leaving must have paid for itself'), unit: t('turns'), whole: true, min: 1, max: 1000,
      unset: t('8 turns'), shown: ({ warmCache }) => warmCache?.enabled !== false, ...partOfRoute('warmCache', 'payBackTurns'),
    },
    {
      kind: 'choice', title: t('When the work is of a higher kind'), shown: ({ warmCache, byKind }) => warmCache?.enabled !== false && byKind !== undefined,
      values: [
        { label: t('Go to its model at once'), detail: t('A lower kind of work has to pay for the way back'), change: settings => withPart(settings, 'warmCache', 'higherKinds', undefined), isOf: ({ warmCache }) => warmCache?.higherKinds !== 'when-it-pays' },
        { label: t('Stay until the cache is cold'), detail: t('A loop of tool calls that is stuck goes at once'), change: settings => withPart(settings, 'warmCache', 'higherKinds', 'when-it-pays'), isOf: ({ warmCache }) => warmCache?.higherKinds === 'when-it-pays' },
      ],
    },
  ],
};
