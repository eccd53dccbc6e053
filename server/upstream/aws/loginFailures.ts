/**
 * A login at AWS that failed. It is made in a file of the bundle of its own, so it is known by its name and not by its class;
 * `failures/awsFailure.ts` makes the failure of it.
 */
export class AwsLoginError extends Error {
  readonly failureClass: 'auth' | 'server' | 'rate-limit';
  readonly advice: string | undefined;
  readonly detail: string | undefined;

  constructor(failureClass: 'auth' | 'server' | 'rate-limit', says: string, advice: string | undefined, detail: string | undefined) {
    super(says);
    this.name = 'AwsLoginError';
    this.failureClass = failureClass;
    this.advice = advice;
    this.detail = detail;
  }
}

const usualAdvice = 'run "aws sso login", name a profile in "profile", or add a Bedrock API key';

/** This machine has no credentials for AWS, or they cannot be used. @param says a whole sentence */
export function noLogin(says: string, { advice = usualAdvice, detail }: { advice?: string; detail?: string } = {}): AwsLoginError {
  return new AwsLoginError('auth', says, advice, detail);
}

/** A login of AWS itself answered with an error. @param what such as "The role arn:…" */
export function refusedLogin(what: string, status: number, detail: string): AwsLoginError {
  if (status >= 500 || status === 429) return new AwsLoginError(status === 429 ? 'rate-limit' : 'server', `${what} could not be asked: AWS answered with ${status}.`, undefined, detail);
  return noLogin(`${what} was refused by AWS (${status}).`, { detail, advice: 'log in again with "aws sso login", or check the profile' });
}
