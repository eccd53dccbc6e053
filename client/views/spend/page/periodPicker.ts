import { spendPeriods } from '../spendRange.ts';
import type { SpendPeriod } from '../spendRange.ts';
import { element } from '../../shared/page/dom.ts';

const labels: Record<SpendPeriod, { short: string; full: string }> = {
  today: { short: 'Today', full: 'Today' },
  week: { short: '7 days', full: 'Last 7 days' },
  month: { short: 'Month', full: 'This month' },
};

/** The segmented control: real radio buttons, so arrow keys and screen readers work as everywhere. */
export function periodPicker(chosen: SpendPeriod, choose: (period: SpendPeriod) => void): Element {
  const segments = spendPeriods.map((period) => {
    const radio = element('input', { type: 'radio', name: 'period', value: period, 'aria-label': labels[period].full });
    radio.checked = period === chosen;
    radio.addEventListener('change', () => {
      if (radio.checked) choose(period);
    });
    return element('label', {}, radio, element('span', { 'aria-hidden': 'true' }, labels[period].short));
  });
  return element('fieldset', { class: 'segments' }, element('legend', { class: 'for-screen-readers' }, 'Period'), ...segments);
}
