import { t } from '@vscode/l10n';
import { spendDimensionNames, type SpendDimension } from '../../../../server/api/reports/dashboard.ts';
import { dimensionName } from '../dimensions.ts';
import { button, element } from '../../shared/page/dom.ts';
import type { DashboardPage } from '../dashboardModel.ts';
import { dashboardPeriods, dashboardRange, type DashboardPeriod, type DashboardState } from '../dashboardState.ts';
import type { DashboardWishes } from './wishes.ts';

function labelsOf(period: DashboardPeriod): { short: string; full: string } {
  switch (period) {
    case 'today': return { short: t('Today'), full: t('Today') };
    case 'week': return { short: t('7 days'), full: t('Last 7 days') };
    case 'month': return { short: t('Month'), full: t('This month') };
    case 'custom': return { short: t('Range'), full: t('A range of days') };
  }
}

/** What is chosen: the range, the dimensions of the table, and the filter with a button for each part. */
export function controls(state: DashboardState, chips: DashboardPage['chips'], { change }: DashboardWishes, remove: (dimension: SpendDimension) => void): Element[] {
  const problem = dashboardRange(state, Date.now());
  return [
    element('div', { class: 'controls' },
      element('fieldset', { class: 'segments' }, element('legend', { class: 'for-screen-readers' }, t('Range')), ...dashboardPeriods.map((period) => {
        const radio = element('input', { type: 'radio', name: 'range', value: period, 'aria-label': labelsOf(period).full, 'data-key': `period ${period}` });
        radio.checked = period === state.period;
        radio.addEventListener('change', () => {
          if (radio.checked) change({ period });
        });
        return element('label', {}, radio, element('span', { 'aria-hidden': 'true' }, labelsOf(period).short));
      })),
      select(t('Rows'), state.rows, [], (rows) => { change({ rows: rows as SpendDimension }); }),
      select(t('Columns'), state.columns ?? '', ['', state.rows], (columns) => { change({ columns: columns === '' ? undefined : columns as SpendDimension }); })),
    ...(state.period !== 'custom' ? [] : [element('div', { class: 'controls days-range' },
      day(t('First day'), state.fromDay, (fromDay) => { change({ fromDay }); }), day(t('Last day'), state.toDay, (toDay) => { change({ toDay }); }),
      typeof problem === 'string' ? element('p', { class: 'note', role: 'alert' }, problem) : undefined)]),
    ...(chips.length === 0 ? [] : [element('ul', { class: 'chips', 'aria-label': t('Filter') }, ...chips.map(({ text, dimension }) => element('li', {}, chip(text, () => { remove(dimension); }, dimension))))]),
  ];
}

function chip(text: string, remove: () => void, key: string): Element {
  const made = button(text, remove, { class: 'quiet', 'aria-label': t('Remove the filter {0}', text), title: t('Remove the filter {0}', text), 'data-key': `chip ${key}` });
  made.append(element('span', { 'aria-hidden': 'true' }, ' ×'));
  return made;
}

/** @param without dimensions that are not offered; '' among them adds "none" */
function select(label: string, chosen: string, without: readonly string[], choose: (value: string) => void): Element {
  const made = element('select', { 'data-key': `select ${label}` },
    ...(without.includes('') ? [element('option', { value: '' }, t('none'))] : []),
    ...spendDimensionNames.filter((name) => !without.includes(name)).map((name) => element('option', { value: name }, dimensionName(name))));
  made.value = chosen;
  made.addEventListener('change', () => { choose(made.value); });
  return element('label', { class: 'choice' }, element('span', {}, label), made);
}

function day(label: string, value: string, choose: (value: string) => void): Element {
  const made = element('input', { type: 'date', value, 'data-key': `day ${label}` });
  made.addEventListener('change', () => { choose(made.value); });
  return element('label', { class: 'choice' }, element('span', {}, label), made);
}
