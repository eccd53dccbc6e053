import type { RouteSettings } from '../../../server/api/settings.ts';
import { partOfRoute, withPart, type ChoiceField, type Policy } from './policy.ts';

type Include = 'includeTools' | 'includeTruncated';

export const responseCachePolicy: Policy = {
  title: 'When an equal request was answered before',
  unset: 'Ask a model again',
  fields: [
    {
      kind: 'choice', title: 'When an equal request was answered before',
      values: [
        { label: 'Ask a model again', detail: 'No answers are kept', change: turnedOff, isOf: settings => !keeps(settings) },
        { label: 'Answer from memory', detail: 'Where a request of the same tool and workspace is the same to the last field. Answers are in memory only, and go when the window closes', change: settings => withPart(settings, 'responseCache', 'enabled', true), isOf: keeps },
      ],
    },
    {
      kind: 'choice', title: 'Which requests', shown: keeps,
      values: [
        { label: 'At temperature 0', detail: 'And what asks for it with the header x-waybill-cache', change: settings => withPart(settings, 'responseCache', 'temperatures', undefined), isOf: ({ responseCache }) => responseCache?.temperatures !== 'any' },
        { label: 'At any temperature', detail: 'An answer is then no longer another one each time', change: settings => withPart(settings, 'responseCache', 'temperatures', 'any'), isOf: ({ responseCache }) => responseCache?.temperatures === 'any' },
      ],
    },
    include('includeTools', 'Requests with tools', 'Agents then get the same tool calls again'),
    include('includeTruncated', 'Answers that a length limit cut off', 'The same half answer is then given again'),
    {
      kind: 'number', title: 'Keep an answer for', prompt: 'How long an answer is used, in minutes', unit: 'min', perUnit: 60_000, whole: true, min: 0.1, max: 43_200,
      unset: '60 minutes', shown: keeps, ...partOfRoute('responseCache', 'maxAgeMs'),
    },
    {
      kind: 'number', title: 'Memory', prompt: 'Memory for all answers of the route, in MB; those that were not used for longest go first', unit: 'MB', perUnit: 1_048_576, whole: true, min: 1, max: 1900,
      unset: '16 MB', shown: keeps, ...partOfRoute('responseCache', 'maxBytes'),
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

function include(part: Include, title: string, detail: string): ChoiceField {
  return {
    kind: 'choice', title, shown: keeps,
    values: [
      { label: `${title} take no part`, detail: 'The default', change: settings => withPart(settings, 'responseCache', part, undefined), isOf: ({ responseCache }) => responseCache?.[part] !== true },
      { label: `${title} take part`, detail, change: settings => withPart(settings, 'responseCache', part, true), isOf: ({ responseCache }) => responseCache?.[part] === true },
    ],
  };
}
