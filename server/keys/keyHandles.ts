import type { KeyMaterial } from '../api/messages.ts';

/**
 * A key as its pool gives it out. Ids name places: a new secret may come under the id of another one, and a secret may move to
 * another id. Requests that run meanwhile know their key by its handle, which is one secret's as long as the process runs.
 */
export interface HandedKey extends KeyMaterial {
  /** Absent: the id. */
  readonly handle?: string | undefined;
}

/** By what requests, limits and reports know a key. */
export function handleOf({ handle, id }: HandedKey): string {
  return handle ?? id;
}

/** The handles of one endpoint's secrets, by the fingerprint of the secret. */
export class KeyHandles {
  readonly #byFingerprint = new Map<string, string>();
  readonly #given = new Set<string>();

  /** The handle of a secret: its id, or, where that is the handle of another secret, the id with a number. */
  of(id: string, fingerprint: string): string {
    const known = this.#byFingerprint.get(fingerprint);
    if (known !== undefined) return known;
    let handle = id;
    for (let number = 2; this.#given.has(handle); number += 1) handle = `${id}#${number}`;
    this.#given.add(handle);
    this.#byFingerprint.set(fingerprint, handle);
    return handle;
  }
}

/** The key under its handle; the same object where that is its id. */
export function handed(material: KeyMaterial, handle: string): HandedKey {
  return handle === material.id ? material : { ...material, handle };
}
