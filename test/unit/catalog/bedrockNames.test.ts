import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBedrockId, presumedBedrockId } from '../../../server/catalog/bedrockNames.ts';
import { canonicalModelName, listedNames, upstreamModelName } from '../../../server/catalog/modelNames.ts';
import { bedrock } from '../../../server/catalog/bedrock.ts';

const names: readonly (readonly [string, string])[] = [
  ['anthropic.claude-sonnet-4-5-20250929-v1:0', 'claude-sonnet-4.5'],
  ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'claude-sonnet-4.5'],
  ['global.anthropic.claude-opus-4-6-v1', 'claude-opus-4.6'],
  ['eu.anthropic.claude-sonnet-4-6', 'claude-sonnet-4.6'],
  ['us-gov.anthropic.claude-3-haiku-20240307-v1:0:48k', 'claude-3-haiku'],
  ['amazon.nova-pro-v1:0', 'nova-pro'],
  ['us.amazon.nova-2-lite-v1:0', 'nova-2-lite'],
  ['openai.gpt-oss-120b-1:0', 'gpt-oss-120b'],
  ['us.meta.llama3-3-70b-instruct-v1:0', 'llama-3.3-70b-instruct'],
  ['deepseek.r1-v1:0', 'deepseek-r1'],
  ['deepseek.v3-v1:0', 'deepseek-v3'],
  ['qwen.qwen3-coder-480b-a35b-v1:0', 'qwen3-coder-480b-a35b'],
  ['mistral.mistral-large-2402-v1:0', 'mistral-large-2402'],
  ['arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-4-6-v1', 'claude-opus-4.6'],
];

describe('an id of Amazon Bedrock', () => {
  for (const [id, canonical] of names) it(`${id} is ${canonical}`, () => {
    assert.equal(canonicalModelName(id), canonical);
    assert.equal(canonicalModelName(canonical), canonical);
    assert.equal(isBedrockId(id), true);
  });

  for (const name of ['claude-sonnet-4.5', 'gpt-5.6-sol', 'openai/gpt-4.1', 'gemini-2.5-flash', 'us.example', 'meta-llama/llama-3.3-70b', 'amazon.', 'x.ai.grok']) it(`${name} is none`, () => {
    assert.equal(isBedrockId(name), false);
  });

  it('is presumed where none is listed, in the part of the world of the region', () => {
    assert.deepEqual(['us-east-1', 'eu-west-1', 'ap-northeast-1', 'ap-southeast-2', 'ap-south-1', 'us-gov-west-1'].map(region => presumedBedrockId('claude-opus-4.6', region).split('.')[0]), ['us', 'eu', 'jp', 'au', 'apac', 'us-gov']);
    for (const model of ['claude-opus-4.6', 'claude-sonnet-4.5', 'claude-sonnet-4.6', 'claude-opus-4.7']) assert.equal(canonicalModelName(presumedBedrockId(model, 'eu-west-1')), model);
    assert.equal(presumedBedrockId('claude-opus-4.7', 'eu-west-1'), 'eu.anthropic.claude-opus-4-7');
    assert.equal(presumedBedrockId('nova-pro', 'eu-west-1'), 'nova-pro');
  });

  it('of the newest date is asked where several are listed, and the profile of a part of the world before the worldwide one', () => {
    const listed = listedNames(['us.anthropic.claude-sonnet-4-20250514-v1:0', 'us.anthropic.claude-3-5-sonnet-20240620-v1:0', 'us.anthropic.claude-3-5-sonnet-20241022-v2:0', 'us.anthropic.claude-opus-4-6-v1', 'global.anthropic.claude-opus-4-6-v1']);
    assert.equal(upstreamModelName('claude-3.5-sonnet', bedrock, listed), 'us.anthropic.claude-3-5-sonnet-20241022-v2:0');
    assert.equal(upstreamModelName('claude-opus-4.6', bedrock, listed), 'us.anthropic.claude-opus-4-6-v1');
  });
});
