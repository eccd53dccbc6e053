import { englishOf, said, type Said, type SaidValue } from '../../../api/localization/said.ts';
import type { AlertRule } from '../../../config/monitoring/monitoringConfig.ts';
import type { Condition } from './conditions.ts';

/** What an alert says, as one sentence. */
export function firedSentence({ when, above, windowMs }: AlertRule, { subject, value, detail }: Condition): Said {
  const minutes = windowMs / 60_000;
  switch (when) {
    case 'endpoint-down':
      if (detail === undefined) return said('The endpoint "{0}" is down.', subject);
      return isSentence(detail) ? said('The endpoint "{0}" is down: {1}', subject, detail) : said('The endpoint "{0}" is down: {1}.', subject, detail);
    case 'error-rate':
      if (subject === '') return said('{0} % of the requests without a route failed within {1} minutes; the bound is {2} %.', percent(value), minutes, percent(above));
      return said('{0} % of the requests of {1} failed within {2} minutes; the bound is {3} %.', percent(value), routeName(subject), minutes, percent(above));
    case 'slow':
      if (subject === '') return said('One of a hundred requests without a route took longer than {0} s within {1} minutes; the bound is {2} s.', rounded(value), minutes, above);
      return said('One of a hundred requests of {0} took longer than {1} s within {2} minutes; the bound is {3} s.', routeName(subject), rounded(value), minutes, above);
    case 'slow-start':
      if (subject === '') return said('One of a hundred requests without a route waited longer than {0} s for its first words within {1} minutes; the bound is {2} s.', rounded(value), minutes, above);
      return said('One of a hundred requests of {0} waited longer than {1} s for its first words within {2} minutes; the bound is {3} s.', routeName(subject), rounded(value), minutes, above);
    case 'budget': return said('{0} % of the budget "{1}" is used; the bound is {2} %.', percent(value), subject, percent(above));
    case 'canary-rolled-back':
      if (detail === undefined) return said('The canary of route "{0}" was rolled back.', subject);
      return isSentence(detail) ? said('The canary of route "{0}" was rolled back: {1}', subject, detail) : said('The canary of route "{0}" was rolled back: {1}.', subject, detail);
    case 'spend': return said('The requests of the last hour have cost at least ${0}; the bound is ${1}.', (value ?? 0).toFixed(2), above);
  }
}

/** That it is over, as one sentence. @param isUp the endpoint is known to be up; else it was disabled, removed or left out of the rule */
export function overSentence({ name, when }: Pick<AlertRule, 'name' | 'when'>, subject: string, minutes: number, isUp: boolean): Said {
  if (when === 'endpoint-down' && !isUp) return said('The endpoint "{0}" is no longer watched; minutes it was down: {1}.', subject, minutes);
  if (when === 'endpoint-down') return said('The endpoint "{0}" is up again; minutes it was down: {1}.', subject, minutes);
  return subject === '' ? said('The alert "{0}" is over; minutes it lasted: {1}.', name, minutes) : said('The alert "{0}" is over for "{1}"; minutes it lasted: {2}.', name, subject, minutes);
}

function routeName(route: string): Said {
  return said('route "{0}"', route);
}

function isSentence(text: SaidValue): boolean {
  return /[.!?\u2026]$/.test(typeof text === 'object' ? englishOf(text) : String(text));
}

function percent(share = 0): number {
  return Math.round(share * 1000) / 10;
}

function rounded(value = 0): number {
  return Math.round(value * 10) / 10;
}
