import { mostExtraMicroUsd } from '../../ledger/allowanceStore.ts';
import type { Allowance } from '../../routing/caps/allowance.ts';
import { goneAfterMs, membersKey } from '../../state/stateScripts.ts';
import type { StateReply, StateScript, StateStore } from '../../state/stateStore.ts';
import { inBounds, type LimitClaim } from '../limitClaims.ts';
import { allowScript, correctScript, followScript, settleScript, sweepScript, takeScript, tellScript } from './countScripts.ts';

/** What was taken; given back once, to `settle`. */
export interface CountHold {
  readonly id: string;
  readonly claims: readonly LimitClaim[];
  readonly allowances: readonly Allowance[];
  readonly microUsd: number;
  /** The second of this server's clock that it counts in. */
  readonly second: number;
}

/** A script with what it is called with, as countScripts.ts says. It can be told again. */
export interface Call {
  readonly script: StateScript;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
  /** Allowances that it changes, in the order of their states in its answer. */
  readonly names: readonly string[];
}

/** Who calls: this server, and the ledger whose part it counts. */
export interface Counting { readonly state: Pick<StateStore, 'replica' | 'prefix'>; readonly ledger: string }

/** What was used of a limit in a second of the store's clock. */
export interface ToldUse { readonly scope: string; readonly second: number; readonly requests: number; readonly tokens: number }
/** What changed of the part of an allowance: `before` is what it begins with, `extra` the least that is allowed on top. */
export interface ToldMoney { readonly key: string; readonly before: number; readonly settled: number; readonly unknown: number; readonly extra: number }

/** @param forcedSecond of one that runs already, by the store's clock @param until the store does not carry it out behind this moment of its clock */
export function takeCall({ state, ledger }: Counting, hold: CountHold, token: CountHold | undefined, forcedSecond: number | undefined, until: number): Call {
  const claims = [...hold.claims, ...token?.claims ?? []];
  return {
    script: takeScript, keys: [`held:${state.replica}`, 'gone', 'holders', 'changed', ...claims.flatMap(limitKeys), ...hold.allowances.map(moneyKey)], names: namesOf(hold),
    args: [
      state.replica, ledger, forcedSecond === undefined ? 0 : 1, forcedSecond ?? 0, claims.length, hold.allowances.length, hold.microUsd,
      hold.id, holdJson(hold, ledger), token?.id ?? '', token === undefined ? '' : holdJson(token, ledger), Math.floor(until),
      ...claims.flatMap(({ limits, tokens, running }) => [limits.requestsPerMinute ?? -1, limits.tokensPerMinute ?? -1, running === undefined ? -1 : limits.concurrency ?? -1, inBounds(tokens), running === undefined ? 0 : 1]),
      ...hold.allowances.flatMap(one => [one.limitMicroUsd, one.budget?.isHard === false ? 0 : 1, startOf(one), isBudget(one.key), one.key]),
    ],
  };
}

/** @param requests 0: it was not sent @param unknown the part of `settled` that nobody knows @param tokens undefined: as was taken */
export function settleCall({ state, ledger }: Counting, hold: CountHold, requests: number, settled: number, unknown: number, tokens: number | undefined): Call {
  return {
    script: settleScript, keys: [`held:${state.replica}`, 'gone', 'changed', ...hold.claims.flatMap(limitKeys), ...hold.allowances.map(moneyKey)], names: namesOf(hold),
    args: [
      state.replica, ledger, hold.id, requests, hold.claims.length, hold.allowances.length, hold.microUsd, settled, unknown,
      ...hold.claims.flatMap(claim => [inBounds(claim.tokens), usedOf(claim, requests > 0, tokens), claim.running === undefined ? 0 : 1]),
      ...hold.allowances.flatMap(one => [startOf(one), isBudget(one.key), one.key]),
    ],
  };
}

/** @param id the same batch counts once */
export function tellCall({ ledger }: Counting, id: string, uses: readonly ToldUse[], money: readonly ToldMoney[]): Call {
  return {
    script: tellScript, keys: [`done:${id}`, 'changed', ...uses.map(({ scope }) => `w:${scope}`), ...money.map(moneyKey)], names: money.map(({ key }) => key),
    args: [
      ledger, uses.length, money.length, ...uses.flatMap(({ second, requests, tokens }) => [second, requests, tokens]),
      ...money.flatMap(({ key, before, settled, unknown, extra }) => [before, settled, unknown, extra, isBudget(key), key]),
    ],
  };
}

/** @param id the same order counts once @param microUsd negative: taken back @param start what the ledger of this server had before */
export function allowCall({ ledger }: Counting, id: string, key: string, microUsd: number, start: number): Call {
  return { script: allowScript, keys: [moneyKey({ key }), 'changed', `done:${id}`], args: [ledger, microUsd, mostExtraMicroUsd, start, isBudget(key), key], names: [key] };
}

/** @param unchangedSince of the store's clock; not finite: whenever it changed */
export function correctCall({ ledger }: Counting, key: string, known: number, unchangedSince: number, keepsUnknown: boolean): Call {
  return { script: correctScript, keys: [moneyKey({ key }), 'changed'], args: [ledger, known, Number.isFinite(unchangedSince) ? Math.floor(unchangedSince) : 9e15, keepsUnknown ? 1 : 0, key], names: [key] };
}

export function followCall({ state, ledger }: Counting, changedSince: number, most: number): Call {
  return { script: followScript, keys: ['changed', 'holders', 'gone', membersKey], args: [state.replica, ledger, state.prefix, changedSince, most, goneAfterMs], names: [] };
}

/** @param before holds are ended that were taken before this second of the store's clock @param named ids of those that are not */
export function sweepCall({ state }: Counting, before: number, named: Iterable<string>): Call {
  return { script: sweepScript, keys: [`held:${state.replica}`, 'changed', 'gone'], args: [state.replica, state.prefix, Math.floor(before), ...named], names: [] };
}

/** The tokens that a request used of a limit. @param used undefined: as was taken */
export function usedOf({ tokens }: LimitClaim, isSent: boolean, used: number | undefined): number {
  return isSent ? inBounds(used ?? tokens) : 0;
}

/** The seconds of a limit in an answer. */
export function secondsOf(reply: StateReply | undefined): { second: number; requests: number; tokens: number }[] {
  const flat = Array.isArray(reply) ? (reply as readonly StateReply[]).map(Number) : [];
  return Array.from({ length: Math.floor(flat.length / 3) }, (_, index) => ({ second: flat[3 * index] ?? 0, requests: flat[3 * index + 1] ?? 0, tokens: flat[3 * index + 2] ?? 0 }));
}

function limitKeys({ scope }: LimitClaim): string[] {
  return [`w:${scope}`, `n:${scope}`];
}

function moneyKey({ key }: { readonly key: string }): string {
  return `a:${key}`;
}

function namesOf({ allowances }: CountHold): string[] {
  return allowances.map(({ key }) => key);
}

/** As the store frees it when this server is gone. */
function holdJson({ claims, allowances, microUsd }: CountHold, ledger: string): string {
  return JSON.stringify({ l: claims.map(({ scope, running }) => [scope, running === undefined ? 0 : 1]), a: allowances.map(({ key }) => key), m: microUsd, g: ledger });
}

function startOf({ budget }: Allowance): number {
  return budget?.startMicroUsd ?? 0;
}

/** As the scripts take it. */
export function isBudget(key: string): 0 | 1 {
  return key.startsWith('budget/') ? 1 : 0;
}
