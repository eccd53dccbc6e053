import type { AwsLogin } from '../../keys/authHeader.ts';
import type { AwsApiKey, AwsCredentials, AwsParts } from '../aws/aws.ts';
import type { AskLogin } from '../machineLogin.ts';
import { KeptCredentials } from './keptCredentials.ts';

/** Credentials for AWS, of access keys and of the machine's own login, and what signs with them. */
export class AwsLogins {
  readonly #kept: KeptCredentials<AwsCredentials | AwsApiKey>;
  readonly #load: () => Promise<AwsParts>;
  readonly #now: () => number;
  #parts: Promise<AwsParts> | undefined;
  /** How far AWS's clock is ahead of this machine's, in milliseconds. */
  #skewMs = 0;

  /** @param load replaces what needs AWS's libraries, which are loaded at the first need; for tests */
  constructor(load: () => Promise<AwsParts> = async () => (await import('../aws/awsParts.ts')).awsParts, now: () => number = Date.now) {
    this.#load = load;
    this.#now = now;
    this.#kept = new KeptCredentials(now);
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
  credentials(login: AwsLogin, ask: AskLogin): Promise<AwsCredentials | AwsApiKey> {
    return this.#kept.get(idOf(login), async () => {
      const parts = await this.parts();
      return parts.findCredentials(login, ask);
    });
  }

  /** Drops credentials that were refused. Newer ones stay. */
  forget(login: AwsLogin, refused: AwsCredentials | AwsApiKey): void {
    this.#kept.forget(idOf(login), refused);
  }
}

function idOf({ accessKey, profile, region }: AwsLogin): string {
  return JSON.stringify([accessKey, profile, region]);
}

/** AWS takes signatures that are up to five minutes old or early. */
const toleratedSkewMs = 4 * 60_000;
