import { WaybillError } from '../../base/failure.ts';
import type { MachineLoginError } from '../machineLogin.ts';
import { networkFailure } from './networkFailure.ts';

/** What was thrown before a request could be sent, as a failure. Errors of the login come from a part of the bundle of its own and have another class there. */
export function machineLoginFailure(error: unknown, endpoint: string): WaybillError {
  if (error instanceof WaybillError) return error;
  if (!isLoginError(error)) return networkFailure(error, endpoint, 'connecting');
  const { loginCode, failureClass, message, advice, detail } = error;
  return new WaybillError(loginCode, failureClass, message, { advice, detail, ...(failureClass === 'auth' ? { namesKeyOwner: true } : {}) });
}

function isLoginError(error: unknown): error is MachineLoginError {
  return error instanceof Error && error.name === 'MachineLoginError' && 'loginCode' in error;
}
