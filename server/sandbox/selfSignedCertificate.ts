import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A certificate with its private key; both PEM. */
export interface SelfSignedCertificate { key: string; cert: string }

const ecdsaWithSha256 = Buffer.from('06082a8648ce3d040302', 'hex');
const commonNameOid = Buffer.from('0603550403', 'hex');
const dayMs = 86_400_000;

/**
 * Makes a fresh self-signed certificate (X.509 v1, P-256), so that the repository holds none. Every client that
 * verifies certificates refuses it.
 * @param validFromMs, validUntilMs milliseconds since the epoch; default: yesterday and tomorrow. Give a past range for an expired one.
 */
export function selfSignedCertificate(name = 'localhost', validFromMs = Date.now() - dayMs, validUntilMs = Date.now() + dayMs): SelfSignedCertificate {
  return certificate(name, undefined, validFromMs, validUntilMs);
}

/** Makes a certificate for a host that an authority has signed, which may be self-signed itself: what a proxy shows that inspects TLS. */
export function certificateSignedBy(authority: { readonly name: string; readonly key: string }, name: string): SelfSignedCertificate {
  return certificate(name, authority, Date.now() - dayMs, Date.now() + dayMs);
}

function certificate(name: string, authority: { readonly name: string; readonly key: string } | undefined, validFromMs: number, validUntilMs: number): SelfSignedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(ecdsaWithSha256);
  // A positive number, and another one for each certificate of one authority.
  const serialNumber = element(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)]));
  const validity = sequence(time(validFromMs), time(validUntilMs));
  const toBeSigned = sequence(serialNumber, algorithm, distinguishedName(authority?.name ?? name), validity, distinguishedName(name), publicKey.export({ type: 'spki', format: 'der' }));
  const signature = sign('sha256', toBeSigned, authority?.key ?? privateKey);
  const signed = sequence(toBeSigned, algorithm, element(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = signed.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
  };
}

function distinguishedName(name: string): Buffer {
  return sequence(element(0x31, sequence(commonNameOid, element(0x0c, Buffer.from(name)))));
}

/** One DER element: tag, length, content (X.690 section 8.1). */
function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const lengthBytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

/** UTCTime, which is what X.509 uses until 2049. */
function time(ms: number): Buffer {
  return element(0x17, Buffer.from(`${new Date(ms).toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`));
}
