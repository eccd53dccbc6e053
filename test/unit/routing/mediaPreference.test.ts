import type { RequestMedia } from '../../../server/api/routes/requirements.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePlan } from '../../../server/routing/makePlan.ts';
import { scanObject } from '../../../server/base/objectScan.ts';
import { watchedWords } from '../../../server/inbound/http/inference.ts';
import { readRequestFacts } from '../../../server/inbound/http/request/requirements.ts';
import { requirementsOf } from '../../../server/inbound/lsp/requirements.ts';
import { anthropic } from '../../../server/catalog/vendors.ts';
import { ask, FakeRoutingView, plainRequirements } from './routingFixture.ts';

/** A route over a target that speaks Gemini's protocol, one of Claude's behind Messages, and one behind Chat of which nothing is known. */
function planned(media: RequestMedia, targets = ['google/gemini-2.5-pro', 'anthropic/claude-sonnet-4.5', 'relay/some-model']): { names: string[]; excluded: string[] } {
  const view = new FakeRoutingView({
    google: { models: ['gemini-2.5-pro'], protocol: 'gemini' }, anthropic: { models: ['claude-sonnet-4.5'], protocol: 'anthropic-messages' }, relay: { models: ['some-model'] },
  }, { auto: targets });
  const { plan } = makePlan(ask('auto', { ...plainRequirements, images: media.imageTypes.length > 0, documents: media.pdf, media }), view);
  return { names: plan.targets.map(({ target }) => target), excluded: plan.excluded.map(({ target, reason }) => `${target}: ${reason}`) };
}

test('a target that does not read a type of image is passed over where another one reads it', () => {
  assert.deepEqual(planned({ imageTypes: ['image/gif'], pdf: false }), { names: ['anthropic/claude-sonnet-4.5', 'relay/some-model'], excluded: ['google/gemini-2.5-pro: reads no image/gif, and the request has one'] });
  assert.deepEqual(planned({ imageTypes: ['image/heic'], pdf: false }).names, ['google/gemini-2.5-pro', 'relay/some-model']);
  assert.deepEqual(planned({ imageTypes: ['image/png', 'image/jpeg'], pdf: true }), { names: ['google/gemini-2.5-pro', 'anthropic/claude-sonnet-4.5', 'relay/some-model'], excluded: [] });
});

test('where no target reads it, all remain', () => {
  assert.deepEqual(planned({ imageTypes: ['image/bmp'], pdf: false }, ['google/gemini-2.5-pro', 'anthropic/claude-sonnet-4.5']), { names: ['google/gemini-2.5-pro', 'anthropic/claude-sonnet-4.5'], excluded: [] });
  assert.deepEqual(planned({ imageTypes: ['image/gif'], pdf: false }, ['google/gemini-2.5-pro']).excluded, []);
});

test('a target whose largest image is smaller is passed over where another one takes it', () => {
  const view = new FakeRoutingView({ anthropic: { models: ['claude-sonnet-4.5'], protocol: 'anthropic-messages', provider: anthropic }, relay: { models: ['some-model'] } }, { auto: ['anthropic/claude-sonnet-4.5', 'relay/some-model'] });
  const planFor = (longestImage: number): string[] => makePlan(ask('auto', { ...plainRequirements, images: true, media: { imageTypes: ['image/png'], pdf: false, longestImage } }), view).plan.targets.map(({ target }) => target);
  assert.deepEqual(planFor(5_242_881), ['relay/some-model']);
  assert.deepEqual(planFor(5_242_880), ['anthropic/claude-sonnet-4.5', 'relay/some-model']);
  const large = 'iVBORw0KGgo'.padEnd(4_000_000, 'A');
  const bytes = Buffer.from(JSON.stringify({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: large } }] }] }));
  assert.equal(readRequestFacts('anthropic-messages', bytes, scanObject(bytes, watchedWords) ?? assert.fail())?.requirements.media?.longestImage, 4_000_000);
});

const gif = 'R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';
const pdf = 'JVBERi0xLjQK';

test('the kinds of media are read out of the body of each protocol', () => {
  const bodies = {
    'openai-chat': { model: 'm', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${gif}` } }, { type: 'file', file: { file_data: `data:application/pdf;base64,${pdf}` } }] }] },
    'openai-responses': { model: 'm', input: [{ role: 'user', content: [{ type: 'input_image', image_url: `data:image/gif;base64,${gif}` }, { type: 'input_file', file_data: `data:application/pdf;base64,${pdf}` }] }] },
    'anthropic-messages': { model: 'm', messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/gif', data: gif } }, { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: pdf } }] }] },
    'gemini': { contents: [{ parts: [{ inlineData: { mimeType: 'image/gif', data: gif } }, { inlineData: { mimeType: 'application/pdf', data: pdf } }] }] },
  } as const;
  for (const protocol of ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'] as const) {
    const bytes = Buffer.from(JSON.stringify(bodies[protocol]));
    const read = readRequestFacts(protocol, bytes, scanObject(bytes, watchedWords) ?? assert.fail(), protocol === 'gemini' ? { model: 'm', stream: false } : {});
    assert.deepEqual(read?.requirements.media, { imageTypes: ['image/gif'], pdf: true }, protocol);
  }
  const text = Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] }));
  assert.equal(readRequestFacts('openai-chat', text, scanObject(text, watchedWords) ?? assert.fail())?.requirements.media, undefined);
});

test('and out of a conversation of the editor', () => {
  const content = [{ type: 'image', mimeType: 'image/png', source: { kind: 'base64', data: gif } }, { type: 'document', mimeType: 'application/pdf', source: { kind: 'base64', data: pdf } }] as const;
  assert.deepEqual(requirementsOf({ system: [], messages: [{ role: 'user', content: [...content] }], tools: [] }).media, { imageTypes: ['image/gif'], pdf: true });
});
