import { t } from '@vscode/l10n';
import type { TokenFigure } from '../../../base/figures.ts';
import type { Fact } from '../receiptModel.ts';
import { timelinePhases } from '../receiptTimeline.ts';
import type { TimelinePhase } from '../receiptTimeline.ts';
import type { Tone } from '../../../base/outcomeWording.ts';
import { button, element } from '../../shared/page/dom.ts';

/** What each phase of an attempt's bar means. */
export function phaseName(phase: TimelinePhase): string {
  switch (phase) {
    case 'headers': return t('waiting for the provider');
    case 'first-token': return t('waiting for the first token');
    case 'answer': return t('receiving the answer');
  }
}

/** The key to the bars of the attempts. Their times are also in words, so it is for the eye only. */
export function timelineKey(): Element {
  return element('div', { class: 'lane-key', 'aria-hidden': 'true' },
    ...timelinePhases.map((phase) => element('span', {}, element('i', { class: phase }), phaseName(phase))));
}

/** A dot whose shape, not only its colour, says how it went. */
export function toneMark(tone: Tone): Element {
  return element('span', { class: `mark ${tone}`, 'aria-hidden': 'true' }, { ok: '✓', failover: '⇄', failed: '✕', stopped: '–', running: '…' }[tone]);
}

/** Facts as pairs of name and value. An id is cut off where it does not fit, and has a button that copies it whole. */
export function factList(facts: readonly Fact[], copy?: (label: string) => void): Element {
  return element('dl', { class: 'facts' }, ...facts.map((fact) => element('div', {}, element('dt', {}, fact.label), factValue(fact, copy))));
}

function factValue({ label, value, isId }: Fact, copy: ((label: string) => void) | undefined): Element {
  if (isId !== true) return element('dd', { title: value }, value);
  return element('dd', { class: 'id' },
    element('code', { title: value }, value),
    copy === undefined ? undefined : button(t('Copy'), () => copy(label), { class: 'link', 'aria-label': t('Copy the ID: {0}', label), 'data-key': `copy ${label}` }));
}

/** Token buckets as pairs of name and count, in full. */
export function tokenList(tokens: readonly TokenFigure[]): Element {
  return factList(tokens.map(({ label, exact }) => ({ label, value: exact })));
}
