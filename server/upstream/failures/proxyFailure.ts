import { WaybillError } from '../../base/failure.ts';
import type { ResponseHeaders } from '../../base/headers/responseHeaders.ts';
import type { ProxyAddress } from '../../config/proxyAddress.ts';
import type { TunnelTrouble } from '../proxies/tunnel.ts';
import { causeOf, networkFailure } from './networkFailure.ts';
import { tlsWords } from './tlsSentences.ts';

/** Whose failure it is: the proxy, and the endpoint that was to be asked through it. */
export interface ProxySource {
  readonly proxy: ProxyAddress;
  readonly endpoint: string;
  /** `host:port` of the target. */
  readonly target: string;
}

const refusals: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'refused the connection'],
  ['ENOTFOUND', 'has no address: its host name was not found'],
  ['EAI_NONAME', 'has no address: its host name was not found'],
  ['EAI_NODATA', 'has no address: its host name has none'],
  ['EAI_AGAIN', 'has no address for now: the name server gave no answer'],
  ['EAI_FAIL', 'has no address for now: the name server failed'],
  ['ECONNRESET', 'closed the connection'],
]);

/** No connection to the proxy could be made. A shortage of this machine stays one. */
export function proxyUnreachable(error: unknown, source: ProxySource): WaybillError {
  const { code, cause } = causeOf(error);
  const plain = networkFailure(error, source.endpoint, 'connecting');
  if (plain.failureClass === 'local' || plain.failureClass === 'cancelled') return plain;
  const tls = tlsWords(code, cause);
  if (tls !== undefined) {
    const says = tls.code === 'not-tls' ? 'does not speak TLS' : tls.code === 'certificate' ? 'showed a certificate that is not trusted' : 'broke off while the connection to it was being encrypted';
    return failure('proxy-unreachable', source, says, `check whether its address in ${source.proxy.writtenIn} begins with http:// or https://, and make its authority known with NODE_EXTRA_CA_CERTS`, error);
  }
  return failure('proxy-unreachable', source, refusals.get(code) ?? 'cannot be reached from this machine', `check that it runs, and its address in ${source.proxy.writtenIn}`, error);
}

/** The proxy was reached, and did not connect to the target. */
export function tunnelFailure(trouble: TunnelTrouble, source: ProxySource): WaybillError {
  const { proxy, target } = source;
  switch (trouble.kind) {
    case 'status':
      return proxyAnswered(source, trouble.status, trouble.challenge);
    case 'socks-login': return proxyWantsLogin(source, '');
    case 'socks-refused': return failure('proxy-refused', source, `did not connect to ${target} (${trouble.says})`, 'ask those who run it to allow this host, or except it in NO_PROXY');
    case 'broken': return failure('proxy-broken', source, `gave no usable answer when it was asked for ${target}`, `check the kind and the port of its address in ${proxy.writtenIn}`, trouble.cause);
  }
}

/**
 * The proxy itself answered with a status that is no good one. From 500 on it says that it tried: squid and tinyproxy answer
 * so where they cannot reach a target. 401 is what tinyproxy 1.11 answers to a wrong password.
 * @param challenge its Proxy-Authenticate
 */
export function proxyAnswered(source: ProxySource, status: number, challenge: string): WaybillError {
  const { endpoint, target } = source;
  if (status === 407 || status === 401) return proxyWantsLogin(source, challenge, status);
  return status >= 500
    ? failure('proxy-refused', source, `could not connect to ${target} (${status})`, `check the base URL of ${endpoint}; if it is right, the host is down or the proxy has no way to it`)
    : failure('proxy-refused', source, `did not connect to ${target} (${status})`, 'ask those who run it to allow this host, or except it in NO_PROXY');
}

/** How proxies that were tried name themselves in answers of their own; they pass on the `Server` of a target as it is. */
const ownServer = /^(?:squid|tinyproxy|privoxy)\b/i;

/** Whether a proxy that forwards requests answered one itself. Source: RFC 9209 (Proxy-Status); answers of squid 5.7 and tinyproxy 1.11. */
export function isOfProxyItself(headers: ResponseHeaders): boolean {
  return headers['x-squid-error'] !== undefined || ownServer.test(String(headers.server ?? '')) || /;\s*error=/.test(String(headers['proxy-status'] ?? ''));
}

/** The proxy wants user name and password. @param challenge the kinds of login it offers, by their names */
function proxyWantsLogin(source: ProxySource, challenge: string, status = 407): WaybillError {
  const { proxy } = source;
  const known = /^$|\bbasic\b/i.test(challenge) || proxy.authorization !== undefined;
  if (!known) {
    const kinds = [...challenge.matchAll(/\b(negotiate|ntlm|digest|bearer|kerberos)\b/gi)].map(([kind]) => kind).join(', ');
    return failure('proxy-login', source, `wants a login of a kind that Waybill does not have (${status}${kinds === '' ? '' : `: ${kinds}`})`, 'run a local proxy that logs in there, and use its address');
  }
  return proxy.authorization === undefined
    ? failure('proxy-login', source, `wants a user name and a password (${status})`, `write them into its address in ${proxy.writtenIn}, as in ${proxy.scheme}://user:password@host:port`)
    : failure('proxy-login', source, `rejected the user name or the password (${status})`, `correct them in ${proxy.writtenIn}`);
}

/** The proxy did not answer in time. */
export function proxyTooSlow(source: ProxySource, timeoutMs: number): WaybillError {
  return failure('proxy-timeout', source, `did not answer within ${Math.round(timeoutMs)} ms`, `check that it runs, and its address in ${source.proxy.writtenIn}`);
}

function failure(code: 'proxy-unreachable' | 'proxy-login' | 'proxy-refused' | 'proxy-broken' | 'proxy-timeout', { proxy, endpoint }: ProxySource, says: string, advice: string, cause?: unknown): WaybillError {
  return new WaybillError(code, 'network', `The proxy ${proxy.label} ${says}, so ${endpoint} was not asked.`, { advice, cause, ...(cause === undefined ? {} : { detail: causeOf(cause).code }) });
}
