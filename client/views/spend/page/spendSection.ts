import { t } from '@vscode/l10n';
import { formatCount } from '../../../base/figures.ts';
import { unknownText } from '../../../base/money.ts';
import type { SpendRow, SpendSection } from '../spendModel.ts';
import { button, element, percent } from '../../shared/page/dom.ts';

const shownAtFirst = 5;

/** A list of costs, the highest first, with a thin bar for the share; a long one begins short. */
export function spendSection(section: SpendSection, opened: Set<string>): Element {
  const items = section.rows.map(sectionItem);
  const rest = items.length - shownAtFirst;
  const made = element('section', {}, element('h2', {}, section.title), element('ul', { class: 'shares', 'aria-label': section.title }, ...items));
  if (rest <= 0) return made;
  const apply = (all: boolean): void => {
    for (const [index, item] of items.entries()) item.hidden = !all && index >= shownAtFirst;
    more.textContent = all ? t('Show fewer') : t('Show {0} more', formatCount(rest));
    more.setAttribute('aria-expanded', String(all));
  };
  const more = button('', () => {
    const all = !opened.has(section.title);
    if (all) opened.add(section.title);
    else opened.delete(section.title);
    apply(all);
  }, { class: 'link', 'data-key': `more ${section.title}` });
  apply(opened.has(section.title));
  made.append(more);
  return made;
}

function sectionItem(row: SpendRow): HTMLLIElement {
  const filled = element('span', {});
  filled.style.width = percent(row.share);
  return element('li', {},
    element('span', { class: 'name', title: row.name }, row.name),
    element('span', { class: row.text === unknownText() ? 'cost unknown' : 'cost', title: row.notes }, row.text),
    element('span', { class: row.tone === undefined ? 'share' : `share ${row.tone}`, 'aria-hidden': 'true' }, filled),
    element('span', { class: 'detail' }, row.detail));
}
