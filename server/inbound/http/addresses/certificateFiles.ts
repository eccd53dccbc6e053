import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Log } from '../../../base/log.ts';

/** A certificate with its chain, and the private key; both PEM. */
export interface Certificate { readonly cert: Buffer; readonly key: Buffer }

interface Files { readonly certFile: string; readonly keyFile: string }

/** A certificate that is read from files again when they have another content, also behind a link that leads elsewhere now. */
export class CertificateFiles {
  readonly #files: Files;
  readonly #log: Pick<Log, 'info' | 'error'>;
  #current: Certificate;
  /** What was found wrong last, so that it is logged once. */
  #trouble: string | undefined;

  /** @throws an Error in one sentence when the files cannot be used */
  constructor(files: Files, log: Pick<Log, 'info' | 'error'>) {
    this.#files = files;
    this.#log = log;
    this.#current = readPair(files);
  }

  get current(): Certificate {
    return this.#current;
  }

  /** Reads the files again. @returns the pair, where it is another one and can be used; otherwise the one from before stays */
  renewed(): Certificate | undefined {
    try {
      const pair = readPair(this.#files);
      this.#trouble = undefined;
      if (pair.cert.equals(this.#current.cert) && pair.key.equals(this.#current.key)) return undefined;
      this.#current = pair;
      this.#log.info(`the certificate in ${this.#files.certFile} is in use now.`);
      return pair;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#trouble) this.#log.error(`${message} The certificate from before stays in use.`);
      this.#trouble = message;
      return undefined;
    }
  }
}

function readPair({ certFile, keyFile }: Files): Certificate {
  const [cert, key] = [read(certFile, 'certificate'), read(keyFile, 'private key')];
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw new Error(`The certificate in ${certFile} and the private key in ${keyFile} cannot be used (${(error as Error).message}): give PEM files that belong together.`, { cause: error });
  }
  return { cert, key };
}

function read(file: string, what: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`The ${what} ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? ''}): check the path and who may read it.`, { cause: error });
  }
}
