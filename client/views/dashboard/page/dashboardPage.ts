import { t } from '@vscode/l10n';
import { unknownText } from '../../../base/money.ts';
import { button, element, replaceContent } from '../../shared/page/dom.ts';
import { listenToHost, type Host } from '../../shared/page/host.ts';
import { spendChart } from '../../spend/page/spendChart.ts';
import { isToDashboardPage, type DashboardAction, type FromDashboardPage } from '../dashboardMessages.ts';
import type { DashboardPage, DearestPage, Fact } from '../dashboardModel.ts';
import { readDashboardState, withPick, withoutDimension, type DashboardState } from '../dashboardState.ts';
import { controls } from './controls.ts';
import { crossTable } from './crossTable.ts';
import { shareList } from './shareList.ts';
import type { DashboardWishes } from './wishes.ts';

/** Runs the dashboard: asks for what is chosen, draws what comes, and keeps what is on screen until better is there. */
export function showDashboardPage(main: Element, host: Host<FromDashboardPage>): void {
  let state = readDashboardState(host.remembered(), Date.now());
  let dearest: { key: string; page: DearestPage } | undefined;
  let shown: DashboardPage | undefined;
  let announceNext = false;
  const opened = new Set<string>();
  const head = element('div', { class: 'dashboard-head' });
  const problem = element('section', { class: 'problem', hidden: '' });
  const announcement = element('p', { class: 'for-screen-readers', 'aria-live': 'polite' });
  const figures = element('div', { class: 'figures', 'aria-busy': 'true' }, element('div', { class: 'waiting', 'aria-hidden': 'true' }, element('div', { class: 'bone amount-bone' }), element('div', { class: 'bone chart-bone' })));

  const change = (changes: Partial<DashboardState>): void => {
    state = readDashboardState({ ...state, ...changes }, Date.now());
    announceNext = true;
    host.remember(state);
    figures.setAttribute('aria-busy', 'true');
    host.post({ type: 'state', state });
    drawHead();
  };
  const wishes: DashboardWishes = {
    change,
    only: (pick) => { change({ filter: withPick(state.filter, pick) }); },
    open: (picks, step) => { host.post({ type: 'requests', picks, ...step }); },
    receipt: (request) => { host.post({ type: 'receipt', request }); },
  };
  const run = (label: string, action: DashboardAction, title?: string): HTMLButtonElement => button(label, () => { host.post({ type: 'run', action }); }, { 'data-key': action, title, ...(title === undefined ? {} : { class: 'quiet' }) });
  function drawHead(): void {
    // A date that is being typed keeps its place.
    if (document.activeElement instanceof HTMLInputElement && document.activeElement.type === 'date' && head.contains(document.activeElement)) return;
    replaceContent(head,
      element('header', {}, element('h1', {}, t('Spend')),
        element('div', { class: 'actions' }, run(t('What Would This Have Cost On…'), 'whatIf', t('Compares the requests of these days that pass the filter with another model, endpoint or provider')),
          run(t('Migration Report…'), 'migration', t('What these days would cost elsewhere, and how to move there')), run(t('Export…'), 'exportDashboard', t('Writes the table as CSV, or all sums as JSON')))),
      ...controls(state, shown?.chips ?? [], wishes, (dimension) => { change({ filter: withoutDimension(state.filter, dimension) }); }));
  }
  function drawFigures(page: DashboardPage): void {
    const lists = dearest?.key === JSON.stringify(page.state) ? dearest.page : undefined;
    replaceContent(figures, ...(page.empty === undefined ? content(page, lists, opened, wishes) : [emptyState(page.empty, run, () => { change({ filter: {} }); })]));
  }

  main.classList.add('spend', 'dashboard');
  main.append(head, announcement, problem, figures);
  drawHead();
  head.addEventListener('focusout', (event) => {
    if (event.target instanceof HTMLInputElement && event.target.type === 'date') setTimeout(drawHead);
  });
  listenToHost(isToDashboardPage, (message) => {
    switch (message.type) {
      case 'failed':
        figures.setAttribute('aria-busy', 'false');
        figures.classList.add('old');
        problem.hidden = false;
        replaceContent(problem, element('p', { role: 'alert' }, message.message), button(t('Retry'), () => { host.post({ type: 'retry' }); }, { class: 'quiet', 'data-key': 'retry' }));
        if (figures.querySelector('.waiting') !== null) figures.replaceChildren();
        return;
      case 'dearest':
        dearest = { key: JSON.stringify(message.state), page: message.dearest };
        if (shown !== undefined) drawFigures(shown);
        return;
      case 'show':
        change({ period: message.period, filter: {} });
        return;
      case 'page':
        if (JSON.stringify(message.page.state) !== JSON.stringify(state)) return;
        shown = message.page;
        problem.hidden = true;
        figures.classList.remove('old');
        figures.setAttribute('aria-busy', 'false');
        drawHead();
        drawFigures(message.page);
        // Live updates are not read out: only what the person asked for.
        if (announceNext) announcement.textContent = `${message.page.rangeText}: ${message.page.totalText}, ${message.page.notes.join(', ')}`;
        announceNext = false;
    }
  });
  host.remember(state);
  host.post({ type: 'ready', state });
}

