import { t } from '@vscode/l10n';
import type { CapOutcome, CapScope, RouteSettings } from '../../../server/api/settings.ts';
import type { WorkKind } from '../../../server/api/purpose.ts';
import { targetsOf } from '../settingsEdits.ts';
import { partOfRoute, withField, withPart, type NumberField, type Policy } from './policy.ts';

function cap(scope: CapScope, title: string, prompt: string): NumberField {
  return { kind: 'number', title, prompt: t('{0}, in US dollars', prompt), unit: t('US dollars'), min: 0.0001, max: 1_000_000, unset: t('no cap'), ...partOfRoute('caps', `${scope}Usd`) };
}

const hasCap = ({ caps }: RouteSettings): boolean => caps !== undefined;

const outcomes: readonly (readonly [name: CapOutcome, label: string, detail: string])[] = [
  ['stop', t('End the request with an error'), t('The error says which cap is reached and what to do; no tool tries it again by itself')],
  ['degrade', t('Go on with a cheaper model'), t('The next model of the route whose cost fits serves; where none does, the error')],
  ['ask', t('Ask me'), t("VS Code's chat asks whether to allow $1 more, and the turn waits; tools get the error")],
];

export const capPolicy: Policy = {
  title: t('What it may cost'), unset: t('no cap'),
  fields: [
    cap('request', t('A request'), t('What one request may cost')),
    cap('turn', t('A turn'), t('What one of your messages may cost, with the tool calls that follow')),
    cap('conversation', t('A conversation'), t('What one conversation may cost')),
    cap('session', t('A session'), t('What one session of a tool, or a window, may cost')),
    {
      kind: 'choice', title: t('When a cap is reached'), shown: hasCap,
      values: outcomes.map(([name, label, detail]) => ({
        label, detail, change: settings => withPart(settings, 'caps', 'whenReached', name === 'stop' ? undefined : name), isOf: ({ caps }) => (caps?.whenReached ?? 'stop') === name,
      })),
    },
    {
      kind: 'choice', title: t('Models without a known price'), shown: hasCap,
      values: [
        { label: t('Pass over'), detail: t('What they would cost is not known, so no cap could hold'), change: settings => withPart(settings, 'caps', 'unpriced', undefined), isOf: ({ caps }) => caps?.unpriced !== 'allow' },
        { label: t('Allow'), detail: t('They count for what their provider says that it charged, else for nothing'), change: settings => withPart(settings, 'caps', 'unpriced', 'allow'), isOf: ({ caps }) => caps?.unpriced === 'allow' },
      ],
    },
  ],
};

const kindChoices: readonly (readonly [kinds: readonly WorkKind[], label: string, detail: string])[] = [
  [['high-quality'], t('High-quality work'), t('Law, medicine, proofs and other complex reasoning')],
  [['balanced', 'high-quality'], t('Balanced and high-quality work'), t('Code, analysis and writing too')],
  [['low-cost', 'balanced', 'high-quality'], t('Every kind of work'), t('Whatever the other models of the route cannot serve')],
];

/** Without its last target a route has no last resort. */
export const lastResortPolicy: Policy = {
  title: t('Expensive last resort'), unset: t('none'),
  fields: [
    {
      kind: 'targets', title: t('Models'), placeholder: t('Choose a model that is tried after all others of the route'), unset: t('none'),
      get: ({ lastResort }) => targetsOf(lastResort), not: targetsOf,
      set: (settings, targets) => withField(settings, 'lastResort', targets.length === 0 ? undefined : { kinds: ['high-quality'], ...settings.lastResort, targets: [...targets] }),
    },
    {
      kind: 'choice', title: t('Work that it is for'), shown: ({ lastResort }) => lastResort !== undefined,
      values: kindChoices.map(([kinds, label, detail]) => ({
        label, detail, change: settings => settings.lastResort === undefined ? settings : { ...settings, lastResort: { ...settings.lastResort, kinds: [...kinds] } },
        isOf: ({ lastResort }) => {
          const now: readonly WorkKind[] = lastResort?.kinds ?? ['high-quality'];
          return now.length === kinds.length && kinds.every(kind => now.includes(kind));
        },
      })),
    },
  ],
};
