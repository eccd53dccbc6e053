import { t } from '@vscode/l10n';
import { isToDrillReportPage } from '../drillReportMessages.ts';
import type { FromDrillReportPage } from '../drillReportMessages.ts';
import { notConcerned } from '../drillReportModel.ts';
import type { DrillReportCell, DrillReportPage, DrillReportRoute } from '../drillReportModel.ts';
import type { Tone } from '../../../base/outcomeWording.ts';
import { button, element, replaceContent } from '../../shared/page/dom.ts';
import { listenToHost } from '../../shared/page/host.ts';
import type { Host } from '../../shared/page/host.ts';
import { toneMark } from '../../receipt/page/receiptPieces.ts';

/** Runs the report page: says it is ready, and draws each report that comes. */
export function showDrillReportPage(main: Element, host: Host<FromDrillReportPage>): void {
  const announcement = element('p', { class: 'copied', role: 'status' });
  const paper = element('div', { class: 'paper' });
  main.classList.add('receipt', 'drill-report');
  main.append(paper);
  let forgetAnnouncement: number | undefined;
  let drawn = '';
  const made = element('p', { class: 'note made' });

  listenToHost(isToDrillReportPage, (message) => {
    switch (message.type) {
      case 'page': {
        made.textContent = message.page.made;
        // A new moment alone does not redraw the page, which a person may be reading.
        const drawing = JSON.stringify({ ...message.page, made: '' });
        if (drawing === drawn) return;
        drawn = drawing;
        replaceContent(paper, ...content(message.page, host, { announcement, made }));
        return;
      }
      case 'failed':
        drawn = '';
        replaceContent(paper,
          element('section', { class: 'problem' },
            element('p', { role: 'alert' }, message.message),
            button(t('Retry'), () => host.post({ type: 'retry' }), { class: 'quiet', 'data-key': 'retry' })));
        return;
      case 'copied':
        announcement.textContent = t('Copied as Markdown');
        clearTimeout(forgetAnnouncement);
        forgetAnnouncement = setTimeout(() => announcement.replaceChildren(), 3000);
        return;
    }
  });
  host.remember({});
  host.post({ type: 'ready' });
}

function content(page: DrillReportPage, host: Host<FromDrillReportPage>, { announcement, made }: { announcement: Element; made: Element }): Element[] {
  return [
    element('header', {},
      element('h1', {}, t('Fire drill report')),
      element('div', { class: 'actions' },
        button(t('Fire Drill…'), () => host.post({ type: 'startDrill' }), { class: 'quiet', 'data-key': 'startDrill' }),
        button(t('Copy as Markdown'), () => host.post({ type: 'copyMarkdown' }), { class: 'quiet', 'data-key': 'copyMarkdown' }),
        announcement),
      element('p', { class: `outcome ${page.tone}` }, reportMark(page.tone), element('span', {}, page.verdict)),
      made),
    ...page.drills.map((sentence) => element('p', { class: 'message' }, sentence)),
    ...page.routes.map((route) => routeSection(route, host)),
    ...(page.matrix.rows.length === 0 ? [] : [matrix(page)]),
  ];
}

function routeSection(route: DrillReportRoute, host: Host<FromDrillReportPage>): Element {
  return element('section', { class: 'attempt' },
    element('div', { class: 'attempt-head' },
      reportMark(route.tone),
      element('h3', {}, `${route.kind} ${route.name}`),
      element('span', { class: 'outcome' }, route.verdict)),
    route.gaps.length === 0 ? undefined : element('ul', { class: 'gaps' }, ...route.gaps.map((gap, index) => element('li', {},
      element('div', {}, element('p', {}, gap.problem), element('p', { class: 'note' }, gap.action)),
      button(gap.button, () => host.post({ type: 'fix', fix: gap.fix, endpoint: gap.endpoint }), {
        class: 'quiet', 'data-key': `gap ${route.kind} ${route.name} ${index}`, 'aria-label': `${gap.button} ${gap.action}`,
      })))),
    element('ol', { class: 'targets' }, ...route.targets.map((target) => element('li', {},
      reportMark(target.tone),
      element('span', { class: 'target' }, target.target, target.note === undefined ? undefined : element('span', { class: 'note below' }, target.note)),
      element('span', { class: 'note' }, target.state)))));
}

function matrix({ matrix: { columns, rows } }: DrillReportPage): Element {
  return element('section', {},
    element('h2', {}, t('When this is lost')),
    // Scrolls by itself, and with the keyboard: a table of many routes is wider than the page.
    element('div', { class: 'matrix', tabindex: '0', role: 'region', 'aria-label': t('What happens to each route when one thing is lost'), 'data-key': 'matrix' },
      element('table', {},
        element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, t('Lost')), ...columns.map((column) => element('th', { scope: 'col' }, column)))),
        element('tbody', {}, ...rows.map((row) => element('tr', {},
          element('th', { scope: 'row' }, element('span', { class: 'note' }, row.kind), ` ${row.name}`),
          ...row.cells.map(cell)))))));
}

function cell({ tone, result, by, note }: DrillReportCell): Element {
  const title = note ?? (by === undefined ? undefined : t({ message: '{0} answers', comment: 'a target, where another one is lost', args: [by] }));
  if (result === notConcerned()) return element('td', { class: 'unknown' }, element('span', { 'aria-hidden': 'true' }, '–'), element('span', { class: 'for-screen-readers' }, notConcerned()));
  return element('td', { title },
    element('span', { class: 'result' }, reportMark(tone), element('span', {}, result)),
    by === undefined ? undefined : element('span', { class: 'note below' }, by),
    note === undefined ? undefined : element('span', { class: 'note below' }, note));
}

/** A shortfall is a warning here; in a receipt the same tone marks a failover. */
function reportMark(tone: Tone): Element {
  const mark = toneMark(tone);
  if (tone === 'failover') mark.textContent = '!';
  return mark;
}
