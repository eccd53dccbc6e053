import type { AwsLogin } from '../../keys/authHeader.ts';
import type { AskAws, AwsApiKey, AwsCredentials, AwsParts } from '../aws/aws.ts';

interface Login {
  current: AwsCredentials | AwsApiKey | undefined;
  pending: Promise<AwsCredentials | AwsApiKey> | undefined;
}

/** Credentials are renewed this long before they end, so that no request meets their end. */
const earlyMs = 5 * 60_000;
/** Credentials with less than this left are not used any more. */
const uselessMs = 30_000;

/**
 * Credentials for AWS, of access keys and of the machine's own login. Each is kept until shortly before it ends, renewed in the
 * background when it nears its end, and found once for all calls that wait for it.
 */
export class AwsLogins {
  readonly #logins = new Map<string, Login>();
  readonly #load: () => Promise<AwsParts>;
  readonly #now: () => number;
  #parts: Promise<AwsParts> | undefined;
  /** How far AWS's clock is ahead of this machine's, in milliseconds. */
  #skewMs = 0;

  /** @param load replaces what needs AWS's libraries, which are loaded at the first need; for tests */
  constructor(load: () => Promise<AwsParts> = async () => (await import('../aws/awsParts.ts')).awsParts, now: () => number = Date.now) {
    this.#load = load;
    this.#now = now;
  }

  parts(): Promise<AwsParts> {
    this.#parts ??= this.#load();
    return this.#parts;
  }

  /** The time by AWS's clock, as far as its answers told it. */
  signingTime(): Date {
    return new Date(this.#now() + this.#skewMs);
  }

  /** Learns AWS's time from the header of a refused request. @returns whether the clock of this machine was too far off */
  learnTime(date: string | undefined): boolean {
    const theirs = Date.parse(date ?? '');
    if (Number.isNaN(theirs) || Math.abs(theirs - this.signingTime().getTime()) < toleratedSkewMs) return false;
    this.#skewMs = theirs - this.#now();
    return true;
  }

  /** @throws what the login throws */
  async credentials(login: AwsLogin, ask: AskAws): Promise<AwsCredentials | AwsApiKey> {
    const kept = this.#login(login);
    const { current } = kept;
    const left = current === undefined ? 0 : current.expiresAt === undefined ? Infinity : current.expiresAt - this.#now();
    if (current !== undefined && left > uselessMs) {
      // A renewal that fails here is tried again, and its failure is reported, when the credentials are needed.
      if (left < earlyMs) void this.#renew(kept, login, ask).catch(() => undefined);
      return current;
    }
    return this.#renew(kept, login, ask);
  }

  /** Drops credentials that were refused. Newer ones stay. */
  forget(login: AwsLogin, refused: AwsCredentials | AwsApiKey): void {
    const kept = this.#login(login);
    if (kept.current === refused) kept.current = undefined;
  }

  #login({ accessKey, profile, region }: AwsLogin): Login {
    const id = JSON.stringify([accessKey, profile, region]);
    let login = this.#logins.get(id);
    if (login === undefined) {
      // Keys come and go while a server runs.
      if (this.#logins.size >= mostLogins) this.#logins.clear();
      this.#logins.set(id, login = { current: undefined, pending: undefined });
    }
    return login;
  }

  #renew(kept: Login, login: AwsLogin, ask: AskAws): Promise<AwsCredentials | AwsApiKey> {
    kept.pending ??= this.#find(kept, login, ask).finally(() => { kept.pending = undefined; });
    return kept.pending;
  }

  async #find(kept: Login, login: AwsLogin, ask: AskAws): Promise<AwsCredentials | AwsApiKey> {
    const parts = await this.parts();
    kept.current = await parts.findCredentials(login, ask);
    return kept.current;
  }
}

const mostLogins = 100;
/** AWS takes signatures that are up to five minutes old or early. */
const toleratedSkewMs = 4 * 60_000;
