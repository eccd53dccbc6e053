import { t } from '@vscode/l10n';
import { ConfigTextError } from './configFormat.ts';
import type { ConfigPath, ItemName, Step } from './configFormat.ts';

type Table = Record<string, unknown>;

/** The value at a path; undefined when there is none. */
export function valueAt(root: unknown, path: ConfigPath): unknown {
  let value = root;
  for (const step of path) value = child(value, step);
  return value;
}

/**
 * A copy with the value set, and with what it stands in made where it was missing.
 * @throws ConfigTextError when something on the way holds other than named values
 */
export function valueWith(root: unknown, path: ConfigPath, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (typeof step === 'string') {
    if (root !== undefined && root !== null && !isTable(root)) throw notATable(step);
    const table: Table = isTable(root) ? root : {};
    return { ...table, [step]: valueWith(table[step], rest, value) };
  }
  if (root !== undefined && root !== null && !Array.isArray(root)) throw notATable(step.is);
  const items: readonly unknown[] = Array.isArray(root) ? root : [];
  const index = indexOf(items, step);
  const changed = valueWith(index < 0 ? undefined : items[index], rest, value);
  return index < 0 ? [...items, changed] : items.with(index, changed);
}

/** A copy without the value. */
export function valueWithout(root: unknown, path: ConfigPath): unknown {
  const [step, ...rest] = path;
  if (step === undefined || child(root, step) === undefined) return root;
  if (rest.length > 0) return valueWith(root, [step], valueWithout(child(root, step), rest));
  if (typeof step === 'string') return Object.fromEntries(Object.entries(root as Table).filter(([key]) => key !== step));
  return (root as readonly unknown[]).filter((_, index) => index !== indexOf(root as readonly unknown[], step));
}

/** Where in a list the element of that name is; -1 when it is not. */
export function indexOf(items: readonly unknown[], name: ItemName): number {
  return items.findIndex(item => isTable(item) && item[name.field] === name.is);
}

/** Nothing at all, or a list or table of nothing. */
export function isEmptyValue(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isTable(value) && Object.keys(value).length === 0;
}

function child(value: unknown, step: Step): unknown {
  if (typeof step !== 'string') return Array.isArray(value) ? (value as readonly unknown[])[indexOf(value, step)] : undefined;
  return isTable(value) && Object.hasOwn(value, step) ? value[step] : undefined;
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function notATable(name: string): ConfigTextError {
  return new ConfigTextError(t('holds something else where "{0}" belongs', name));
}
