import type { ConfigProblem } from '../api/status.ts';
import type { ResponseHeaders } from '../base/headers/responseHeaders.ts';
import type { Config, KeyRing } from '../config/config.ts';
import type { PooledKey } from './keyState.ts';

/** How accounts are written in the settings: the names of their keys, by account. */
export type KeyAccounts = Readonly<Record<string, readonly string[]>>;

/**
 * The account that an answer's headers name. Source: response headers of OpenAI and Anthropic. Keys of different projects
 * count as different accounts: each may have limits and a budget of its own.
 */
export function answeredAccount(headers: ResponseHeaders): string | undefined {
  const organization = headers['openai-organization'] ?? headers['anthropic-organization-id'];
  return organization === undefined ? undefined : `${String(organization)}/${String(headers['openai-project'] ?? '')}`;
}

/** The account that the settings put a key into. */
export function namedAccount(accounts: KeyAccounts | undefined, { id, label }: { id: string; label: string }): string | undefined {
  if (accounts === undefined) return undefined;
  return Object.keys(accounts).find(account => accounts[account]?.some(name => name === label || name === id) === true);
}

/** The account of a key: the one of the settings, else the one that its answers name. */
export function accountOf({ named, account }: Pick<PooledKey, 'named' | 'account'>): string | undefined {
  return named === undefined ? account : `named ${named}`;
}

/** The other ones of the keys that are known to be of the account of a key. */
export function othersOfAccount(key: PooledKey, keys: readonly PooledKey[]): readonly PooledKey[] {
  const account = accountOf(key);
  return account === undefined ? [] : keys.filter(other => other !== key && accountOf(other) === account);
}

/** Whether two keys are known to be of different accounts: both are named by the settings, or by their answers. */
export function areApart(one: PooledKey, other: PooledKey): boolean {
  if (one === other || accountOf(one) === accountOf(other)) return false;
  return (one.named !== undefined && other.named !== undefined) || (one.account !== undefined && other.account !== undefined);
}

/** Names in `keyAccounts` that no key has, each with the names that there are. Endpoints that have no key yet are left alone. */
export function accountProblems(config: Config, ring: KeyRing): ConfigProblem[] {
  return [...config.endpoints.values()].flatMap(({ name, keyAccounts }) => {
    const keys = ring.get(name) ?? [];
    if (keyAccounts === undefined || keys.length === 0) return [];
    return Object.entries(keyAccounts).flatMap(([account, names]) => names.filter(one => !keys.some(({ id, label }) => one === label || one === id)).map((one): ConfigProblem => ({
      path: `endpoints.${name}.keyAccounts.${account}`,
      message: `Endpoint "${name}": the account "${account}" names the key "${one}", and no key has that name; its keys are ${keys.map(({ label }) => `"${label}"`).join(', ')}.`,
    })));
  });
}
