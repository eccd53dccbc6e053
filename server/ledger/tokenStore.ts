import type { TokenAccess } from '../api/access/tokenAccess.ts';

/** A token as it is kept: by its digest, never by itself. */
export interface StoredToken extends TokenAccess {
  /** SHA-256 of the token, as base64url; absent: none is known. */
  readonly hash?: string | undefined;
  /** The digest of the token before the last rotation, which works until `previousUntil`. */
  readonly previousHash?: string | undefined;
}

export type TokenChange = { readonly saved: StoredToken } | { readonly refused: string };

/** Where the servers of one data folder keep tokens. */
export interface TokenStore {
  /** All tokens, where they may have changed since the last call; undefined: none has, or they cannot be read now. Never throws. */
  poll(): readonly StoredToken[] | undefined;
  /**
   * Changes one token, in one transaction that no other server can come between. Never throws.
   * @param work makes the token of what is kept now, or says in a sentence why that cannot be
   */
  change(work: (all: readonly StoredToken[]) => TokenChange): TokenChange;
  close(): void;
}
