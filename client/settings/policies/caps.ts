import type { CapOutcome, CapScope, RouteSettings } from '../../../server/api/settings.ts';
import type { WorkKind } from '../../../server/api/purpose.ts';
import { targetsOf } from '../settingsEdits.ts';
import { partOfRoute, withField, withPart, type NumberField, type Policy } from './policy.ts';

function cap(scope: CapScope, title: string, prompt: string): NumberField {
  return { kind: 'number', title, prompt: `${prompt}, in US dollars`, unit: 'US dollars', min: 0.0001, max: 1_000_000, unset: 'no cap', ...partOfRoute('caps', `${scope}Usd`) };
}

const hasCap = ({ caps }: RouteSettings): boolean => caps !== undefined;

const outcomes: readonly (readonly [name: CapOutcome, label: string, detail: string])[] = [
  ['stop', 'End the request with an error', 'The error says which cap is reached and what to do; no tool tries it again by itself'],
  ['degrade', 'Go on with a cheaper model', 'The next model of the route whose cost fits serves; where none does, the error'],
  ['ask', 'Ask me', "VS Code's chat asks whether to allow $1 more, and the turn waits; tools get the error"],
];

export const capPolicy: Policy = {
  title: 'What it may cost', unset: 'no cap',
  fields: [
    cap('request', 'A request', 'What one request may cost'),
    cap('turn', 'A turn', 'What one of your messages may cost, with the tool calls that follow'),
    cap('conversation', 'A conversation', 'What one conversation may cost'),
    cap('session', 'A session', 'What one session of a tool, or a window, may cost'),
    {
      kind: 'choice', title: 'When a cap is reached', shown: hasCap,
      values: outcomes.map(([name, label, detail]) => ({
        label, detail, change: settings => withPart(settings, 'caps', 'whenReached', name === 'stop' ? undefined : name), isOf: ({ caps }) => (caps?.whenReached ?? 'stop') === name,
      })),
    },
    {
      kind: 'choice', title: 'Models without a known price', shown: hasCap,
      values: [
        { label: 'Pass over', detail: 'What they would cost is not known, so no cap could hold', change: settings => withPart(settings, 'caps', 'unpriced', undefined), isOf: ({ caps }) => caps?.unpriced !== 'allow' },
        { label: 'Allow', detail: 'They count for what their provider says that it charged, else for nothing', change: settings => withPart(settings, 'caps', 'unpriced', 'allow'), isOf: ({ caps }) => caps?.unpriced === 'allow' },
      ],
    },
  ],
};

const kindChoices: readonly (readonly [kinds: readonly WorkKind[], label: string, detail: string])[] = [
  [['high-quality'], 'High-quality work', 'Law, medicine, proofs and other complex reasoning'],
  [['balanced', 'high-quality'], 'Balanced and high-quality work', 'Code, analysis and writing too'],
  [['low-cost', 'balanced', 'high-quality'], 'Every kind of work', 'Whatever the other models of the route cannot serve'],
];

/** Without its last target a route has no last resort. */
export const lastResortPolicy: Policy = {
  title: 'Expensive last resort', unset: 'none',
  fields: [
    {
      kind: 'targets', title: 'Models', placeholder: 'Choose a model that is tried after all others of the route', unset: 'none',
      get: ({ lastResort }) => targetsOf(lastResort), not: targetsOf,
      set: (settings, targets) => withField(settings, 'lastResort', targets.length === 0 ? undefined : { kinds: ['high-quality'], ...settings.lastResort, targets: [...targets] }),
    },
    {
      kind: 'choice', title: 'Work that it is for', shown: ({ lastResort }) => lastResort !== undefined,
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
