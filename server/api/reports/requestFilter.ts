import type { Receipt } from '../receipt.ts';
import { isSpendPart, spendParts, type SpendPart } from './spendPart.ts';

/** Which requests are meant: each field that is there has to hold. An empty filter means all of them. */
export interface RequestFilter {
  /** Started at this moment or later, in milliseconds since the epoch. */
  fromMs?: number | undefined;
  /** Started before this moment, in milliseconds since the epoch. */
  toMs?: number | undefined;
  /** Some attempt was made at this endpoint. */
  endpoint?: string | undefined;
  /** Some attempt was made at an endpoint that is configured for this provider. */
  provider?: string | undefined;
  /** The canonical name of a model that some attempt was made at, or what the caller asked for. */
  model?: string | undefined;
  route?: string | undefined;
  /** See Caller.tool. */
  tool?: string | undefined;
  workspace?: string | undefined;
  branch?: string | undefined;
  conversation?: string | undefined;
  /** See Caller.purpose. */
  purpose?: string | undefined;
  /** The kind of work that the request was taken for: a name of workKinds. */
  kind?: string | undefined;
  /** The extension that asked through the editor, by its id. */
  extension?: string | undefined;
  /** See Caller.token, as the next two. */
  token?: string | undefined;
  user?: string | undefined;
  team?: string | undefined;
  /** Some attempt was made for this: see spendParts. */
  part?: SpendPart | undefined;
  /** Fields that are not recorded of the request or, of `provider`, of an attempt. */
  notRecorded?: OptionalField[] | undefined;
  outcome?: Receipt['outcome'] | undefined;
  /** The known cost is at least so much. A request whose cost is unknown does not pass. */
  minCostMicroUsd?: number | undefined;
  /** Stands in a name that is kept of the request, in any case: its id, model, target, route, tool, token, user, team, workspace, branch, conversation, purpose or error. */
  text?: string | undefined;
}

/** What not every request has. */
export const optionalFields = ['provider', 'route', 'workspace', 'branch', 'conversation', 'purpose', 'kind', 'extension', 'token', 'user', 'team'] as const;
export type OptionalField = (typeof optionalFields)[number];

const outcomes: readonly string[] = ['ok', 'failed', 'cancelled', 'interrupted', 'open'] satisfies Receipt['outcome'][];
const names = ['endpoint', 'provider', 'model', 'route', 'tool', 'workspace', 'branch', 'conversation', 'purpose', 'kind', 'extension', 'token', 'user', 'team', 'text'] as const;
const numbers = ['fromMs', 'toMs', 'minCostMicroUsd'] as const;
/** The longest value of a field, in UTF-16 units. */
const longestValue = 300;

/** The names of all fields. */
export const requestFilterFields = [...numbers, ...names, 'part', 'notRecorded', 'outcome'] as const satisfies (keyof RequestFilter)[];

/**
 * Reads a filter from outside: a message, or the parameters of a query, where numbers are text. Empty values and fields that
 * are no part of a filter are left out.
 * @returns the filter, or why it cannot be read, as a sentence with the next action
 */
export function readRequestFilter(given: Readonly<Record<string, unknown>>): RequestFilter | string {
  const filter: RequestFilter = {};
  for (const field of names) {
    const value = given[field];
    if (value === undefined || value === null || value === '') continue;
    if (typeof value !== 'string') return `Give ${field} as text.`;
    if (value.length > longestValue) return `The value of ${field} has ${String(value.length)} characters: give at most ${String(longestValue)}.`;
    filter[field] = value;
  }
  for (const field of numbers) {
    const value = given[field];
    if (value === undefined || value === null || value === '') continue;
    const figure = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof figure !== 'number' || !Number.isFinite(figure) || figure < 0) return `Give ${field} as a number that is not negative.`;
    filter[field] = figure;
  }
  const { part, notRecorded } = given;
  if (part !== undefined && part !== null && part !== '') {
    if (!isSpendPart(part)) return `Give part as one of ${Object.keys(spendParts).join(', ')}.`;
    filter.part = part;
  }
  const fields: unknown = typeof notRecorded === 'string' ? notRecorded.split(',').filter((field) => field !== '') : notRecorded ?? [];
  if (!Array.isArray(fields) || !fields.every(isOptionalField)) return `Give notRecorded as some of ${optionalFields.join(', ')}.`;
  if (fields.length > 0) filter.notRecorded = [...new Set(fields)];
  const { outcome } = given;
  if (outcome !== undefined && outcome !== null && outcome !== '') {
    if (typeof outcome !== 'string' || !outcomes.includes(outcome)) return `Give outcome as one of ${outcomes.join(', ')}.`;
    filter.outcome = outcome as Receipt['outcome'];
  }
  return filter;
}

function isOptionalField(name: unknown): name is OptionalField {
  return (optionalFields as readonly unknown[]).includes(name);
}
