import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { bedrock } from '../../../server/catalog/bedrock.ts';
import { chatUrl, isConverse, modelsAddress, moreModelsAddress, probeAddress } from '../../../server/catalog/paths.ts';
import { addressOf } from '../../../server/config/address.ts';

function address(settings: Partial<EndpointSettings>): ReturnType<typeof addressOf> {
  return addressOf({ provider: 'bedrock', ...settings }, bedrock, 'anthropic-messages');
}

describe('the address of an endpoint at Amazon Bedrock', () => {
  const variables = ['AWS_REGION', 'AWS_DEFAULT_REGION'];
  const kept = variables.map(name => process.env[name]);
  const forget = (): void => variables.forEach(name => Reflect.deleteProperty(process.env, name));
  before(forget);
  after(() => variables.forEach((name, index) => {
    if (kept[index] !== undefined) process.env[name] = kept[index];
  }));

  it('is where AWS\'s own tools go, unless the settings say it', () => {
    process.env.AWS_DEFAULT_REGION = 'eu-north-1';
    assert.equal('awsRegion' in address({}) && (address({}) as { awsRegion?: string }).awsRegion, 'eu-north-1');
    process.env.AWS_REGION = 'eu-west-3';
    assert.deepEqual(address({}), { baseUrl: 'https://bedrock-runtime.eu-west-3.amazonaws.com', awsRegion: 'eu-west-3' });
    assert.deepEqual(address({ region: 'us-west-2' }), { baseUrl: 'https://bedrock-runtime.us-west-2.amazonaws.com', awsRegion: 'us-west-2' });
    process.env.AWS_REGION = 'x.evil.example/';
    process.env.AWS_DEFAULT_REGION = '';
    assert.deepEqual(address({}), { baseUrl: 'https://bedrock-runtime.us-east-1.amazonaws.com', awsRegion: 'us-east-1' });
    forget();
  });

  it('is the host of its region', () => {
    assert.deepEqual(address({}), { baseUrl: 'https://bedrock-runtime.us-east-1.amazonaws.com', awsRegion: 'us-east-1' });
    assert.deepEqual(address({ region: 'eu-central-2', profile: 'my work' }), { baseUrl: 'https://bedrock-runtime.eu-central-2.amazonaws.com', awsRegion: 'eu-central-2', profile: 'my work' });
    assert.deepEqual(address({ region: 'us-gov-west-1' }), { baseUrl: 'https://bedrock-runtime.us-gov-west-1.amazonaws.com', awsRegion: 'us-gov-west-1' });
    assert.deepEqual(address({ region: 'cn-north-1' }), { baseUrl: 'https://bedrock-runtime.cn-north-1.amazonaws.com.cn', awsRegion: 'cn-north-1' });
  });

  it('may be another host of AWS, which says the region, or a private one', () => {
    for (const baseUrl of ['https://bedrock-runtime-fips.us-west-2.amazonaws.com', 'https://vpce-0abc-1.bedrock-runtime.us-west-2.vpce.amazonaws.com', 'https://bedrock-runtime.us-west-2.api.aws']) {
      assert.deepEqual(address({ baseUrl }), { baseUrl, awsRegion: 'us-west-2' });
    }
    assert.deepEqual(address({ baseUrl: 'http://127.0.0.1:4566', region: 'eu-west-1' }), { baseUrl: 'http://127.0.0.1:4566', awsRegion: 'eu-west-1' });
  });

  it('is no server of others, and no host of another region', () => {
    for (const baseUrl of ['https://relay.example.com', 'https://amazonaws.com.example.com', 'https://us-east-1.amazonaws.com.evil.example', 'https://bedrock-runtime.us-east-1.amazonaws.com.evil.example', 'https://xus-east-1amazonaws.com', 'http://bedrock-runtime.us-east-1.amazonaws.com']) {
      assert.ok('problem' in address({ baseUrl }), baseUrl);
    }
    assert.deepEqual(address({ baseUrl: 'https://bedrock-runtime.us-east-1.amazonaws.com', region: 'eu-west-1' }), { field: 'baseUrl', problem: '"baseUrl" is in us-east-1 and "region" says eu-west-1; write the same region in both.' });
    for (const region of ['mars', 'us-east-1.evil.example', 'us-east-1/x', 'us-east-1@x']) assert.ok('problem' in address({ region }), region);
    for (const profile of [' x', 'a]b', 'a\nb']) assert.ok('problem' in address({ profile }), profile);
  });

  it('has its calls by model, and its lists beside them', () => {
    const endpoint = { provider: bedrock, protocol: 'anthropic-messages', baseUrl: 'https://bedrock-runtime.eu-west-1.amazonaws.com' } as const;
    const id = 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0';
    assert.equal(chatUrl(endpoint, id, false), `${endpoint.baseUrl}/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke`);
    assert.equal(chatUrl(endpoint, id, true), `${endpoint.baseUrl}/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke-with-response-stream`);
    assert.equal(chatUrl(endpoint, 'arn:aws:bedrock:eu-west-1:1:application-inference-profile/a', true, true), `${endpoint.baseUrl}/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Aapplication-inference-profile%2Fa/converse-stream`);
    assert.deepEqual([isConverse(endpoint, 'claude-sonnet-4.5', 'arn:aws:bedrock:eu-west-1:1:application-inference-profile/a'), isConverse(endpoint, id, id), isConverse(endpoint, 'nova-pro', 'amazon.nova-pro-v1:0')], [false, false, true]);
    assert.equal(probeAddress(endpoint).url, 'https://bedrock.eu-west-1.amazonaws.com/foundation-models?byOutputModality=TEXT');
    assert.equal(modelsAddress(endpoint)?.url, probeAddress(endpoint).url);
    assert.equal(moreModelsAddress(endpoint)?.url, 'https://bedrock.eu-west-1.amazonaws.com/inference-profiles?maxResults=1000');
  });
});
