import { WaybillError } from '../../base/failure.ts';
import { networkFailure } from './networkFailure.ts';
import { isOutOfFiles } from './ownLimit.ts';

/** As much of a message as is read; it is redacted and cut before it is shown. */
const longestDetail = 16_384;

/**
 * The mapper from errors of the login at Google to failures. Google's library gives most of them no code, so their texts
 * are read here. Source of the texts: google-auth-library and RFC 6749, section 5.2.
 * @param hasKeyFile the login is that of a key file, not the machine's own
 */
export function loginFailure(error: unknown, hasKeyFile: boolean): WaybillError {
  const own = ownFailure(error);
  if (own !== undefined) return own;
  const { message, response } = error as { message?: unknown; response?: { status?: unknown } };
  const detail = typeof message === 'string' ? message.slice(0, longestDetail) : '';
  const status = typeof response?.status === 'number' ? response.status : undefined;
  const details = { status, detail, cause: error };
  if (/default credentials/i.test(detail)) {
    // The library reports a file that cannot be opened as one that is not there.
    if (isOutOfFiles()) return networkFailure(Object.assign(new Error(detail), { code: 'EMFILE' }), 'the login at Google', 'connecting');
    return new WaybillError('google-login', 'auth', 'This machine has no Google login.', { ...details, advice: 'run "gcloud auth application-default login", or add a service account as the key' });
  }
  if (/invalid_grant/.test(detail)) {
    return hasKeyFile
      ? new WaybillError('google-login', 'auth', 'Google refused the key file: the key was deleted, or the clock of this machine is wrong.', { ...details, namesKeyOwner: true })
      : new WaybillError('google-login', 'auth', 'The Google login of this machine has ended.', { ...details, advice: 'run "gcloud auth application-default login" again' });
  }
  if (status !== undefined && status >= 500) return new WaybillError('google-login', 'server', `The login at Google failed (${status}).`, details);
  if (status !== undefined || /invalid_client|unauthorized|DECODER|PEM|private key/i.test(detail)) {
    return new WaybillError('google-login', 'auth', `The login at Google failed${status === undefined ? '' : ` (${status})`}.`, { ...details, advice: 'check the service account, or the login of this machine' });
  }
  return networkFailure(error, 'the login at Google', 'connecting');
}

/** What the network of the endpoint reported, which the library wraps. */
function ownFailure(error: unknown): WaybillError | undefined {
  for (let one = error, depth = 0; one instanceof Error && depth < 5; one = one.cause, depth += 1) if (one instanceof WaybillError) return one;
  return undefined;
}
