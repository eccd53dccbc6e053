import { t } from '@vscode/l10n';
import { unknownText } from '../../../base/money.ts';
import { isToReceiptPage } from '../receiptMessages.ts';
import type { FromReceiptPage, ReceiptState } from '../receiptMessages.ts';
import type { ReceiptPage } from '../receiptModel.ts';
import { button, element, replaceContent } from '../../shared/page/dom.ts';
import { listenToHost } from '../../shared/page/host.ts';
import type { Host } from '../../shared/page/host.ts';
import { receiptAttempt } from './receiptAttempt.ts';
import { factList, timelineKey, tokenList, toneMark } from './receiptPieces.ts';

/** Runs the receipt page: says it is ready, draws the receipt that comes, and remembers which one it is. */
export function showReceiptPage(main: Element, host: Host<FromReceiptPage>): void {
  const announcement = element('p', { class: 'copied', role: 'status' });
  const paper = element('div', { class: 'paper' });
  main.classList.add('receipt');
  main.append(paper);
  let forgetAnnouncement: number | undefined;

  listenToHost(isToReceiptPage, (message) => {
    switch (message.type) {
      case 'page': {
        remember(host, { id: message.page.id });
        replaceContent(paper, ...content(message.page, host, announcement));
        return;
      }
      case 'failed':
        remember(host, { id: message.id });
        replaceContent(paper,
          element('section', { class: 'problem' },
            element('p', { role: 'alert' }, message.message),
            button(t('Retry'), () => host.post({ type: 'retry' }), { class: 'quiet', 'data-key': 'retry' })));
        return;
      case 'copied':
        announcement.textContent = message.what;
        clearTimeout(forgetAnnouncement);
        forgetAnnouncement = setTimeout(() => announcement.replaceChildren(), 3000);
        return;
    }
  });
  host.post({ type: 'ready' });
}

function remember(host: Host<FromReceiptPage>, state: ReceiptState): void {
  host.remember(state);
}

function content(page: ReceiptPage, host: Host<FromReceiptPage>, announcement: Element): Element[] {
  return [
    element('header', {},
      element('h1', {}, page.requestedModel),
      element('div', { class: 'actions' },
        page.facts.some(({ label }) => label === t('Conversation')) ? button(t('Show This Conversation'), () => host.post({ type: 'showConversation' }), { class: 'quiet', 'data-key': 'showConversation', title: t('Shows only its requests in the list') }) : undefined,
        button(t('Copy as JSON'), () => host.post({ type: 'copyJson' }), { class: 'quiet', 'data-key': 'copyJson' }),
        button(t('Copy as Markdown'), () => host.post({ type: 'copyMarkdown' }), { class: 'quiet', 'data-key': 'copyMarkdown' }),
        announcement),
      element('p', { class: `outcome ${page.tone}` }, toneMark(page.tone), element('span', {}, page.outcome, page.answeredBy === undefined ? undefined : ' · ', page.answeredBy))),
    ...(page.message === undefined ? [] : [element('p', { class: `message ${page.tone}` }, page.message)]),
    element('div', { class: 'columns' },
      element('section', {}, element('h2', {}, t('Request')), factList(page.facts, (label) => host.post({ type: 'copyFact', label }))),
      element('section', {}, element('h2', {}, t('Total')),
        element('p', { class: [unknownText(), t('no cost'), '–'].includes(page.cost.text) ? 'amount unknown' : 'amount' }, page.cost.text),
        page.cost.note === '' ? undefined : element('p', { class: 'note' }, page.cost.note),
        tokenList(page.tokens),
        page.unpriced === undefined ? undefined : setPricesButton(page.unpriced, host))),
    attempts(page),
    plan(page),
  ];
}

function setPricesButton(target: string, host: Host<FromReceiptPage>): Element {
  return button(t('Set Prices…'), () => host.post({ type: 'setPrices', target }), { class: 'quiet', 'data-key': 'setPrices', title: t('What {0} charges, so that later requests have a cost', target) });
}

function attempts(page: ReceiptPage): Element {
  const none = element('p', { class: 'note' }, t('None: no request was sent to a provider.'));
  return element('section', {}, element('h2', {}, t('Attempts')),
    page.attempts.length === 0 ? undefined : timelineKey(),
    page.attempts.length === 0 ? none : element('ol', { class: 'attempts' }, ...page.attempts.map(receiptAttempt)));
}

function plan(page: ReceiptPage): Element {
  const targets = page.plan.targets.map((target) => element('li', {},
    toneMark(target.tone),
    element('span', { class: 'target' }, target.target, target.upstream === undefined ? undefined : element('span', { class: 'note' }, ' ', t('as {0}', target.upstream)),
      target.standIn === undefined ? undefined : element('span', { class: 'note' }, ` (${target.standIn})`)),
    element('span', { class: 'note' }, target.state)));
  const excluded = page.plan.excluded.map(({ target, reason }) => element('div', {}, element('dt', {}, target), element('dd', {}, reason)));
  return element('section', {},
    element('h2', {}, t('Why it went there')),
    element('p', { class: 'why' }, page.why),
    element('p', { class: 'note' }, page.plan.summary),
    targets.length === 0 ? element('p', {}, t('No target could take this request.')) : element('ol', { class: 'targets' }, ...targets),
    ...(excluded.length === 0 ? [] : [element('h3', {}, t('Left out')), element('dl', { class: 'excluded' }, ...excluded)]));
}
