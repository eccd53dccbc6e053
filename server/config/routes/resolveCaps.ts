import { capOutcomes, capScopes, type CapOutcome, type CapScope, type CapSettings } from '../../api/settings.ts';
import { isObject } from '../../base/json.ts';
import type { CapConfig } from '../config.ts';
import { nearest } from '../nearest.ts';
import { capSchema, largestCapUsd } from '../schema.ts';
import { schemaProblems, type FieldProblem } from '../schemaProblems.ts';

/** Caps as they were checked. @returns undefined where no sum of money is set: such caps cap nothing */
export function capsOf({ whenReached, unpriced, ...sums }: CapSettings): CapConfig | undefined {
  const limits = scopes.flatMap(scope => {
    const usd = sums[`${scope}Usd`];
    return usd === undefined ? [] : [{ scope, microUsd: Math.round(usd * 1e6) }];
  });
  if (limits.length === 0) return undefined;
  return { limits, whenReached: whenReached ?? 'stop', ...(unpriced === undefined ? {} : { unpriced }) };
}

/**
 * Checks caps. A mistake must not leave money without a cap: the caps from before stay until it is corrected, and where there are none, what can be
 * read of these holds, in its strictest sense.
 *
 * @param before the caps of the same place that were in use until now
 */
export function resolveCaps(settings: unknown, before: CapConfig | undefined): { caps?: CapConfig | undefined; problems: FieldProblem[] } {
  if (settings === undefined || settings === null) return { problems: [] };
  const problems = schemaProblems(capSchema, settings);
  if (problems.length === 0) {
    const caps = capsOf(settings as CapSettings);
    return caps === undefined ? { problems: [{ path: [], text: `they have no sum of money, so they cap nothing; set one of ${fields.join(', ')}, or remove them.` }] } : { caps, problems };
  }
  const meant = meantCaps(settings);
  const caps = before ?? meant;
  // The same mistake has the same sentence each time it is read.
  const isMeant = JSON.stringify(caps) === JSON.stringify(meant);
  const held = caps === undefined ? 'nothing of them can be read, so nothing is capped' : `${isMeant ? 'only what can be read of them holds' : 'those from before hold'} (${sumsText(caps)})`;
  return { caps, problems: problems.map(({ path, text }, index) => ({ path, text: index > 0 ? text : `${text} Until that is corrected, ${held}.` })) };
}

const scopes = Object.keys(capScopes) as CapScope[];
const fields = scopes.map(scope => `${scope}Usd`);

/** What a person most likely means by caps with a mistake: fields with their nearest name, and sums that are written as texts. Where two say the same, the lower one. */
function meantCaps(settings: unknown): CapConfig | undefined {
  if (!isObject(settings)) return undefined;
  const sums: Partial<Record<string, number>> = {};
  for (const [name, value] of Object.entries(settings)) {
    const field = fields.find(one => one === name) ?? nearest(name, fields);
    const usd = meantUsd(value);
    if (field !== undefined && usd !== undefined) sums[field] = Math.min(sums[field] ?? Infinity, usd);
  }
  const { whenReached, unpriced } = settings;
  const outcome = Object.keys(capOutcomes).find((one): one is CapOutcome => one === whenReached);
  return capsOf({ ...sums, ...(outcome === undefined ? {} : { whenReached: outcome }), ...(unpriced === 'allow' ? { unpriced } : {}) });
}

/** A sum of US dollars as a number or a text, such as `"$5"`; 0 lets nothing be spent. Undefined: it is none. */
function meantUsd(value: unknown): number | undefined {
  const usd = typeof value === 'number' ? value : typeof value === 'string' ? Number(/^\$? ?(\d{1,9}(?:\.\d{1,9})?) ?(?:usd|\$)?$/i.exec(value.trim())?.[1] ?? NaN) : NaN;
  return usd >= 0 ? Math.min(usd, largestCapUsd) : undefined;
}

/** `$0.50 for a turn, $5 for a session` */
function sumsText({ limits }: CapConfig): string {
  return limits.map(({ scope, microUsd }) => `$${String(microUsd / 1e6)} for a ${scope}`).join(', ');
}
