import { createHash, createHmac } from 'node:crypto';

/** An access key that the simulated AWS knows. */
export interface KnownAccessKey { secret: string; token?: string | undefined; ended?: boolean | undefined }

export interface SignedRequest {
  method: string;
  /** Path and query as they came. */
  url: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
}

export interface AwsRefusal { status: number; type: string; message: string }

/**
 * Verifies a signature of version 4, written from AWS's description of the algorithm ("Create a signed AWS API request") and from
 * no library. Path segments are encoded once more, as for every service but S3.
 */
export function refusalOf({ method, url, headers, body }: SignedRequest, keys: ReadonlyMap<string, KnownAccessKey>, place: { region: string; service: string }, now: number): AwsRefusal | undefined {
  const header = (name: string): string => String(headers[name] ?? '');
  const match = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(header('authorization'));
  if (match === null) return { status: 403, type: 'IncompleteSignatureException', message: 'Authorization header requires \'Credential\' parameter.' };
  const [, id = '', day = '', region = '', service = '', signedNames = '', signature = ''] = match;
  const key = keys.get(id);
  if (key === undefined) return { status: 403, type: 'UnrecognizedClientException', message: 'The security token included in the request is invalid.' };
  if (key.ended === true) return { status: 403, type: 'ExpiredTokenException', message: 'The security token included in the request is expired' };
  if (header('x-amz-security-token') !== (key.token ?? '')) return { status: 403, type: 'UnrecognizedClientException', message: 'The security token included in the request is invalid.' };
  const wrong = (message: string): AwsRefusal => ({ status: 403, type: 'InvalidSignatureException', message });
  if (region !== place.region || service !== place.service) return wrong(`Credential should be scoped to a valid region, not '${region}'.`);
  const names = signedNames.split(';');
  for (const needed of ['host', 'x-amz-date', ...(key.token === undefined ? [] : ['x-amz-security-token'])]) {
    if (!names.includes(needed)) return wrong(`'${needed}' must be a 'SignedHeader' in the AWS Authorization.`);
  }
  const stamp = header('x-amz-date');
  const at = Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (Number.isNaN(at) || !stamp.startsWith(day)) return wrong('Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.');
  if (Math.abs(at - now) > 5 * 60_000) return wrong(`Signature ${at < now ? 'expired' : 'not yet current'}: ${stamp} is not near ${new Date(now).toISOString()}.`);
  const sent = header('x-amz-content-sha256');
  const digest = sha256(body);
  if (sent !== '' && sent !== digest) return wrong('The provided \'x-amz-content-sha256\' header does not match what was computed.');
  const [path = '', query = ''] = url.split('?');
  const canonical = [
    method, path.split('/').map(encoded).join('/'),
    query === '' ? '' : query.split('&').map(pair => pair.split('=').map(part => encoded(decodeURIComponent(part.replaceAll('+', ' ')))).join('=')).toSorted().join('&'),
    ...names.map(name => `${name}:${header(name).trim().replace(/ +/g, ' ')}`), '', signedNames, digest,
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', stamp, `${day}/${region}/${service}/aws4_request`, sha256(Buffer.from(canonical))].join('\n');
  const hmac = (by: string | Buffer, text: string): Buffer => createHmac('sha256', by).update(text).digest();
  const signing = hmac(hmac(hmac(hmac(`AWS4${key.secret}`, day), region), service), 'aws4_request');
  if (createHmac('sha256', signing).update(toSign).digest('hex') === signature) return undefined;
  // The real one repeats all that was signed, a session token among it.
  return wrong(`The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'${canonical}'`);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
