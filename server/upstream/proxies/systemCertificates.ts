import tls, { type SecureContext } from 'node:tls';

/** Verdicts that another authority may turn round. Source: OpenSSL's X509_V_ERR_* as Node names them. */
const unknownIssuer: ReadonlySet<unknown> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

/** Absent from Node before 22.15. */
const getCertificates = (tls as { getCACertificates?: typeof tls.getCACertificates }).getCACertificates;

/**
 * The certificate authorities of the system, as an addition to those that Node trusts by itself. Reading them takes long
 * on some systems, so they are read when a certificate with an unknown issuer is met for the first time.
 */
export class SystemCertificates {
  readonly #read: (() => readonly string[]) | undefined;
  #isRead = false;
  #context: SecureContext | undefined;

  /** @param read replaces the system's store; for tests */
  constructor(read: (() => readonly string[]) | undefined = readAll) {
    this.#read = read;
  }

  /** Node's authorities and the system's; undefined as long as they were not needed. */
  get context(): SecureContext | undefined {
    return this.#context;
  }

  /**
   * Reads the system's store after a handshake that failed for an unknown issuer.
   * @param used what that handshake trusted
   * @returns whether another handshake may go better
   */
  mayHelp(error: unknown, used: SecureContext | undefined): boolean {
    if (!unknownIssuer.has((error as { code?: unknown }).code)) return false;
    if (!this.#isRead) {
      this.#isRead = true;
      this.#context = this.#open();
    }
    return this.#context !== undefined && this.#context !== used;
  }

  #open(): SecureContext | undefined {
    try {
      const ca = this.#read?.();
      return ca === undefined ? undefined : tls.createSecureContext({ ca: [...ca] });
    } catch {
      // A store that cannot be read adds nothing; the handshake has failed with its own reason.
      return undefined;
    }
  }
}

const readAll = getCertificates === undefined ? undefined
  : (): readonly string[] => [...new Set([...getCertificates('default'), ...getCertificates('system')])];
