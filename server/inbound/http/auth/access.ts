import type { IncomingHttpHeaders } from 'node:http';
import { momentText } from '../../../api/localization/times.ts';
import { hashOfToken, type KnownToken, type TokenBook } from '../../../router/tokens/tokenBook.ts';

/** Why a request may not come in; undefined when it may. */
export interface Refusal { status: number; message: string }

const loopbackHost = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;
const loopbackOrigin = /^https?:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;

/** Whether an authority, host with or without port, names this machine. */
export function isThisMachine(authority: string): boolean {
  return loopbackHost.test(authority);
}

/**
 * Guards against pages in a browser on this machine: a request must name this machine as its host (DNS rebinding) and
 * may not come from a page of another origin.
 */
export function checkOrigin(headers: IncomingHttpHeaders): Refusal | undefined {
  if (headers.host === undefined || !isThisMachine(headers.host)) {
    return { status: 403, message: 'The Host header must name this machine (127.0.0.1 or localhost).' };
  }
  const { origin } = headers;
  if (origin !== undefined && !loopbackOrigin.test(origin)) {
    return { status: 403, message: 'Requests from web pages of other origins are refused.' };
  }
  const site = headers['sec-fetch-site'];
  if (site === 'cross-site') return { status: 403, message: 'Requests from web pages of other origins are refused.' };
  return undefined;
}

/** The credential a request carries, from whichever header its protocol uses. */
export function presentedToken(headers: IncomingHttpHeaders): string | undefined {
  const { authorization } = headers;
  if (authorization !== undefined) {
    const space = authorization.indexOf(' ');
    if (space > 0 && authorization.slice(0, space).toLowerCase() === 'bearer') return authorization.slice(space + 1).trim();
  }
  for (const name of ['x-api-key', 'x-goog-api-key', 'api-key']) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

/** Whose token was presented: a tool's own, one that was made for somebody, or the endpoint's own, which has neither field. */
export interface TokenOwner {
  /** Tells the token from every other one, also from one of the same name in another data folder: its SHA-256; of a rotated one, that of its successor. */
  readonly digest: string;
  readonly tool?: string | undefined;
  /** What the token may do; absent: everything that a token of its kind may. */
  readonly access?: KnownToken | undefined;
  /** The token was rotated, and works until then. */
  readonly until?: number | undefined;
  /** The tool's access is bounded, and cannot be read. */
  readonly unreadable?: true | undefined;
}

interface ToolTokenSource { readonly tokens: ReadonlyMap<string, Buffer>; readonly bounded?: ReadonlySet<string> | undefined }

/** Finds whose a presented token is by its SHA-256, in a map that is made when a token changes: how long that takes says nothing of any token. */
export class TokenCheck {
  readonly #own: TokenOwner;
  readonly #tools: ToolTokenSource;
  readonly #book: Pick<TokenBook, 'version' | 'all' | 'of' | 'refresh'> | undefined;
  #owners: ReadonlyMap<string, TokenOwner> = new Map();
  #ofTools: ReadonlyMap<string, Buffer> | undefined;
  #ofBook = -1;

  /** @param shared the endpoint's own token @param tools the tools' own tokens; read for each request, so that a revoked one is refused at once @param book tokens that were made, and what tools may do */
  constructor(shared: string, tools: ToolTokenSource, book?: Pick<TokenBook, 'version' | 'all' | 'of' | 'refresh'>) {
    this.#own = { digest: hashOfToken(shared), tool: undefined };
    this.#tools = tools;
    this.#book = book;
  }

  /** @returns undefined for a token that is not known */
  ownerOf(presented: string | undefined): TokenOwner | undefined {
    if (presented === undefined || presented === '') return undefined;
    const presentedHash = hashOfToken(presented);
    // The endpoint's own token asks nothing of the file system.
    if (presentedHash === this.#own.digest) return this.#own;
    const { tokens } = this.#tools;
    // A tool that was connected or bounded at a peer holds for the next request.
    if (tokens !== this.#ofTools) this.#book?.refresh();
    const version = this.#book?.version ?? 0;
    if (tokens !== this.#ofTools || version !== this.#ofBook) this.#gather(tokens, version);
    return this.#owners.get(presentedHash);
  }

  #gather(tokens: ReadonlyMap<string, Buffer>, version: number): void {
    const owners = new Map<string, TokenOwner>();
    for (const access of this.#book?.all() ?? []) {
      const { hash, kind, previousHash, previousUntil } = access;
      const tool = kind === 'tool' ? access.id : undefined;
      // Of a tool that is connected, the file of its token counts.
      if (hash !== undefined && (kind === 'made' || access.revokedAt !== undefined)) owners.set(hash, { digest: hash, tool, access });
      if (previousHash !== undefined && previousUntil !== undefined) owners.set(previousHash, { digest: hash ?? previousHash, tool, access, until: previousUntil });
    }
    for (const [tool, token] of tokens) {
      const access = this.#book?.of(tool);
      const isBounded = this.#tools.bounded?.has(tool) === true;
      const digest = hashOfToken(token.toString());
      owners.set(digest, access !== undefined ? { digest, tool, access } : isBounded ? { digest, tool, unreadable: true } : { digest, tool });
    }
    this.#owners = owners;
    this.#ofTools = tokens;
    this.#ofBook = version;
  }
}

/** Why a known token lets nobody in, as a sentence with the next action; undefined: it does. @param now milliseconds since the epoch */
export function whyShut({ tool, access, until, unreadable }: Omit<TokenOwner, 'digest'>, now: number): string | undefined {
  if (unreadable === true) return `What ${tool ?? ''} may do cannot be read now, so its token is refused: in VS Code, "Waybill: Edit Tool Access…" sets it again.`;
  if (access === undefined) return undefined;
  const { name, revokedAt, expiresAt } = access;
  if (revokedAt !== undefined) return tool === undefined ? `The token of ${name} was revoked: ask whoever gave it to you for another one.` : `The token of ${name} was revoked: in VS Code, "Waybill: Connect a Tool…" connects it again.`;
  if (expiresAt !== undefined && expiresAt <= now) {
    const ended = `The access of ${name} ended on ${momentText(expiresAt)}`;
    return tool === undefined ? `${ended}: ask whoever gave you the token for another one.` : `${ended}: in VS Code, "Waybill: Edit Tool Access…" gives it more time.`;
  }
  return until !== undefined && until <= now ? `The token of ${name} was replaced by another one: use that, or ask whoever gave it to you.` : undefined;
}
