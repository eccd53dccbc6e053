import { t } from '@vscode/l10n';
import { unknownText } from '../../../base/money.ts';
import { isToSpendPage } from '../spendMessages.ts';
import type { FromSpendPage } from '../spendMessages.ts';
import type { SpendPage } from '../spendModel.ts';
import { spendPeriods } from '../spendRange.ts';
import type { SpendPeriod } from '../spendRange.ts';
import { button, element, replaceContent } from '../../shared/page/dom.ts';
import { listenToHost } from '../../shared/page/host.ts';
import type { Host } from '../../shared/page/host.ts';
import { periodPicker } from './periodPicker.ts';
import { spendChart } from './spendChart.ts';
import { spendSection } from './spendSection.ts';

function periodName(period: SpendPeriod): string {
  return { today: t('Today'), week: t('7 days'), month: t('This month') }[period];
}

/** Runs the Spend page: asks for a period, draws what comes, and keeps what is on screen until better is there. */
export function showSpendPage(main: Element, host: Host<FromSpendPage>): void {
  let period = rememberedPeriod(host.remembered());
  const opened = new Set<string>();
  const problem = element('section', { class: 'problem', hidden: '' });
  const figures = element('div', { class: 'figures', 'aria-busy': 'true' }, waiting());
  const announcement = element('p', { class: 'for-screen-readers', 'aria-live': 'polite' });
  let announceNext = false;

  const picker = periodPicker(period, (chosen) => {
    period = chosen;
    announceNext = true;
    figures.setAttribute('aria-busy', 'true');
    host.remember({ period });
    host.post({ type: 'period', period });
  });
  main.classList.add('spend');
  main.append(picker, announcement, problem, figures);

  listenToHost(isToSpendPage, (message) => {
    if (message.type === 'failed') {
      if (message.period !== period) return;
      figures.setAttribute('aria-busy', 'false');
      figures.classList.add('old');
      problem.hidden = false;
      replaceContent(problem,
        element('p', { role: 'alert' }, message.message),
        button(t('Retry'), () => host.post({ type: 'retry' }), { class: 'quiet', 'data-key': 'retry' }));
      if (figures.querySelector('.waiting') !== null) figures.replaceChildren();
      return;
    }
    if (message.page.period !== period) return;
    problem.hidden = true;
    figures.classList.remove('old');
    figures.setAttribute('aria-busy', 'false');
    replaceContent(figures, ...(message.page.empty === undefined ? content(message.page, opened, host) : [emptyState(message.page.empty, period, host)]));
    // Live updates are not read out: only what the person asked for.
    if (announceNext) announcement.textContent = `${periodName(period)}: ${message.page.totalText}, ${message.page.notes.join(', ')}`;
    announceNext = false;
  });
  host.post({ type: 'ready', period });
}

function rememberedPeriod(state: unknown): SpendPeriod {
  const period = typeof state === 'object' && state !== null && 'period' in state ? state.period : undefined;
  return spendPeriods.find((one) => one === period) ?? 'today';
}

function content(page: SpendPage, opened: Set<string>, host: Host<FromSpendPage>): Element[] {
  const known = page.totalText !== unknownText();
  return [
    element('section', { class: 'total', 'aria-label': t('Total') },
      element('p', { class: known ? 'amount' : 'amount unknown' }, known ? page.totalText : t('Cost unknown')),
      element('ul', { class: 'notes' }, ...page.notes.map((note) => element('li', {}, note)), element('li', {}, page.requestsText)),
      button(t('Open Dashboard'), () => host.post({ type: 'run', action: 'openDashboard' }), { class: 'link', title: t('Show this period in the Spend dashboard, by any two of model, provider, tool, branch and more'), 'data-key': 'openDashboard' })),
    ...(page.chart === undefined ? [] : [spendChart(page.chart, opened)]),
    tokenSection(page),
    ...page.sections.map((section) => spendSection(section, opened)),
  ];
}

function tokenSection(page: SpendPage): Element {
  const rows = page.tokens.map(({ label, text, exact }) =>
    element('div', {}, element('dt', {}, label), element('dd', { title: exact }, text)));
  if (page.cacheHitText !== undefined) {
    rows.push(element('div', { title: t('The share of all prompt tokens that a provider read from its cache') },
      element('dt', {}, t('Cache hits')), element('dd', {}, page.cacheHitText)));
  }
  if (page.saved !== undefined) {
    rows.push(element('div', { title: page.saved.title },
      element('dt', {}, t('Saved by the response cache')), element('dd', {}, page.saved.text)));
  }
  return element('section', {}, element('h2', {}, t('Tokens')), element('dl', { class: 'facts' }, ...rows));
}

function emptyState(reason: NonNullable<SpendPage['empty']>, period: SpendPeriod, host: Host<FromSpendPage>): Element {
  const run = (label: string, action: 'addProvider' | 'openChat') => button(label, () => host.post({ type: 'run', action }), { 'data-key': action });
  if (reason === 'no-providers') {
    return element('section', { class: 'empty' },
      element('p', {}, t('What your AI requests cost is counted here, by provider, model and tool. Add a provider to begin.')),
      run(t('Add Provider…'), 'addProvider'));
  }
  const none = { today: t('No requests today.'), week: t('No requests in the last 7 days.'), month: t('No requests this month.') }[period];
  return element('section', { class: 'empty' },
    element('p', {}, none, ' ', t('Pick a Waybill model in the chat, or point a tool at the local endpoint: each request is counted here as soon as it ends.')),
    run(t('Open Chat'), 'openChat'));
}

function waiting(): Element {
  // As tall as the total and the chart, so that nothing jumps when they come.
  return element('div', { class: 'waiting', 'aria-hidden': 'true' }, element('div', { class: 'bone amount-bone' }), element('div', { class: 'bone chart-bone' }));
}
