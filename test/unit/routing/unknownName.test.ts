import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unknownNameMessage } from '../../../server/routing/unknownName.ts';
import { FakeRoutingView } from './routingFixture.ts';

const view = new FakeRoutingView({ openai: { models: ['gpt-4.1', 'gpt-4.1-mini'] }, claude: { models: ['claude-sonnet-4.5'] }, off: { models: ['secret'], enabled: false } }, { auto: [] });

test('the answer to a mistyped name lists the nearest names and the configured ones', () => {
  assert.equal(unknownNameMessage('gpt4.1', view.table),
    'No route or model is named "gpt4.1" (did you mean "gpt-4.1"?); to ask for: 1 route (auto) and 3 models (claude-sonnet-4.5, gpt-4.1, gpt-4.1-mini).');
  assert.match(unknownNameMessage('anthropic/claude-sonnet-4.6', view.table), /did you mean "claude-sonnet-4.5"\?/);
  assert.match(unknownNameMessage('gpt-4', view.table), /did you mean "gpt-4.1" or "gpt-4.1-mini"\?/);
  assert.match(unknownNameMessage('Auto', view.table), /did you mean "auto"\?/);
});

test('a name without a near match gets no suggestion', () => {
  const message = unknownNameMessage('zzzzzzzz', view.table);
  assert.doesNotMatch(message, /did you mean/);
  assert.match(message, /to ask for: 1 route \(auto\) and 3 models/);
});

test('without a configuration the answer names the next step', () => {
  assert.equal(unknownNameMessage('auto', new FakeRoutingView({}).table), 'No route or model is named "auto", and none is configured yet: add a provider first.');
});

test('the user\'s own name for a model that nothing serves is not called unknown', () => {
  const { table } = new FakeRoutingView({ openai: { models: ['gpt-4.1'] } });
  const aliased = { ...table.config, aliases: new Map([['sonnet', 'claude-sonnet-5.5']]) };
  assert.equal(unknownNameMessage('Sonnet', { config: aliased, modelsOf: () => ['gpt-4.1'] }),
    '"Sonnet" stands for "claude-sonnet-5.5", which no endpoint is known to serve; to ask for: 1 model (gpt-4.1).');
});

test('a hostile name stays one short line', () => {
  const message = unknownNameMessage(`a\n\u001b[31m${'x'.repeat(5000)}`, view.table);
  assert.ok(message.length < 300);
  assert.doesNotMatch(message, /[\n\u001b]/);
  assert.match(unknownNameMessage('', view.table), /^The request names no route or model;/);
});
