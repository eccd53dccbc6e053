import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signAws } from '../../../../server/upstream/aws/signing.ts';
import { refusalOf } from '../../../integration/support/bedrock/signature.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const at = new Date('2026-11-27T10:00:00Z');

async function verdict(url: string, body: string, changed: (headers: Record<string, string>) => void = () => undefined, sessionToken?: string): Promise<string | undefined> {
  const { host, pathname, search } = new URL(url);
  const headers: Record<string, string> = { host, 'content-type': 'application/json' };
  Object.assign(headers, await signAws({ method: 'POST', url, contentType: 'application/json', body: [Buffer.from(body.slice(0, 3)), Buffer.from(body.slice(3))] }, { ...credentials, sessionToken }, { region: 'eu-west-1', service: 'bedrock' }, at));
  changed(headers);
  return refusalOf({ method: 'POST', url: pathname + search, headers, body: Buffer.from(body) }, new Map([[credentials.accessKeyId, { secret: credentials.secretAccessKey, token: sessionToken }]]), { region: 'eu-west-1', service: 'bedrock' }, at.getTime())?.type;
}

describe('a signature', () => {
  for (const url of [
    'https://bedrock-runtime.eu-west-1.amazonaws.com/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke',
    'https://bedrock-runtime.eu-west-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fabc/converse-stream',
    'https://bedrock.eu-west-1.amazonaws.com/foundation-models?byOutputModality=TEXT',
    'http://127.0.0.1:8080/model/a%20b%28c%29/converse',
  ]) it(`is the one that a second implementation computes: ${url}`, async () => {
    assert.equal(await verdict(url, '{"messages":[]}'), undefined);
    assert.equal(await verdict(url, '{"messages":["é"]}', () => undefined, 'token+/='), undefined);
  });

  it('covers the body, the date and the session token', async () => {
    const url = 'https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/invoke';
    assert.equal(await verdict(url, '{}', headers => { headers['x-amz-content-sha256'] = '0'.repeat(64); }), 'InvalidSignatureException');
    assert.equal(await verdict(url, '{}', headers => { headers['x-amz-date'] = '20261127T100100Z'; }), 'InvalidSignatureException');
    assert.equal(await verdict(url, '{}', headers => { headers['x-amz-security-token'] = 'other'; }, 'token'), 'UnrecognizedClientException');
  });
});

describe('the second implementation', () => {
  it('agrees with the published test suite', () => {
    // AWS's "Signature Version 4 test suite": get-vanilla.
    const signed = {
      method: 'GET', url: '/', body: Buffer.alloc(0),
      headers: {
        host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z',
        authorization: 'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
      },
    };
    const keys = new Map([['AKIDEXAMPLE', { secret: credentials.secretAccessKey }]]);
    assert.equal(refusalOf(signed, keys, { region: 'us-east-1', service: 'service' }, Date.parse('2015-08-30T12:36:00Z')), undefined);
    assert.equal(refusalOf({ ...signed, url: '/other' }, keys, { region: 'us-east-1', service: 'service' }, Date.parse('2015-08-30T12:36:00Z'))?.type, 'InvalidSignatureException');
  });
});
