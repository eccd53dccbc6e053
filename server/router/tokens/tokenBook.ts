import { hash, randomBytes, randomInt } from 'node:crypto';
import { accessProblem, fullAccess, type AccessSettings, type TokenAccess } from '../../api/access/tokenAccess.ts';
import type { BudgetPeriod } from '../../api/budgets/budgetSettings.ts';
import type { Clock } from '../../base/clock.ts';
import type { BudgetConfig } from '../../config/config.ts';
import type { StoredToken, TokenStore } from '../../ledger/tokenStore.ts';

export interface MadeToken { readonly token: string; readonly access: TokenAccess }
export type TokenResult = { readonly access: TokenAccess } | { readonly refused: string };

/** For whom a token is made. */
export interface TokenOrder { readonly name: string; readonly user?: string | undefined; readonly team?: string | undefined; readonly access: AccessSettings }

/** A token in use: one object as long as it stays as it is. */
export interface KnownToken extends StoredToken {
  /** It has a budget of its own. */
  readonly hasBudget: boolean;
}

const label = /^[\p{L}\p{N}][\p{L}\p{N} ._@+-]{0,62}$/u;
const tokenBytes = 32;
const suffixLetters = 'abcdefghjkmnpqrstuvwxyz23456789';
/** The share of a budget at which a notification warns. */
const warnAt = 0.8;
const mostTokens = 10_000;
/** Begins the keys of budgets of single tokens. No name of a configured budget begins so, and names of tokens are not unique. */
const tokenBudgetMark = '~';

/** What a token is known by: its SHA-256, as base64url. */
export function hashOfToken(token: string): string {
  return hash('sha256', token, 'base64url');
}

/**
 * Tokens and what they may do, as all servers of a data folder know them. Looking one up asks memory; what a peer changes is read within
 * a second. A token is random and kept as its SHA-256, so a look-up by that tells nobody who waits for the answer how close a guess was.
 */
export class TokenBook {
  readonly #store: TokenStore | undefined;
  readonly #clock: Clock;
  readonly #changed: () => void;
  #byId: ReadonlyMap<string, KnownToken> = new Map();
  #budgets: readonly BudgetConfig[] = [];
  #version = 0;
  #isRead = false;

  /** @param store absent: there are no tokens @param changed what a person sees may have changed */
  constructor(store: TokenStore | undefined, clock: Clock, changed: () => void = () => undefined) {
    this.#store = store;
    this.#clock = clock;
    this.#changed = changed;
  }

  /** Grows with each change of a token. */
  get version(): number {
    if (!this.#isRead) this.refresh();
    return this.#version;
  }

  /** Budgets of tokens in use; the same list until one changes. */
  get budgets(): readonly BudgetConfig[] {
    if (!this.#isRead) this.refresh();
    return this.#budgets;
  }

  all(): Iterable<KnownToken> {
    if (!this.#isRead) this.refresh();
    return this.#byId.values();
  }

  of(id: string): KnownToken | undefined {
    if (!this.#isRead) this.refresh();
    return this.#byId.get(id);
  }

  /** Reads what peers changed. To be called about once a second. */
  refresh(): void {
    this.#isRead = true;
    const tokens = this.#store?.poll();
    if (tokens === undefined) return;
    const before = this.#byId;
    if (tokens.length === 0 && before.size === 0) return;
    this.#byId = new Map(tokens.map(token => {
      const known = before.get(token.id);
      return [token.id, known !== undefined && isSame(known, token) ? known : { ...token, hasBudget: token.dayMicroUsd !== undefined || token.monthMicroUsd !== undefined }];
    }));
    this.#budgets = [...this.#byId.values()].flatMap(token => (token.revokedAt === undefined ? budgetsOf(token) : []));
    this.#version += 1;
    this.#changed();
  }

  close(): void {
    this.#store?.close();
  }

  /** Makes a token, which is in the answer and nowhere else. */
  create({ name, user, team, access }: TokenOrder): MadeToken | { readonly refused: string } {
    const wrong = wrongLabel('name', name) ?? wrongLabel('user', user) ?? wrongLabel('team', team) ?? accessProblem(access, this.#clock.now());
    if (wrong !== undefined) return { refused: wrong };
    const token = newToken();
    const made = this.#change(all => {
      if (all.length >= mostTokens) return { refused: `There are ${String(mostTokens)} tokens already, those that were revoked among them: revoked ones are not taken out.` };
      const taken = all.find(one => one.revokedAt === undefined && one.name.toLowerCase() === name.toLowerCase());
      if (taken !== undefined) return { refused: `There is a token named "${taken.name}" already (${taken.id}): choose another name, revoke that one, or rotate it.` };
      let id = idFor(name);
      while (all.some(one => one.id === id)) id = idFor(name);
      return { saved: { ...access, id, kind: 'made', name, user, team, createdAt: this.#clock.now(), hash: hashOfToken(token) } };
    });
    return 'refused' in made ? made : { token, access: made.access };
  }

  /** Puts another token in the place of one, which works on for a while. @param graceMs so long */
  rotate(id: string, graceMs: number): MadeToken | { readonly refused: string } {
    const token = newToken();
    const now = this.#clock.now();
    const made = this.#change(all => {
      const before = all.find(one => one.id === id);
      if (before === undefined) return { refused: unknownToken(id) };
      const refused = whyNotInUse(before, now);
      if (refused !== undefined) return { refused };
      if (before.kind === 'tool') return { refused: `${id} is a connected tool: "Waybill: Connect a Tool…" in VS Code gives it its token.` };
      return { saved: { ...before, hash: hashOfToken(token), ...(graceMs > 0 ? { previousHash: before.hash, previousUntil: now + graceMs } : { previousHash: undefined, previousUntil: undefined }) } };
    });
    return 'refused' in made ? made : { token, access: made.access };
  }

