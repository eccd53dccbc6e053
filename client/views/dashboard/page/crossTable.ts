import { t } from '@vscode/l10n';
import { button, element } from '../../shared/page/dom.ts';
import type { CrossCell, CrossTable } from '../dashboardModel.ts';
import type { DashboardWishes } from './wishes.ts';

/** Two dimensions crossed. The shade of a cell is its share of the dearest one; each opens the requests under it. */
export function crossTable({ title, columns, lines }: CrossTable, wishes: DashboardWishes): Element {
  return element('section', {}, element('h2', {}, title),
    element('div', { class: 'matrix cross', tabindex: '0', role: 'region', 'aria-label': title, 'data-key': `cross ${title}` },
      element('table', {},
        element('thead', {}, element('tr', {}, element('td', {}), ...columns.map((name) => element('th', { scope: 'col', title: name }, name)))),
        element('tbody', {}, ...lines.map(({ name, cells }, line) => element('tr', {}, element('th', { scope: 'row', title: name }, name),
          ...cells.map((cell, index) => cellOf(cell, `${name}, ${columns[index] ?? ''}`, `cell ${line} ${index}`, wishes))))))));
}

function cellOf({ text, strength, picks }: CrossCell, name: string, key: string, wishes: DashboardWishes): Element {
  const cell = element('td', {}, picks === undefined ? text : button(text, () => { wishes.open(picks); }, { class: 'link', 'aria-label': t('{0}: {1}. Show its requests.', name, text), 'data-key': key }));
  if (strength > 0) cell.style.setProperty('--strength', `${Math.round(5 + strength * 35)}%`);
  if (strength > 0) cell.classList.add('shaded');
  return cell;
}
