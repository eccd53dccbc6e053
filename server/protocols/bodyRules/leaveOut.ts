import type { JsonObject } from '../../base/json.ts';

/** Removes top-level fields that are there. @param changes takes what was removed, in words */
export function leaveOut(body: JsonObject, names: readonly string[], changes: Set<string>): void {
  for (const name of names) {
    if (body[name] === undefined) continue;
    delete body[name];
    changes.add(`${name} was left out`);
  }
}
