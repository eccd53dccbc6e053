import { WaybillError } from '../../base/failure.ts';
import { networkFailure } from './networkFailure.ts';

interface LoginError { message: string; failureClass: 'auth' | 'server' | 'rate-limit'; advice: string | undefined; detail: string | undefined }

/** What was thrown before a request to AWS could be sent, as a failure. Errors of the login come from a part of the bundle of its own and have another class there. */
export function awsFailure(error: unknown, endpoint: string): WaybillError {
  if (error instanceof WaybillError) return error;
  if (isLoginError(error)) return new WaybillError('aws-login', error.failureClass, error.message, { advice: error.advice, detail: error.detail, ...(error.failureClass === 'auth' ? { namesKeyOwner: true } : {}) });
  return networkFailure(error, endpoint, 'connecting');
}

function isLoginError(error: unknown): error is LoginError {
  return error instanceof Error && error.name === 'AwsLoginError' && 'failureClass' in error;
}
