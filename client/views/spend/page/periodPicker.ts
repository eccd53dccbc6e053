import { t } from '@vscode/l10n';
import { spendPeriods } from '../spendRange.ts';
import type { SpendPeriod } from '../spendRange.ts';
import { element } from '../../shared/page/dom.ts';

function labelsOf(period: SpendPeriod): { short: string; full: string } {
  switch (period) {
    case 'today': return { short: t('Today'), full: t('Today') };
    case 'week': return { short: t('7 days'), full: t('Last 7 days') };
    case 'month': return { short: t('Month'), full: t('This month') };
  }
}

/** The segmented control: real radio buttons, so arrow keys and screen readers work as everywhere. */
export function periodPicker(chosen: SpendPeriod, choose: (period: SpendPeriod) => void): Element {
  const segments = spendPeriods.map((period) => {
    const radio = element('input', { type: 'radio', name: 'period', value: period, 'aria-label': labelsOf(period).full });
    radio.checked = period === chosen;
    radio.addEventListener('change', () => {
      if (radio.checked) choose(period);
    });
    return element('label', {}, radio, element('span', { 'aria-hidden': 'true' }, labelsOf(period).short));
  });
  return element('fieldset', { class: 'segments' }, element('legend', { class: 'for-screen-readers' }, t('Period')), ...segments);
}
