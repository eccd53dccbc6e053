/** Which login of this machine failed; a code of failures. */
export type MachineLoginCode = 'aws-login' | 'entra-login';

/**
 * A login of this machine at a cloud that failed. It is made in parts of the bundle of their own, so it is known by its name and
 * not by its class; `failures/machineLoginFailure.ts` makes the failure of it.
 */
export class MachineLoginError extends Error {
  readonly loginCode: MachineLoginCode;
  readonly failureClass: 'auth' | 'server' | 'rate-limit';
  readonly advice: string | undefined;
  readonly detail: string | undefined;

  /** @param says a whole sentence */
  constructor(loginCode: MachineLoginCode, failureClass: 'auth' | 'server' | 'rate-limit', says: string, { advice, detail }: { advice?: string | undefined; detail?: string | undefined } = {}) {
    super(says);
    this.name = 'MachineLoginError';
    this.loginCode = loginCode;
    this.failureClass = failureClass;
    this.advice = advice;
    this.detail = detail;
  }
}

/** A small call to a login, over the network of the endpoint. @throws WaybillError where no answer comes */
export type AskLogin = (question: LoginQuestion) => Promise<{ status: number; text: string }>;
export interface LoginQuestion {
  method: 'GET' | 'POST';
  url: string;
  headers: Record<string, string>;
  body?: string | undefined;
  /** It is a service of the machine itself: no proxy is on the way, and it answers at once or not at all. */
  ofMachine?: true | undefined;
}
