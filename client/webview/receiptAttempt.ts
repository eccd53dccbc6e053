import type { ReceiptAttempt } from '../views/receiptPage.ts';
import { element, percent } from './dom.ts';
import { factList, phaseNames, tokenList, toneMark } from './receiptPieces.ts';

/** One attempt: who, how it went, where it lies in the exchange's time, and what it used and cost. */
export function receiptAttempt(attempt: ReceiptAttempt): Element {
  return element('li', { class: `attempt ${attempt.tone}` },
    element('div', { class: 'attempt-head' },
      toneMark(attempt.tone),
      element('h3', {}, `${attempt.number}. ${attempt.target}`),
      element('span', { class: 'outcome' }, attempt.outcome)),
    timeline(attempt),
    attempt.message === undefined ? undefined : element('p', { class: `message ${attempt.tone}` }, attempt.message),
    element('div', { class: 'columns' },
      factList(attempt.facts),
      element('div', {},
        factList([{ label: 'Cost', value: attempt.cost.text }]),
        element('p', { class: 'note' }, attempt.cost.note),
        tokenList(attempt.tokens),
        attempt.tokensEstimated ? element('p', { class: 'note' }, 'The provider did not report all tokens: these are estimates.') : undefined)));
}

function timeline(attempt: ReceiptAttempt): Element {
  const { left, phases } = attempt.timeline;
  const bar = element('div', { class: `lane ${attempt.tone}`, 'aria-hidden': 'true' });
  let reached = left;
  for (const { phase, width } of phases) {
    const piece = element('span', { class: phase, title: phaseNames[phase] });
    piece.style.left = percent(reached);
    piece.style.width = percent(width);
    bar.append(piece);
    reached += width;
  }
  return bar;
}
