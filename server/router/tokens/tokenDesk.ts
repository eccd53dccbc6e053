import { allowedText } from '../../api/access/accessText.ts';
import type { Requirements } from '../../api/routes/requirements.ts';
import type { Clock } from '../../base/clock.ts';
import { shownName } from '../../base/names.ts';
import type { Refusal } from '../../limits/rateWindow.ts';
import type { LimitCounts, SharedCounts } from '../../limits/replicas/sharedCounts.ts';
import { writableTokens } from '../../routing/plan.ts';
import type { RouteTable } from '../../routing/routeTable.ts';
import { AllowedNames } from './allowedNames.ts';
import type { KnownToken, TokenBook } from './tokenBook.ts';
import { TokenLimits } from './tokenLimits.ts';

export interface TokenDeskOptions {
  book: TokenBook;
  routeTable(): RouteTable;
  /** Absent: this process counts limits alone. */
  shared?: LimitCounts | undefined;
  /** Absent: no server on another machine counts with this one. */
  replicas?: Pick<SharedCounts, 'counts'> | undefined;
  clock: Clock;
}

/** What the inbound side asks before a request that came with somebody's token goes on. */
export class TokenDesk {
  readonly book: TokenBook;
  readonly limits: TokenLimits;
  readonly #names = new AllowedNames();
  readonly #options: TokenDeskOptions;
  #followed = -1;

  constructor(options: TokenDeskOptions) {
    this.#options = options;
    this.book = options.book;
    this.limits = new TokenLimits(options.shared, options.replicas);
  }

  /** Why a token may not ask for a name, as a sentence with what it may ask for; undefined: it may. */
  whyNotAllowed(token: KnownToken, requestedModel: string): string | undefined {
    if (this.allows(token, requestedModel)) return undefined;
    return `The token of ${token.name} may not use "${shownName(requestedModel)}". It may use ${allowedText(token)}: ask for one of these, or have its access changed.`;
  }

  allows(token: KnownToken, requestedModel: string): boolean {
    return this.#names.allows(token, requestedModel, this.#options.routeTable());
  }

  /** Why a request of a token may not begin now; undefined: it counts from now on, until its exchange ends. */
  enter(token: KnownToken, exchange: string, requirements: Requirements): Refusal | undefined {
    const promptTokens = requirements.estimatedInputTokens;
    return this.limits.enter(token, exchange, promptTokens, promptTokens + (writableTokens(requirements) ?? 0), this.#options.clock.now());
  }

  /** The same for a request that only has a prompt counted: it takes no tokens. */
  enterCount(token: KnownToken, exchange: string): Refusal | undefined {
    return this.limits.enter(token, exchange, 0, 0, this.#options.clock.now());
  }

  /** Whether servers on other machines admit a request that only has a prompt counted; undefined: they are not asked. */
  admitCount(exchange: string): Promise<Refusal | undefined> | undefined {
    return this.limits.admit(exchange, () => this.#options.clock.now());
  }

  /** Takes over what peers changed. To be called about once a second. */
  tick(): void {
    this.book.refresh();
    const { version } = this.book;
    if (version === this.#followed) return;
    this.#followed = version;
    this.#options.shared?.configure(this.limits.follow(this.book.all()), 'tokens');
  }

  close(): void {
    this.book.close();
  }
}
