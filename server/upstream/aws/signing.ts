import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredentials, Unsigned } from './aws.ts';

/** SHA-256 of Node, as AWS's library wants it; with a secret, HMAC. */
class Sha256 {
  #hash: { update(data: Uint8Array): unknown; digest(): Buffer };

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  /** Each of the library's hashes is used once. */
  reset(): void {
    this.#hash = createHash('sha256');
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  return ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data);
}

/**
 * Signs host, content type, date, digest of the body and session token; every other header may be changed on the way.
 * @returns the headers that are added to the request
 */
export async function signAws({ method, url, contentType, body }: Unsigned, { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials, { region, service }: { region: string; service: string }, at: Date): Promise<Record<string, string>> {
  const { protocol, hostname, port, pathname, host, searchParams } = new URL(url);
  const digest = createHash('sha256');
  for (const piece of body) digest.update(piece);
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    region, service, sha256: Sha256, applyChecksum: false,
  });
  const signed = await signer.sign({
    method, protocol, hostname, ...(port === '' ? {} : { port: Number(port) }), path: pathname, query: Object.fromEntries(searchParams),
    headers: { host, ...(contentType === undefined ? {} : { 'content-type': contentType }), 'x-amz-content-sha256': digest.digest('hex') },
  }, { signingDate: at });
  const { host: _host, 'content-type': _contentType, ...added } = signed.headers;
  return added;
}
