import { t } from '@vscode/l10n';
import type { ReceiptAttempt, ReceiptCost } from '../receiptModel.ts';
import { element, percent } from '../../shared/page/dom.ts';
import { factList, phaseName, tokenList, toneMark } from './receiptPieces.ts';

/** One attempt: who, how it went, where it lies in the exchange's time, and what it used and cost. */
export function receiptAttempt(attempt: ReceiptAttempt): Element {
  return element('li', { class: `attempt ${attempt.tone}` },
    element('div', { class: 'attempt-head' },
      toneMark(attempt.tone),
      element('h3', {}, `${attempt.number}. ${attempt.target}`),
      attempt.drill ? element('span', { class: 'badge', title: t('A fire drill had its hand in it: nothing was wrong with the provider') }, t('Fire drill')) : undefined,
      element('span', { class: 'outcome' }, attempt.outcome)),
    timeline(attempt),
    attempt.message === undefined ? undefined : element('p', { class: `message ${attempt.tone}` }, attempt.message),
    element('div', { class: 'columns' },
      factList(attempt.facts),
      element('div', {},
        tokenList(attempt.tokens),
        costLine(attempt.cost),
        attempt.tokensEstimated && attempt.tokens.length > 0 ? element('p', { class: 'note' }, t('The provider did not report all tokens: these are estimates.')) : undefined)));
}

/** The cost, with how sure it is on a line of its own below the figure. */
function costLine(cost: ReceiptCost): Element {
  return element('dl', { class: 'facts' }, element('div', {},
    element('dt', {}, t('Cost')),
    element('dd', {}, cost.text, cost.note === '' ? undefined : element('span', { class: 'note below' }, cost.note))));
}

function timeline(attempt: ReceiptAttempt): Element {
  const { left, phases } = attempt.timeline;
  const bar = element('div', { class: `lane ${attempt.tone}`, 'aria-hidden': 'true' });
  let reached = left;
  for (const { phase, width } of phases) {
    const piece = element('span', { class: phase, title: phaseName(phase) });
    piece.style.left = percent(reached);
    piece.style.width = percent(width);
    bar.append(piece);
    reached += width;
  }
  return bar;
}
