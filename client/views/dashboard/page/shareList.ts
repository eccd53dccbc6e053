import { t } from '@vscode/l10n';
import { formatCount } from '../../../base/figures.ts';
import { unknownText } from '../../../base/money.ts';
import { button, element, percent } from '../../shared/page/dom.ts';
import type { ShareList, ShareRow } from '../dashboardModel.ts';
import type { DashboardWishes } from './wishes.ts';

const shownAtFirst = 8;

/** A list of costs with a bar for each share. The bar's line opens what is under it; beside it is the filter for it alone. */
export function shareList({ title, rows, note }: ShareList, opened: Set<string>, wishes: DashboardWishes): Element {
  const items = rows.map((row) => item(title, row, wishes));
  const made = element('section', {}, element('h2', {}, title),
    note === undefined ? undefined : element('p', { class: 'note' }, note),
    rows.length === 0 ? undefined : element('ul', { class: 'shares', 'aria-label': title }, ...items));
  const rest = items.length - shownAtFirst;
  if (rest <= 0) return made;
  const apply = (all: boolean): void => {
    for (const [index, one] of items.entries()) one.hidden = !all && index >= shownAtFirst;
    more.textContent = all ? t('Show fewer') : t('Show {0} more', formatCount(rest));
    more.setAttribute('aria-expanded', String(all));
  };
  const more = button('', () => {
    const all = !opened.has(title);
    if (all) opened.add(title);
    else opened.delete(title);
    apply(all);
  }, { class: 'link', 'data-key': `more ${title}` });
  apply(opened.has(title));
  made.append(more);
  return made;
}

function item(list: string, row: ShareRow, wishes: DashboardWishes): HTMLLIElement {
  const { name, text, detail, notes, pick, request } = row;
  const filled = element('span', {});
  filled.style.width = percent(row.share);
  const inner = [
    element('span', { class: 'name' }, name), element('span', { class: text === unknownText() ? 'cost unknown' : 'cost' }, text),
    element('span', { class: 'share', 'aria-hidden': 'true' }, filled), element('span', { class: 'detail' }, detail),
  ];
  const key = `${list} ${pick === undefined ? request ?? name : JSON.stringify(pick)}`;
  const open = pick !== undefined ? (): void => { wishes.open([pick]); } : request !== undefined ? (): void => { wishes.receipt(request); } : undefined;
  if (open === undefined) return element('li', { class: 'plain', title: notes }, element('div', { class: 'line' }, ...inner));
  const what = pick === undefined ? t('Open the receipt') : t('Show its requests');
  const line = button('', open, { class: 'line', title: [name, notes, what].filter((part) => part !== '').join('\n'), 'data-key': key });
  // What is read out begins with what is seen.
  line.append(...inner.flatMap((part) => [part, ' ']), element('span', { class: 'for-screen-readers' }, `${notes === '' ? '' : `, ${notes}`}. ${what}.`));
  return element('li', {}, line, pick === undefined ? undefined : button(t('Only'), () => { wishes.only(pick); }, { class: 'link only', title: t('Show only {0}', name), 'aria-label': t('Show only {0}', name), 'data-key': `only ${key}` }));
}
