import { isDeepStrictEqual } from 'node:util';
import { t } from '@vscode/l10n';
import type { RouteSettings } from '../../server/api/settings.ts';
import { parseTargetName } from '../../server/api/targetName.ts';
import { routesWithoutEndpoint, targetsOf } from '../settings/settingsEdits.ts';
import type { Routes } from '../settings/settingsEdits.ts';

/** What the removal of an endpoint deletes, one sentence each. @param keys how many are stored; undefined where they cannot be read, and so not be put back */
export function removalConsequences(endpoint: string, routes: Routes, keys: number | undefined): string[] {
  const left = routesWithoutEndpoint(routes, endpoint);
  const deleted = Object.keys(routes).filter(name => left[name] === undefined);
  const shortened = Object.keys(routes).filter(name => left[name] !== undefined && left[name] !== routes[name]);
  return [
    ...(keys === undefined ? [t('Its keys cannot be read now: they are deleted from the secret store for good.')] : keys === 0 ? [] : [keys === 1 ? t('1 key is deleted from the secret store.') : t('{0} keys are deleted from the secret store.', keys)]),
    ...(deleted.length === 0 ? [] : [deleted.length === 1 ? t('The route {0} is deleted too: no other provider is in it.', quoted(deleted)) : t('The routes {0} are deleted too: no other provider is in them.', quoted(deleted))]),
    ...(shortened.length === 0 ? [] : [shortened.length === 1 ? t('It is taken out of the route {0}.', quoted(shortened)) : t('It is taken out of the routes {0}.', quoted(shortened))]),
    t('What it cost so far stays in the records.'),
  ];
}

function quoted(names: readonly string[]): string {
  return names.map(name => `"${name}"`).join(', ');
}

/**
 * Takes one change back: entries are as they were before it, in their old order. What was changed since stays changed.
 * @param rejoined an entry that was changed since, with what the change had taken out of it
 */
export function undone<Entry>(
  before: Readonly<Record<string, Entry>>, after: Readonly<Record<string, Entry>>, now: Readonly<Record<string, Entry>>, rejoined: (before: Entry, now: Entry) => Entry = (_, entry) => entry,
): Record<string, Entry> {
  const result: Record<string, Entry> = {};
  for (const [name, entry] of Object.entries(before)) {
    const present = now[name];
    if (present !== undefined) result[name] = isDeepStrictEqual(present, after[name]) ? entry : rejoined(entry, present);
    else if (after[name] === undefined) result[name] = entry;
  }
  return { ...result, ...Object.fromEntries(Object.entries(now).filter(([name]) => result[name] === undefined)) };
}

/** A route that was changed since an endpoint was taken out of it, with the endpoint's targets where they stood. */
export function withTargetsBack(endpoint: string): (before: RouteSettings, now: RouteSettings) => RouteSettings {
  return (before, now) => {
    const targets = targetsOf(now);
    targetsOf(before).forEach((target, index) => {
      if (parseTargetName(target)?.endpoint === endpoint && !targets.includes(target)) targets.splice(index, 0, target);
    });
    return { ...now, targets };
  };
}
