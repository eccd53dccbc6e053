import { t } from '@vscode/l10n';
import type { ChartDay, SpendPage } from '../spendModel.ts';
import { element, percent, svg } from '../../shared/page/dom.ts';

type Chart = NonNullable<SpendPage['chart']>;

/**
 * The bar chart of days. One tab stop; arrow keys, Home and End walk the bars, and the bar under focus or pointer
 * shows its figure. The same figures are a table below, for whoever prefers or needs one.
 * @param choose opens what is under a bar; absent: bars open nothing
 */
export function spendChart(chart: Chart, opened: Set<string>, choose?: (index: number) => void): Element {
  const tip = element('div', { class: 'tip', 'aria-hidden': 'true', hidden: '' });
  const columns = chart.days.map((day, index) => column(day, index, choose));
  const plot = svg('svg', { class: 'plot', role: 'group', 'aria-label': choose === undefined ? t('{0}: use the arrow keys to read the bars', chart.title) : t('{0}: use the arrow keys to read the bars, and Enter to show the requests of one', chart.title) },
    svg('defs', {}, svg('pattern', { id: 'estimate', width: '5', height: '5', patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' },
      svg('rect', { class: 'stripe', width: '2.5', height: '5' }))),
    ...['0.5', '50%', '100%'].map((y) => svg('line', { class: 'grid', x1: '0', x2: '100%', y1: y, y2: y })),
    ...columns);
  walkable(columns);
  for (const [index, made] of columns.entries()) {
    const day = chart.days[index];
    if (day === undefined) continue;
    const show = (): void => {
      tip.textContent = `${day.label}: ${day.text}`;
      tip.hidden = false;
      // Centred over the bar, but never beyond the edges of the view, however narrow it is.
      const room = plot.getBoundingClientRect().width;
      const centred = (day.bar.left + day.bar.width / 2) * room - tip.offsetWidth / 2;
      tip.style.left = `${Math.max(0, Math.min(centred, room - tip.offsetWidth))}px`;
    };
    const hide = (): void => {
      tip.hidden = true;
    };
    made.addEventListener('focus', show);
    made.addEventListener('blur', hide);
    made.addEventListener('pointerenter', show);
    made.addEventListener('pointerleave', hide);
  }
  return element('section', { class: 'chart' },
    element('h2', {}, chart.title),
    element('div', { class: 'ceiling', 'aria-hidden': 'true' }, chart.ceilingText),
    element('div', { class: 'frame' }, plot, tip),
    element('div', { class: 'axis', 'aria-hidden': 'true' }, element('span', {}, chart.firstLabel), element('span', {}, chart.lastLabel)),
    chart.hasEstimates ? legend() : undefined,
    chart.hasUnknown ? element('p', { class: 'note' }, t('+ some cost is unknown and in no bar')) : undefined,
    dayTable(chart, opened));
}

function column(day: ChartDay, index: number, choose?: (index: number) => void): SVGGElement {
  const { left, width, height, estimatedHeight } = day.bar;
  const part = (className: string, top: number, tall: number): SVGRectElement =>
    svg('rect', { class: className, x: percent(left), width: percent(width), y: percent(1 - top), height: percent(tall) });
  const made = svg('g', {
    class: `${day.inPeriod ? 'bar' : 'bar outside'}${choose === undefined ? '' : ' opens'}`, role: choose === undefined ? 'img' : 'button',
    'aria-label': choose === undefined ? `${day.label}: ${day.text}` : t('{0}: {1}. Show its requests.', day.label, day.text), 'data-key': `day ${index}`, tabindex: '-1',
  },
  // The whole column is the pointer's target, not just the bar: a low bar is hard to hit.
  svg('rect', { class: 'target', x: percent(left - width / 6), width: percent(width * 4 / 3), y: '0', height: '100%' }),
  height > 0 ? part('known', height - estimatedHeight, height - estimatedHeight) : undefined,
  estimatedHeight > 0 ? part('estimated', height, estimatedHeight) : undefined);
  if (choose === undefined) return made;
  made.addEventListener('click', () => { choose(index); });
  made.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    choose(index);
  });
  return made;
}

function walkable(columns: readonly SVGGElement[]): void {
  columns.at(-1)?.setAttribute('tabindex', '0');
  for (const [index, made] of columns.entries()) {
    made.addEventListener('keydown', (event) => {
      const next = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: columns.length - 1 }[event.key];
      const target = next === undefined ? undefined : columns[next];
      if (target === undefined) return;
      event.preventDefault();
      target.focus();
    });
    made.addEventListener('focus', () => {
      for (const one of columns) one.setAttribute('tabindex', one === made ? '0' : '-1');
    });
  }
}

function legend(): Element {
  return element('p', { class: 'legend' },
    svg('svg', { class: 'swatch', 'aria-hidden': 'true', width: '10', height: '10' }, svg('rect', { class: 'estimated', width: '10', height: '10' })),
    t('estimated'));
}

function dayTable(chart: Chart, opened: Set<string>): Element {
  const made = element('details', {},
    element('summary', { 'data-key': 'day table' }, t('Show as table')),
    element('table', { class: 'days' },
      element('caption', { class: 'for-screen-readers' }, chart.title),
      element('thead', { class: 'for-screen-readers' }, element('tr', {}, element('th', { scope: 'col' }, t('Day')), element('th', { scope: 'col' }, t('Cost')))),
      element('tbody', {}, ...[...chart.days].reverse().map((day) => element('tr', {}, element('th', { scope: 'row' }, day.label), element('td', {}, day.text))))));
  made.open = opened.has('day table');
  made.addEventListener('toggle', () => {
    if (made.open) opened.add('day table');
    else opened.delete('day table');
  });
  return made;
}
