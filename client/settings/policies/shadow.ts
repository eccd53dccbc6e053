import { t } from '@vscode/l10n';
import { shadowDraws, type RouteSettings, type ShadowDraw, type ShadowSettings } from '../../../server/api/settings.ts';
import { targetsOf } from '../settingsEdits.ts';
import { withField, type NumberField, type Policy } from './policy.ts';

const drawChoices: Readonly<Record<ShadowDraw, { label: string; detail: string }>> = {
  conversation: { label: t('Whole Conversations'), detail: t('All requests of a conversation are mirrored or none, so that prompt caches work as they would.') },
  request: { label: t('Single Requests'), detail: t('Each request is drawn by itself, which has data sooner where conversations are few and long.') },
};

const has = ({ shadow }: RouteSettings): boolean => shadow !== undefined;

function change(settings: RouteSettings, next: (shadow: ShadowSettings) => ShadowSettings): RouteSettings {
  return settings.shadow === undefined ? settings : { ...settings, shadow: next(settings.shadow) };
}

type ShadowNumber = 'share' | 'sameTargetShare' | 'budgetUsd' | 'atOnce' | 'timeoutSeconds' | 'maxBodyKiB' | 'minRequests' | 'agreement' | 'latencyRatio' | 'costRatio';

function numberOf(name: ShadowNumber, look: Omit<NumberField, 'kind' | 'get' | 'set' | 'shown'>): NumberField {
  return { kind: 'number', ...look, shown: has, get: ({ shadow }) => shadow?.[name], set: (settings, value) => change(settings, shadow => withField(shadow, name, value)) };
}

function workspacesOf(text: string): string[] {
  return text.split(',').map(name => name.trim()).filter(name => name !== '');
}

/** Without its target a route has no shadow. */
export const shadowPolicy: Policy = {
  title: t('Shadow'), unset: t('none'),
  fields: [
    {
      kind: 'targets', title: t('Model to try'), placeholder: t('Choose a model that should get copies of requests, whose answers are only compared'), unset: t('none'), not: targetsOf,
      get: ({ shadow }) => (shadow === undefined ? [] : [shadow.target]),
      // A shadow has one target: what was chosen last.
      set: (settings, targets) => {
        const target = targets.at(-1);
        return withField(settings, 'shadow', target === undefined ? undefined : { ...settings.shadow, target });
      },
    },
    numberOf('share', { title: t('Share'), prompt: t('How much of the requests is mirrored'), unit: '%', min: 0.1, max: 100, unset: '10 %' }),
    numberOf('sameTargetShare', { title: t('Asked twice'), prompt: t("How much of that also goes to the route's own target once more, so that its own noise is known"), unit: '%', min: 0, max: 100, unset: '20 %' }),
    {
      kind: 'choice', title: t('What is drawn'), shown: has,
      values: shadowDraws.map(name => ({
        ...drawChoices[name], change: settings => change(settings, shadow => withField(shadow, 'draw', name === 'conversation' ? undefined : name)), isOf: ({ shadow }) => (shadow?.draw ?? 'conversation') === name,
      })),
    },
    numberOf('budgetUsd', { title: t('Budget of a day'), prompt: t('US dollars that copies may cost a day'), unit: '$', min: 0, max: 100_000, unset: '$1' }),
    numberOf('atOnce', { title: t('At once'), prompt: t('How many requests one server mirrors at once'), unit: '', whole: true, min: 1, max: 100, unset: '2' }),
    numberOf('timeoutSeconds', { title: t('Given up after'), prompt: t('After how long a copy is given up'), unit: 's', whole: true, min: 1, max: 3600, unset: '120 s' }),
    numberOf('maxBodyKiB', { title: t('Largest request'), prompt: t('Larger request bodies are not mirrored'), unit: t('KiB'), whole: true, min: 1, max: 16_384, unset: t('512 KiB') }),
    {
      kind: 'text', title: t('Never of workspaces'), prompt: t('Names of workspaces whose requests are never mirrored, with commas between them'), unset: t('none'), shown: has,
      problem: text => (workspacesOf(text).every(name => name.length <= 200) ? undefined : t('Type names of at most 200 characters.')),
      get: ({ shadow }) => shadow?.exceptWorkspaces?.join(', '),
      set: (settings, text) => change(settings, shadow => withField(shadow, 'exceptWorkspaces', text === undefined ? undefined : workspacesOf(text))),
    },
    numberOf('minRequests', { title: t('Least requests'), prompt: t('Pairs of answers that are compared before there is a verdict'), unit: '', whole: true, min: 10, max: 1_000_000, unset: '40' }),
    numberOf('agreement', { title: t('Agreement'), prompt: t("How much the answers must be like the caller's, relative to the route's own target asked twice"), unit: '%', perUnit: 0.01, min: 0.1, max: 99.9, unset: '80 %' }),
    numberOf('latencyRatio', { title: t('Slowness'), prompt: t("How many times the time of the route's own target it may take"), unit: t('times'), min: 0.1, max: 1000, unset: t('2 times') }),
    numberOf('costRatio', { title: t('Cost'), prompt: t("How many times the cost at the route's own target a request may cost"), unit: t('times'), min: 0.01, max: 1000, unset: t('not judged') }),
  ],
};