function content(page: DashboardPage, dearest: DearestPage | undefined, opened: Set<string>, wishes: DashboardWishes): Element[] {
  const { chart, cross, groups, parts } = page;
  const known = page.totalText !== unknownText();
  return [
    element('section', { class: 'total', 'aria-label': t('Total') },
      element('div', {},
        element('p', { class: known ? 'amount' : 'amount unknown' }, known ? page.totalText : t('Cost unknown')),
        element('ul', { class: 'notes' }, element('li', {}, page.rangeText), ...page.notes.map((note) => element('li', {}, note)))),
      element('dl', { class: 'tiles' }, ...(page.forecast === undefined ? [] : [tile(page.forecast)]), ...page.facts.map(tile))),
    ...(chart === undefined ? [] : [spendChart(
      { ...chart, days: chart.steps.map((step) => ({ ...step, inPeriod: true })) }, opened, (index) => {
        const step = chart.steps[index];
        if (step !== undefined) wishes.open([], step);
      })]),
    ...(cross === undefined ? [] : [crossTable(cross, wishes)]),
    element('div', { class: 'lists' }, shareList(groups, opened, wishes), shareList(parts, opened, wishes),
      ...(dearest === undefined ? [] : [shareList(dearest.conversations, opened, wishes), shareList(dearest.requests, opened, wishes)])),
    element('p', { class: 'note marks' }, t('$1.00 is exact · ~$1.00 holds estimates · $1.00+ is at least so much, because the cost of something is unknown · unknown: nothing is known')),
  ];
}

function tile({ label, text, title }: Fact): Element {
  return element('div', { title }, element('dt', {}, label), element('dd', {}, text), element('dd', { class: 'for-screen-readers' }, title));
}

function emptyState(reason: NonNullable<DashboardPage['empty']>, run: (label: string, action: DashboardAction) => HTMLButtonElement, clear: () => void): Element {
  switch (reason) {
    case 'no-providers':
      return element('section', { class: 'empty' }, element('p', {}, t('What your AI requests cost is counted here, by model, provider, tool, branch and more. Add a provider to begin.')), run(t('Add Provider…'), 'addProvider'));
    case 'no-requests':
      return element('section', { class: 'empty' }, element('p', {}, t('No requests in this range. Pick a Waybill model in the chat, or point a tool at the local endpoint: each request is counted here as soon as it ends.')), run(t('Open Chat'), 'openChat'));
    case 'no-match':
      return element('section', { class: 'empty' }, element('p', {}, t('No requests of this range pass the filter. Remove a part of it, or choose a longer range.')), button(t('Clear Filter'), clear, { class: 'quiet', 'data-key': 'clear' }));
  }
}
