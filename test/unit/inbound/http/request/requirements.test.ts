import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scanObject } from '../../../../../server/base/objectScan.ts';
import { mediaTypes, readRequestFacts, type RequestFacts } from '../../../../../server/inbound/http/request/requirements.ts';

function facts(body: unknown, protocol: 'openai-chat' | 'anthropic-messages' | 'gemini' = 'openai-chat', space?: number): RequestFacts | undefined {
  const bytes = Buffer.from(JSON.stringify(body, undefined, space));
  const scan = scanObject(bytes, mediaTypes);
  assert.ok(scan !== undefined);
  return readRequestFacts(protocol, bytes, scan, protocol === 'gemini' ? { model: 'm' } : {});
}

const messages = [{ role: 'user', content: 'hi' }];

describe('what a request needs', () => {
  it('is unknown without a model', () => {
    for (const model of [undefined, '', 7, null, {}]) assert.equal(facts({ model, messages }), undefined);
  });

  it('counts the answers that are asked for at once', () => {
    const answers = (body: object, protocol?: 'anthropic-messages' | 'gemini'): number | undefined => facts({ model: 'm', ...body }, protocol)?.requirements.answers;
    assert.deepEqual([{ n: 3 }, { n: 2, best_of: 5 }, { best_of: 4 }].map(body => answers(body)), [3, 5, 4]);
    for (const body of [{}, { n: 1 }, { n: null }, { n: '7' }, { n: 2.5 }, { n: -3 }]) assert.equal(answers(body), undefined, JSON.stringify(body));
    assert.equal(answers({ n: 1e9 }), 10_000);
    assert.deepEqual([answers({ generationConfig: { candidateCount: 4 } }, 'gemini'), answers({ generationConfig: { candidate_count: 2 } }, 'gemini'), answers({ n: 5 }, 'anthropic-messages')], [4, 2, undefined]);
  });

  it('is a stream only when it says true', () => {
    assert.equal(facts({ model: 'm', stream: true })?.stream, true);
    for (const stream of [false, null, 'true', 1]) assert.equal(facts({ model: 'm', stream })?.stream, false);
    assert.equal(facts({ model: 'm', stream: true, stream_options: { include_usage: true } })?.includeUsage, true);
    assert.equal(facts({ model: 'm', stream: true, stream_options: {} })?.includeUsage, false);
  });

  for (const space of [undefined, 1]) it(`is found in ${space === undefined ? 'compact' : 'spaced'} JSON: tools, images, documents`, () => {
    assert.equal(facts({ model: 'm', tools: [{ type: 'function' }] }, 'openai-chat', space)?.requirements.tools, true);
    assert.equal(facts({ model: 'm', tools: [] }, 'openai-chat', space)?.requirements.tools, false);
    assert.equal(facts({ model: 'm', tools: null }, 'openai-chat', space)?.requirements.tools, false);
    assert.equal(facts({ model: 'm', messages: [{ content: [{ type: 'image_url', image_url: { url: 'data:…' } }] }] }, 'openai-chat', space)?.requirements.images, true);
    assert.equal(facts({ model: 'm', messages: [{ content: [{ type: 'image', source: {} }] }] }, 'anthropic-messages', space)?.requirements.images, true);
    assert.equal(facts({ model: 'm', messages: [{ content: [{ type: 'document', source: {} }] }] }, 'anthropic-messages', space)?.requirements.documents, true);
    assert.deepEqual([facts({ model: 'm', messages }, 'openai-chat', space)?.requirements.images, facts({ model: 'm', messages }, 'openai-chat', space)?.requirements.documents], [false, false]);
  });

  it('is not mistaken when people only talk about images', () => {
    assert.equal(facts({ model: 'm', messages: [{ role: 'user', content: 'write {"type":"image_url"} for me' }] })?.requirements.images, false);
  });

  it('is a JSON schema where the protocol asks for one', () => {
    assert.equal(facts({ model: 'm', response_format: { type: 'json_schema', json_schema: {} } })?.requirements.jsonSchema, true);
    assert.equal(facts({ model: 'm', response_format: { type: 'json_object' } })?.requirements.jsonSchema, false);
    assert.equal(facts({ model: 'm', output_config: { format: { type: 'json_schema', schema: {} } } }, 'anthropic-messages')?.requirements.jsonSchema, true);
    assert.equal(facts({ model: 'm', output_config: { effort: 'high' } }, 'anthropic-messages')?.requirements.jsonSchema, false);
  });

  it('has room for its output limit, under either name', () => {
    assert.equal(facts({ model: 'm', max_tokens: 5 })?.requirements.maxOutputTokens, 5);
    assert.equal(facts({ model: 'm', max_completion_tokens: 7 })?.requirements.maxOutputTokens, 7);
    assert.equal(facts({ model: 'm' })?.requirements.maxOutputTokens, undefined);
    for (const odd of [-1e300, -1, 0, 1.5, 1e300, '5', true, [], {}]) assert.equal(facts({ model: 'm', max_tokens: odd })?.requirements.maxOutputTokens, undefined, JSON.stringify(odd));
  });

  it('has a prompt estimated from below: pictures do not count by their bytes', () => {
    const words = 'word '.repeat(4000);
    const plain = facts({ model: 'm', messages: [{ role: 'user', content: words }] })?.requirements.estimatedInputTokens ?? 0;
    assert.ok(plain > 3000 && plain < 5000, `${plain}`);
    const picture = 'QUJD'.repeat(100_000);
    const shown = facts({ model: 'm', messages: [{ role: 'user', content: [{ type: 'text', text: words }, { type: 'image_url', image_url: { url: `data:image/png;base64,${picture}` } }] }] })?.requirements.estimatedInputTokens ?? 0;
    assert.ok(shown > plain && shown < plain + 1000, `${shown}`);
  });
});
