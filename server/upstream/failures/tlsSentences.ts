import type { FailureClass } from '../../api/failure.ts';
import type { FailureCode } from '../../base/failureCodes.ts';

/** A failure; `says` is the rest of a sentence that begins with the endpoint's name, `advice` what the user can do. */
export interface FailureWords { code: FailureCode; failureClass: FailureClass; says: string; advice?: string | undefined }

const certificate = (says: string): FailureWords => ({ code: 'certificate', failureClass: 'network', says: `showed a TLS certificate that ${says}` });
const failed = (says: string, advice?: string): FailureWords => ({ code: 'tls-failed', failureClass: 'network', says, advice });

const untrusted = certificate('is not trusted. Check the base URL, or a proxy that inspects traffic.');
const unknownIssuer = certificate('is not trusted: this machine does not know who issued it. Check the base URL, or make the authority known with NODE_EXTRA_CA_CERTS.');
const selfSigned = certificate('is not trusted: it is self-signed. Make it known with NODE_EXTRA_CA_CERTS, or check the base URL and a proxy that inspects traffic.');
const otherHost = certificate('belongs to another host. Check the base URL.');

/** Verdicts on certificates. Source: OpenSSL's X509_V_ERR_* as Node names them, and Node's own ERR_TLS_*. */
const certificates: ReadonlyMap<string, FailureWords> = new Map([
  ['CERT_HAS_EXPIRED', certificate('has expired. Check the clock of this machine; else only the owner of the server can renew it.')],
  ['CERT_NOT_YET_VALID', certificate('is not valid yet. Check the clock of this machine.')],
  ['CERT_REVOKED', certificate('was revoked. Check the base URL.')],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', selfSigned],
  ['SELF_SIGNED_CERT_IN_CHAIN', unknownIssuer],
  ['UNABLE_TO_GET_ISSUER_CERT', unknownIssuer],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', unknownIssuer],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', unknownIssuer],
  ['HOSTNAME_MISMATCH', otherHost],
  ['ERR_TLS_CERT_ALTNAME_INVALID', otherHost],
  ['ERR_TLS_CERT_ALTNAME_FORMAT', otherHost],
  ['ERR_SSL_CERTIFICATE_VERIFY_FAILED', untrusted],
]);
const otherVerdict = /^(?:CERT_|CRL_|UNABLE_TO_|ERROR_IN_CERT|ERROR_IN_CRL|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$)/;

const notTls: FailureWords = { code: 'not-tls', failureClass: 'network', says: 'does not speak TLS there.', advice: 'if it serves plain HTTP, write http:// in its base URL, else check the port' };
/** A server without TLS that speaks no HTTP/1.1. HTTP/2 is agreed on during the TLS handshake only. */
export const http2Only: FailureWords = { code: 'http2-only', failureClass: 'network', says: 'speaks HTTP/2 only.', advice: 'set the base URL to an address with https://, or to one that serves HTTP/1.1' };

const noApplicationProtocol = /NO_APPLICATION_PROTOCOL/;

/** Failures of the handshake, first match first. Source: reasons of OpenSSL and BoringSSL, as Node writes them: `ERR_SSL_` and the reason. */
const handshakes: readonly (readonly [RegExp, FailureWords])[] = [
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_(?:LENGTH|OVERFLOW|TOO)|HTTP_REQUEST|HTTPS_PROXY_REQUEST|UNKNOWN_PROTOCOL|RECORD_LAYER_FAILURE|INVALID_RECORD/, notTls],
  [noApplicationProtocol, failed('and this machine agree on no version of HTTP: it takes neither HTTP/1.1 nor HTTP/2. Check the base URL, or a proxy that inspects traffic.')],
  [/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_(?:LOW|HIGH)|NO_PROTOCOLS_AVAILABLE|UNSUPPORTED_SSL_VERSION|INAPPROPRIATE_FALLBACK/, failed('speaks no version of TLS that is still safe.', 'it needs TLS 1.2 or newer')],
  [/UNRECOGNIZED_NAME|ALERT_UNRECOGNIZED/, failed('serves no host of that name. Check the base URL.')],
  [/ALERT_(?:CERTIFICATE|BAD_CERTIFICATE|NO_CERTIFICATE|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)|CERTIFICATE_REQUIRED|CERTIFICATE_UNKNOWN/, failed('wants a certificate from its callers, which Waybill has none of. Set the base URL to an address that does not.')],
  [/CA_MD_TOO_WEAK|EE_KEY_TOO_SMALL|CA_KEY_TOO_SMALL/, certificate('is too weak to be trusted. Only the owner of the server can replace it.')],
  [/DH_KEY_TOO_SMALL|NO_SHARED_CIPHER|NO_CIPHERS|HANDSHAKE_FAILURE|ILLEGAL_PARAMETER|INSUFFICIENT_SECURITY|LEGACY_(?:SIGALG|RENEGOTIATION)/, failed('and this machine agree on no safe way to encrypt. Check the base URL, or a proxy that inspects traffic.')],
];
const otherHandshake = failed('broke off while the connection was being encrypted. Check the base URL, or a proxy that inspects traffic.');

/** Whether the server ended the handshake because it takes none of the versions of HTTP that it was offered. Source: RFC 7301, section 3.2. */
export function refusesOfferedHttp(code: string, error: unknown): boolean {
  return noApplicationProtocol.test(code === 'EPROTO' ? reasonIn(error) : code);
}

/** The failure behind a TLS error; undefined for a code of something else. @param error its message names the reason where the code is only EPROTO */
export function tlsWords(code: string, error: unknown): FailureWords | undefined {
  const verdict = certificates.get(code) ?? (code.includes('SELF_SIGNED') ? selfSigned : otherVerdict.test(code) ? untrusted : undefined);
  if (verdict !== undefined) return verdict;
  if (code !== 'EPROTO' && !code.startsWith('ERR_SSL_') && !code.startsWith('ERR_TLS_') && !code.startsWith('ERR_OSSL_')) return undefined;
  const reason = code === 'EPROTO' ? reasonIn(error) : code;
  return handshakes.find(([pattern]) => pattern.test(reason))?.[1] ?? otherHandshake;
}

/** OpenSSL's lines end with the reason: `error:0A00010B:SSL routines:ssl3_get_record:wrong version number:…`. */
function reasonIn(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 500).toUpperCase().replaceAll(' ', '_') : '';
}
