import { MachineLoginError } from '../machineLogin.ts';

const usualAdvice = 'run "aws sso login", name a profile in "profile", or add a Bedrock API key';

/** This machine has no credentials for AWS, or they cannot be used. @param says a whole sentence */
export function noLogin(says: string, { advice = usualAdvice, detail }: { advice?: string; detail?: string } = {}): MachineLoginError {
  return new MachineLoginError('aws-login', 'auth', says, { advice, detail });
}

/** A login of AWS itself answered with an error. @param what such as "The role arn:…" */
export function refusedLogin(what: string, status: number, detail: string): MachineLoginError {
  if (status >= 500 || status === 429) return new MachineLoginError('aws-login', status === 429 ? 'rate-limit' : 'server', `${what} could not be asked: AWS answered with ${status}.`, { detail });
  return noLogin(`${what} was refused by AWS (${status}).`, { detail, advice: 'log in again with "aws sso login", or check the profile' });
}
