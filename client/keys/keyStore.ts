import type * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import type { KeyMaterial } from '../../server/api/messages.ts';
import { Emitter } from '../base/emitter.ts';
import { UserError } from '../base/errors.ts';
import { addKey, maskKey, nextKeyLabel, parseKeyList, removeKey, renameKey, replaceSecret, restoreKey } from './keyList.ts';
import type { KeyListChange, MaskedKey, StoredKey } from './keyList.ts';

/** The part of VS Code's SecretStorage that is used. Older editors and forks have no `keys`. */
export interface SecretStore {
  get(name: string): PromiseLike<string | undefined>;
  store(name: string, value: string): PromiseLike<void>;
  delete(name: string): PromiseLike<void>;
  keys?(): PromiseLike<string[]>;
  readonly onDidChange: vscode.Event<{ readonly key: string }>;
}

const secretPrefix = 'waybill.keys.';
/** Names of the endpoints that have keys; kept only where the store cannot list its own names. */
const indexName = 'waybill.keyIndex';
/** How often a change is applied again when another window wrote at the same moment. */
const writeAttempts = 3;

/**
 * The keys, in VS Code's secret store: one secret per endpoint, a JSON list. Every window has its own extension
 * host and the store knows no transactions, so a change is always applied to what is stored at that moment,
 * and read back: if another window's write has won, it is applied again on top of that. `onDidChange` fires for
 * changes of this and of every other window.
 */
export class KeyStore implements vscode.Disposable {
  readonly #secrets: SecretStore;
  readonly #now: () => number;
  readonly #newId: () => string;
  readonly #changed = new Emitter<string>();
  readonly #subscription: vscode.Disposable;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(secrets: SecretStore, now: () => number, newId: () => string) {
    this.#secrets = secrets;
    this.#now = now;
    this.#newId = newId;
    this.#subscription = secrets.onDidChange(({ key }) => {
      if (key.startsWith(secretPrefix)) this.#changed.fire(key.slice(secretPrefix.length));
    });
  }

  /** Fires with the endpoint's name when its keys changed, in whatever window. */
  get onDidChange(): vscode.Event<string> { return this.#changed.event; }

  /** The endpoint's keys as they may be shown. */
  async list(endpoint: string): Promise<MaskedKey[]> {
    return (await this.#read(endpoint)).map(maskKey);
  }

  /** The endpoint's keys with their secrets, to compare a new one with them and to undo a removal; never shown. */
  async stored(endpoint: string): Promise<StoredKey[]> {
    return this.#read(endpoint);
  }

  /** Puts a key that was removed back where it stood, under its old id and label. */
  async restore(endpoint: string, key: StoredKey, index: number): Promise<void> {
    await this.#change(endpoint, restoreKey(key, index));
  }

  /** The keys of the named endpoints, for the server only. Endpoints without keys are absent. */
  async material(endpoints: readonly string[]): Promise<Record<string, KeyMaterial[]>> {
    const lists = await Promise.all(endpoints.map(async endpoint => [endpoint, await this.#read(endpoint)] as const));
    return Object.fromEntries(lists
      .filter(([, keys]) => keys.length > 0)
      .map(([endpoint, keys]) => [endpoint, keys.map(({ id, label, secret }) => ({ id, label, secret }))]));
  }

  /** Adds a key; without a label it gets the next number. Throws when the endpoint has this key already. */
  async add(endpoint: string, secret: string, label?: string): Promise<MaskedKey> {
    const id = this.#newId();
    const keys = await this.#change(endpoint, current =>
      addKey({ id, label: label ?? nextKeyLabel(current), secret, addedAt: this.#now() })(current));
    const added = keys.find(key => key.id === id);
    if (added === undefined) throw new UserError(t('The key could not be stored: try again.'));
    return maskKey(added);
  }

  async rename(endpoint: string, id: string, label: string): Promise<void> {
    await this.#change(endpoint, renameKey(id, label.trim()));
  }

  async replace(endpoint: string, id: string, secret: string): Promise<void> {
    await this.#change(endpoint, replaceSecret(id, secret, this.#now()));
  }

  async remove(endpoint: string, id: string): Promise<void> {
    await this.#change(endpoint, removeKey(id));
  }

  /** Removes every key of the endpoint, also when what is stored cannot be read. */
  async removeAll(endpoint: string): Promise<void> {
    await this.#enqueue(async () => {
      await this.#secrets.delete(secretPrefix + endpoint);
      await this.#index(endpoint, false);
    });
  }

  /** Names of the endpoints that have keys, also of ones the settings do not name any more. */
  async endpoints(): Promise<string[]> {
    if (this.#secrets.keys !== undefined) {
      const names = await this.#secrets.keys();
      return names.filter(name => name.startsWith(secretPrefix)).map(name => name.slice(secretPrefix.length)).sort();
    }
    return this.#readIndex();
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#changed.dispose();
  }

  async #read(endpoint: string): Promise<StoredKey[]> {
    return parseKeyList(await this.#secrets.get(secretPrefix + endpoint), endpoint);
  }

  async #change(endpoint: string, change: KeyListChange): Promise<StoredKey[]> {
    return this.#enqueue(async () => {
      for (let attempt = 1; ; attempt++) {
        const wanted = change(await this.#read(endpoint));
        const text = JSON.stringify(wanted);
        if (wanted.length === 0) await this.#secrets.delete(secretPrefix + endpoint);
        else await this.#secrets.store(secretPrefix + endpoint, text);
        await this.#index(endpoint, wanted.length > 0);
        const stored = await this.#secrets.get(secretPrefix + endpoint);
        if ((stored ?? '[]') === text) return wanted;
        if (attempt === writeAttempts) throw new UserError(t('The keys could not be stored, because another window changes them too: try again.'));
      }
    });
  }

  async #index(endpoint: string, present: boolean): Promise<void> {
    if (this.#secrets.keys !== undefined) return;
    const names = new Set(await this.#readIndex());
    if (names.has(endpoint) === present) return;
    if (present) names.add(endpoint);
    else names.delete(endpoint);
    await this.#secrets.store(indexName, JSON.stringify([...names].sort()));
  }

  async #readIndex(): Promise<string[]> {
    const text = await this.#secrets.get(indexName);
    if (text === undefined) return [];
    try {
      const value: unknown = JSON.parse(text);
      return Array.isArray(value) ? value.filter(name => typeof name === 'string') : [];
    } catch {
      return [];
    }
  }

  /** One change at a time within this window. */
  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}