  /** Ends a token. It stays known, so that whoever sends it is told. */
  revoke(id: string): TokenResult {
    return this.#change(all => {
      const before = all.find(one => one.id === id);
      if (before === undefined) return { refused: unknownToken(id) };
      return { saved: { ...before, revokedAt: before.revokedAt ?? this.#clock.now() } };
    });
  }

  /** Sets what a connected tool may do. @param token its token */
  setTool(tool: string, access: AccessSettings, token: string): TokenResult {
    // Of a token that has expired the rest can be changed.
    const isKeptEnd = access.expiresAt !== undefined && access.expiresAt === this.of(tool)?.expiresAt;
    const wrong = accessProblem(isKeptEnd ? { ...access, expiresAt: undefined } : access, this.#clock.now());
    if (wrong !== undefined) return { refused: wrong };
    return this.#change(all => ({ saved: { ...access, ...toolFacts(all, tool, this.#clock.now()), hash: hashOfToken(token) } }));
  }

  /** A tool's token ended. What it might do is kept for when it is connected again. @param token the one that ended @param keeps only where its access was ever set */
  toolEnded(tool: string, token: string | undefined, keeps = false): void {
    if (keeps && this.of(tool) === undefined) return;
    const now = this.#clock.now();
    this.#change(all => {
      const before = all.find(one => one.id === tool);
      return { saved: { ...fullAccess, ...before, ...toolFacts(all, tool, now), ...(token === undefined ? {} : { hash: hashOfToken(token) }), revokedAt: now } };
    });
  }

  /** A tool has a token again. */
  toolConnected(tool: string, token: string): void {
    const known = this.of(tool);
    if (known === undefined || (known.revokedAt === undefined && known.hash === hashOfToken(token))) return;
    this.#change(all => {
      const before = all.find(one => one.id === tool);
      return before === undefined ? { refused: '' } : { saved: { ...before, hash: hashOfToken(token), revokedAt: undefined } };
    });
  }

  #change(work: Parameters<TokenStore['change']>[0]): TokenResult {
    const change = this.#store?.change(work) ?? { refused: 'There is no data folder to keep tokens in.' };
    this.refresh();
    return 'saved' in change ? { access: accessOf(change.saved) } : change;
  }
}

/** A token as people see it: without its digests. */
export function accessOf({ hash: _hash, previousHash: _previous, hasBudget: _hasBudget, ...access }: StoredToken & Partial<Pick<KnownToken, 'hasBudget'>>): TokenAccess {
  return Object.fromEntries(Object.entries(access).filter(([, value]) => value !== undefined)) as unknown as TokenAccess;
}

function newToken(): string {
  return `waybill-${randomBytes(tokenBytes).toString('base64url')}`;
}

function toolFacts(all: readonly StoredToken[], tool: string, now: number): Pick<StoredToken, 'id' | 'kind' | 'name' | 'createdAt'> {
  return { id: tool, kind: 'tool', name: tool, createdAt: all.find(one => one.id === tool)?.createdAt ?? now };
}

/** A word that a person can read, and that differs from those of tools: `ci-x4k2`. */
function idFor(name: string): string {
  const word = name.toLowerCase().normalize('NFD').replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 24);
  const suffix = Array.from({ length: 4 }, () => suffixLetters[randomInt(suffixLetters.length)]).join('');
  return `${word === '' ? 'token' : word}-${suffix}`;
}

function wrongLabel(what: string, text: string | undefined): string | undefined {
  if (text === undefined || label.test(text)) return undefined;
  return `The ${what} has 1 to 63 letters, digits, spaces and . _ @ + -, and begins with a letter or digit: write it so.`;
}

function unknownToken(id: string): string {
  return `There is no token "${id.slice(0, 80)}": waybill token list has those that there are.`;
}

function whyNotInUse({ id, revokedAt, expiresAt }: StoredToken, now: number): string | undefined {
  if (revokedAt !== undefined) return `The token ${id} was revoked: make a new one with waybill token create.`;
  return expiresAt !== undefined && expiresAt <= now ? `The token ${id} has expired: make a new one with waybill token create.` : undefined;
}

function budgetsOf({ id, name, dayMicroUsd, monthMicroUsd }: StoredToken): BudgetConfig[] {
  const budget = (period: BudgetPeriod, limitMicroUsd: number | undefined): BudgetConfig[] => (limitMicroUsd === undefined ? []
    : [{ name, key: tokenBudgetMark + encodeURIComponent(id), limitMicroUsd, period, per: 'token', only: new Set([id]), isHard: true, warnAt }]);
  return [...budget('day', dayMicroUsd), ...budget('month', monthMicroUsd)];
}

function isSame(known: KnownToken, token: StoredToken): boolean {
  return (Object.keys(token) as (keyof StoredToken)[]).every(field => {
    const [one, other] = [known[field], token[field]];
    return one === other || (Array.isArray(one) && Array.isArray(other) && one.length === other.length && one.every((value, index) => value === other[index]));
  });
}
