import { t } from '@vscode/l10n';
import { canaryAdvances, type CanaryAdvance, type CanaryGateSettings, type CanarySettings, type RouteSettings } from '../../../server/api/settings.ts';
import { targetsOf } from '../settingsEdits.ts';
import { withField, withPart, type NumberField, type Policy } from './policy.ts';

/** What ends a stage, as it is offered. */
export const advanceChoices: Readonly<Record<CanaryAdvance, { label: string; detail: string }>> = {
  time: { label: t('By Time'), detail: t('A stage lasts an hour, and ends when it has enough requests and every gate passes.') },
  requests: { label: t('By Requests'), detail: t('A stage lasts 200 requests of both arms, and ends when every gate passes.') },
  manual: { label: t('By Hand'), detail: t('A stage ends when you promote it.') },
};

const has = ({ canary }: RouteSettings): boolean => canary !== undefined;

function change(settings: RouteSettings, next: (canary: CanarySettings) => CanarySettings): RouteSettings {
  return settings.canary === undefined ? settings : { ...settings, canary: next(settings.canary) };
}

type NumberLook = Omit<NumberField, 'kind' | 'get' | 'set' | 'shown'>;
type CanaryNumber = 'stageMinutes' | 'stageRequests' | 'minRequests' | 'failuresInARow';

function numberOf(name: CanaryNumber, look: NumberLook, shown = has): NumberField {
  return { kind: 'number', ...look, shown, get: ({ canary }) => canary?.[name], set: (settings, value) => change(settings, canary => withField(canary, name, value)) };
}

function gate(name: keyof CanaryGateSettings, look: NumberLook): NumberField {
  return { kind: 'number', ...look, shown: has, get: ({ canary }) => canary?.gates?.[name], set: (settings, value) => change(settings, canary => withPart(canary, 'gates', name, value)) };
}

const percent = { unit: '%', perUnit: 0.01, min: 0.1, max: 99.9 } as const;
const seconds = { unit: 's', perUnit: 1000, whole: true, min: 0.001, max: 3600 } as const;

/** What is wrong with stages as they were typed. */
function stagesProblem(text: string): string | undefined {
  const stages = stagesOf(text);
  const rising = stages.every((share, index) => Number.isFinite(share) && share >= 0.1 && share <= 100 && share > (stages[index - 1] ?? 0));
  return rising && stages.at(-1) === 100 ? undefined : t('Type per cents that rise and end with 100, such as 5, 15, 30, 50, 100.');
}

function stagesOf(text: string): number[] {
  return text.split(/[\s,;%]+/).filter(part => part !== '').map(Number);
}

/** Without its last target a route has no canary. What was started by then is rolled back by the server. */
export const canaryPolicy: Policy = {
  title: t('Canary'), unset: t('none'),
  fields: [
    {
      kind: 'targets', title: t('Models to try'), placeholder: t('Choose a model that should take the route over in stages'), unset: t('none'),
      get: ({ canary }) => targetsOf(canary), not: targetsOf,
      set: (settings, targets) => withField(settings, 'canary', targets.length === 0 ? undefined : { ...settings.canary, targets: [...targets] }),
    },
    {
      kind: 'choice', title: t('A stage ends'), shown: has,
      values: canaryAdvances.map(name => ({
        ...advanceChoices[name], change: settings => change(settings, canary => withField(canary, 'advance', name === 'time' ? undefined : name)), isOf: ({ canary }) => (canary?.advance ?? 'time') === name,
      })),
    },
    {
      kind: 'text', title: t('Stages'), prompt: t('Per cent of conversations, stage by stage'), unset: '5, 15, 30, 50, 100', shown: has, problem: stagesProblem,
      get: ({ canary }) => Array.isArray(canary?.stages) ? canary.stages.join(', ') : undefined, set: (settings, text) => change(settings, canary => withField(canary, 'stages', text === undefined ? undefined : stagesOf(text))),
    },
    numberOf('stageMinutes', { title: t('Length of a stage'), prompt: t('How long a stage lasts'), unit: 'min', min: 0.01, max: 43_200, unset: t('60 min') }, settings => has(settings) && (settings.canary?.advance ?? 'time') === 'time'),
    numberOf('stageRequests', { title: t('Requests of a stage'), prompt: t('How many requests of both arms a stage lasts'), unit: '', whole: true, min: 1, max: 10_000_000, unset: '200' }, settings => settings.canary?.advance === 'requests'),
    numberOf('minRequests', { title: t('Least requests'), prompt: t('Requests of each arm that a stage needs before the next one'), unit: '', whole: true, min: 1, max: 1_000_000, unset: '20' }),
    numberOf('failuresInARow', { title: t('Failures in a row'), prompt: t('Failures of the canary in a row that roll it back'), unit: '', whole: true, min: 3, max: 100, unset: '8' }),
    gate('errorRate', { title: t('Gate: errors'), prompt: t('The largest share of its requests that may have a failed attempt'), ...percent, unset: '5 %' }),
    gate('successRate', { title: t('Gate: successes'), prompt: t('The smallest share of requests that it must answer itself'), ...percent, unset: '95 %' }),
    gate('p99FirstTokenMs', { title: t('Gate: p99 of first token'), prompt: t('The longest 99th percentile of the time to the first token'), ...seconds, unset: t('twice the baseline') }),
    gate('p99TotalMs', { title: t('Gate: p99 of total time'), prompt: t('The longest 99th percentile of the whole time'), ...seconds, unset: t('twice the baseline') }),
    gate('p99Ratio', { title: t('Gate: slowness'), prompt: t("How many times the baseline's 99th percentiles its own may be"), unit: t('times'), min: 1, max: 1000, unset: t('2 times') }),
    gate('costRatio', { title: t('Gate: cost'), prompt: t("How many times the baseline's cost per 1,000 tokens its own may be"), unit: t('times'), min: 0.01, max: 1000, unset: t('not judged') }),
  ],
};
