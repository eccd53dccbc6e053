import { t } from '@vscode/l10n';
import { button, element, replaceContent } from '../../shared/page/dom.ts';
import { listenToHost } from '../../shared/page/host.ts';
import type { Host } from '../../shared/page/host.ts';
import { toneMark } from '../../receipt/page/receiptPieces.ts';
import { isToBillPage } from '../billMessages.ts';
import type { FromBillPage } from '../billMessages.ts';
import type { BillDay, BillPage, BillReasonRow, BillRow } from '../billModel.ts';

/** Runs the page of a bill: says it is ready, and draws what comes. */
export function showBillPage(main: Element, host: Host<FromBillPage>): void {
  const paper = element('div', { class: 'paper' });
  main.classList.add('receipt', 'drill-report', 'bill');
  main.append(paper);
  listenToHost(isToBillPage, ({ page }) => { replaceContent(paper, ...content(page, host)); });
  host.remember({});
  host.post({ type: 'ready' });
}

function content(page: BillPage, host: Host<FromBillPage>): Element[] {
  return [
    element('header', {},
      element('h1', {}, page.title),
      element('div', { class: 'actions' },
        button(t('Reconcile Again…'), () => host.post({ type: 'again' }), { class: 'quiet', 'data-key': 'again' }),
        button(t('Export as CSV…'), () => host.post({ type: 'export' }), { class: 'quiet', 'data-key': 'export' })),
      element('p', { class: `outcome ${page.isSame ? 'ok' : 'failover'}` }, mark(page.isSame), element('span', {}, page.verdict)),
      element('p', { class: 'note made' }, page.made)),
    element('dl', { class: 'bill-totals' },
      ...[[t('Ledger'), page.ours], [t('Bill'), page.theirs], [t('Difference'), page.difference]].map(([name, text]) => element('div', {}, element('dt', { class: 'note' }, name), element('dd', {}, text)))),
    ...page.days.map(day => daySection(day, host)),
  ];
}

/** Roles are named because a narrow page lays the lines out as blocks, which are no table by themselves. */
function daySection({ label, rows }: BillDay, host: Host<FromBillPage>): Element {
  return element('section', {},
    element('h2', {}, label),
    element('div', { class: 'matrix', tabindex: '0', role: 'region', 'aria-label': t('Bill and ledger on {0}', label), 'data-key': `day ${label}` },
      element('table', { role: 'table' },
        element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...[t('Model'), t('Ledger'), t('Bill'), t('Difference'), t('Why')].map((name, index, all) => element('th', { scope: 'col', role: 'columnheader', class: index === 0 || index === all.length - 1 ? undefined : 'figure' }, name)))),
        element('tbody', { role: 'rowgroup' }, ...rows.map(row => lineRow(row, host))))));
}

function lineRow(row: BillRow, host: Host<FromBillPage>): Element {
  const figure = (name: string, text: string, more = ''): Element => element('td', { role: 'cell', class: `figure ${more}` }, element('span', { class: 'when-narrow note', 'aria-hidden': 'true' }, name), text);
  return element('tr', { role: 'row' },
    element('th', { scope: 'row', role: 'rowheader' }, row.model, row.detail === '' ? undefined : element('span', { class: 'note below' }, row.detail)),
    figure(t('Ledger'), row.ours), figure(t('Bill'), row.theirs), figure(t('Difference'), row.difference, row.isSame ? 'note' : ''),
    element('td', { role: 'cell', class: 'why' }, ...(row.reasons.length === 0 ? [element('span', { class: 'note' }, t('agrees'))] : row.reasons.map(reason => reasonItem(reason, row, host)))));
}

function reasonItem({ text, exchanges }: BillReasonRow, row: BillRow, host: Host<FromBillPage>): Element {
  return element('p', {}, text,
    ...exchanges.flatMap((exchange, index) => [' ', receiptLink(exchanges.length === 1 ? t('Show Request') : t('Request {0}', index + 1), exchange, row, host)]));
}

/** What is read out begins with what is seen. */
function receiptLink(label: string, exchange: string, { model }: BillRow, host: Host<FromBillPage>): Element {
  const made = button(label, () => host.post({ type: 'open', exchange }), { class: 'link', 'data-key': `open ${model} ${exchange}` });
  made.append(element('span', { class: 'for-screen-readers' }, t(': show the receipt of {0}', exchange)));
  return made;
}

function mark(isSame: boolean): Element {
  const made = toneMark(isSame ? 'ok' : 'failover');
  if (!isSame) made.textContent = '!';
  return made;
}
