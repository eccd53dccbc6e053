import { requestType } from '../messageTypes.ts';

/** Names that a token may ask for: every one, or these. */
export type AllowedNames = 'all' | readonly string[];

/** What a token may do, as it is set. */
export interface AccessSettings {
  /** Routes by their names. */
  readonly routes: AllowedNames;
  /** Models by their names; also `endpoint/model`. */
  readonly models: AllowedNames;
  /** What may be spent in a day and in a month, in millionths of a US dollar; absent: no budget. */
  readonly dayMicroUsd?: number | undefined;
  readonly monthMicroUsd?: number | undefined;
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  /** Requests at once. */
  readonly concurrency?: number | undefined;
  /** Milliseconds since the epoch; absent: never. */
  readonly expiresAt?: number | undefined;
}

/** A token and what it may do. The token itself is not in it. */
export interface TokenAccess extends AccessSettings {
  /** Of a connected tool its name, such as `claude-code`; else a word of ours, such as `ci-x4k2`. */
  readonly id: string;
  /** `tool`: of a tool that VS Code connected. `made`: made on the command line, for a person, a team or a program. */
  readonly kind: 'tool' | 'made';
  readonly name: string;
  readonly user?: string | undefined;
  readonly team?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly revokedAt?: number | undefined;
  /** The token before the last rotation works until then. */
  readonly previousUntil?: number | undefined;
}

/** Access without any bound. */
export const fullAccess: AccessSettings = { routes: 'all', models: 'all' };

export const mostLimit = 1_000_000_000;
/** The highest budget, in millionths of a US dollar. */
export const mostBudgetMicroUsd = 1_000_000_000_000;
const mostNames = 500;
const longestName = 300;

/** Whether settings keep a token from anything. */
export function isBounded({ routes, models, dayMicroUsd, monthMicroUsd, requestsPerMinute, tokensPerMinute, concurrency, expiresAt }: AccessSettings): boolean {
  return routes !== 'all' || models !== 'all' || [dayMicroUsd, monthMicroUsd, requestsPerMinute, tokensPerMinute, concurrency, expiresAt].some(one => one !== undefined);
}

/** Why settings cannot be used, as a sentence with the next action; undefined: they can. @param now milliseconds since the epoch */
export function accessProblem(settings: AccessSettings, now: number): string | undefined {
  const { routes, models, expiresAt } = settings;
  for (const names of [routes, models]) {
    if (names === 'all') continue;
    if (names.length > mostNames) return `A token can name at most ${String(mostNames)} routes and as many models: allow all of them, or name fewer.`;
    if (names.some(name => name === '' || name.length > longestName)) return `The name of a route or a model has 1 to ${String(longestName)} characters: write it as the list of models has it.`;
  }
  if (routes !== 'all' && models !== 'all' && routes.length + models.length === 0) return 'A token that may use neither a route nor a model can do nothing: allow one, or revoke it.';
  for (const limit of [settings.requestsPerMinute, settings.tokensPerMinute, settings.concurrency]) {
    if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= mostLimit)) return 'A limit is a whole number from 1 to 1,000,000,000.';
  }
  for (const budget of [settings.dayMicroUsd, settings.monthMicroUsd]) {
    if (budget !== undefined && !(Number.isInteger(budget) && budget >= 1 && budget <= mostBudgetMicroUsd)) return 'A budget is above 0 and at most 1,000,000 US dollars.';
  }
  if (expiresAt !== undefined && !(Number.isFinite(expiresAt) && expiresAt > now)) return 'The moment at which access ends has to be in the future.';
  return undefined;
}

/** Changes what a connected tool may do, or ends its token. */
export type ToolAccessOrder = { readonly action: 'set'; readonly tool: string; readonly access: AccessSettings } | { readonly action: 'revoke'; readonly tool: string };
export type ToolAccessResult = { readonly access: TokenAccess | null } | { readonly refused: string };

/** What a tool may do. Where that is lost, it may do nothing until it is set again. */
export type ToolAccess = AccessSettings & Pick<TokenAccess, 'id' | 'revokedAt'>;

/** Client -> server, request: what tools may do, of those whose access was ever set. */
export const toolAccessRequest = requestType<Record<string, never>, ToolAccess[]>('waybill/toolAccess');
/** Client -> server, request: changes what a connected tool may do, or ends its token. */
export const changeToolAccessRequest = requestType<ToolAccessOrder, ToolAccessResult>('waybill/changeToolAccess');
