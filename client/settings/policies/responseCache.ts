import { t } from '@vscode/l10n';
import type { RouteSettings } from '../../../server/api/settings.ts';
import { partOfRoute, withPart, type ChoiceField, type Policy } from './policy.ts';

type Include = 'includeTools' | 'includeTruncated';

export const responseCachePolicy: Policy = {
  title: t('When an equal request was answered before'),
  unset: t('Ask a model again'),
  fields: [
    {
      kind: 'choice', title: t('When an equal request was answered before'),
      values: [
        { label: t('Ask a model again'), detail: t('No answers are kept'), change: turnedOff, isOf: settings => !keeps(settings) },
        { label: t('Answer from memory'), detail: t('Where a request of the same tool and workspace is the same to the last field. Answers are in memory only, and go when the window closes'), change: settings => withPart(settings, 'responseCache', 'enabled', true), isOf: keeps },
      ],
    },
    {
      kind: 'choice', title: t('Which requests'), shown: keeps,
      values: [
        { label: t('At temperature 0'), detail: t('And what asks for it with the header x-waybill-cache'), change: settings => withPart(settings, 'responseCache', 'temperatures', undefined), isOf: ({ responseCache }) => responseCache?.temperatures !== 'any' },
        { label: t('At any temperature'), detail: t('An answer is then no longer another one each time'), change: settings => withPart(settings, 'responseCache', 'temperatures', 'any'), isOf: ({ responseCache }) => responseCache?.temperatures === 'any' },
      ],
    },
    include('includeTools', t('Requests with tools'), { out: t('Requests with tools take no part'), in: t('Requests with tools take part') }, t('Agents then get the same tool calls again')),
    include('includeTruncated', t('Answers that a length limit cut off'), { out: t('Answers that a length limit cut off take no part'), in: t('Answers that a length limit cut off take part') }, t('The same half answer is then given again')),
    {
      kind: 'number', title: t('Keep an answer for'), prompt: t('How long an answer is used, in minutes'), unit: 'min', perUnit: 60_000, whole: true, min: 0.1, max: 43_200,
      unset: t('60 minutes'), shown: keeps, ...partOfRoute('responseCache', 'maxAgeMs'),
    },
    {
      kind: 'number', title: t('Memory'), prompt: t('Memory for all answers of the route, in MB; those that were not used for longest go first'), unit: 'MB', perUnit: 1_048_576, whole: true, min: 1, max: 1900,
      unset: t('16 MB'), shown: keeps, ...partOfRoute('responseCache', 'maxBytes'),
    },
  ],
};

function keeps({ responseCache }: RouteSettings): boolean {
  return responseCache !== undefined && responseCache.enabled !== false;
}

/** What else was written stays for the next time. */
function turnedOff(settings: RouteSettings): RouteSettings {
  const without = withPart(settings, 'responseCache', 'enabled', undefined);
  return without.responseCache === undefined ? without : withPart(settings, 'responseCache', 'enabled', false);
}

function include(part: Include, title: string, labels: { out: string; in: string }, detail: string): ChoiceField {
  return {
    kind: 'choice', title, shown: keeps,
    values: [
      { label: labels.out, detail: t('The default'), change: settings => withPart(settings, 'responseCache', part, undefined), isOf: ({ responseCache }) => responseCache?.[part] !== true },
      { label: labels.in, detail, change: settings => withPart(settings, 'responseCache', part, true), isOf: ({ responseCache }) => responseCache?.[part] === true },
    ],
  };
}
