import { SwitchyardError } from '../base/failure.ts';

const certificateCodes = /^(?:ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED|UNABLE_TO_|ERR_SSL_|EPROTO$|HOSTNAME_MISMATCH)/;

/** How far a call had come when the network failed. */
export type CallStage = 'connecting' | 'waiting' | 'answering';

/**
 * The one mapper from socket and HTTP-client errors to failures.
 * Source of the codes: Node's system errors, Node's TLS errors, undici's `UND_ERR_*`.
 * @param endpoint the endpoint's name, for the sentence
 */
export function networkFailure(error: unknown, endpoint: string, stage: CallStage): SwitchyardError {
  if (error instanceof SwitchyardError) return error;
  const code = errorCode(error);
  const detail = `${code}: ${error instanceof Error ? error.message : String(error)}`;
  const with_ = { detail, systemCode: code, cause: error };
  if (code === 'ECONNREFUSED') return new SwitchyardError('connection-refused', 'network', `${endpoint} refused the connection.`, with_);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EAI_NODATA') {
    return new SwitchyardError('no-address', 'network', `${endpoint} has no address: its host name was not found. Check the base URL and your connection.`, with_);
  }
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    return new SwitchyardError('connect-timeout', 'timeout', `${endpoint} did not accept a connection in time.`, with_);
  }
  if (certificateCodes.test(code)) {
    return new SwitchyardError('certificate', 'network', `${endpoint} showed a TLS certificate that is not trusted (${code}). Check the base URL, or a proxy that inspects traffic.`, with_);
  }
  if (code === 'ENETUNREACH' || code === 'EHOSTUNREACH' || code === 'ENETDOWN' || code === 'EADDRNOTAVAIL') {
    return new SwitchyardError('unreachable', 'network', `${endpoint} cannot be reached from this machine (${code}).`, with_);
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'HPE_HEADER_OVERFLOW') {
    return new SwitchyardError('headers-too-large', 'server', `${endpoint} sent response headers larger than is accepted.`, with_);
  }
  if (stage === 'answering') return new SwitchyardError('stream-cut', 'server', `${endpoint} broke the connection in mid-answer.`, with_);
  if (code.startsWith('HPE_')) return new SwitchyardError('not-http', 'server', `${endpoint} did not answer in HTTP.`, with_);
  return new SwitchyardError('connection-reset', 'network', `${endpoint} closed the connection before it answered.`, with_);
}

function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown';
  if (error instanceof AggregateError && error.errors.length > 0) return errorCode(error.errors[0]);
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string') return code;
  const cause = (error as { cause?: unknown }).cause;
  return cause === undefined || cause === error ? 'unknown' : errorCode(cause);
}
