import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { rawRequest } from '../support/rawClient.ts';
import { startRefusingProvider, type RefusingProvider } from '../support/refusingProvider.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

describe('a route for each of the names and kinds of requests of Claude Code', () => {
  let provider: RefusingProvider;
  let router: TestRouter;

  before(async () => {
    provider = await startRefusingProvider('openai-chat');
    const endpoint = { provider: 'openai-compatible', baseUrl: provider.url, probe: { enabled: false }, models: { large: {}, small: {}, helper: {} } };
    router = await startTestRouter({
      endpoints: { it: endpoint }, routes: { best: { targets: ['it/large'] }, cheap: { targets: ['it/small'] } },
      tools: { 'claude-code': { opus: 'best', haiku: 'cheap', subagents: 'it/helper' } },
    });
  });
  after(async () => {
    await router.close();
    await provider.close();
  });

  const cases: [says: string, model: string, headers: Record<string, string>, gets: string, path?: string][] = [
    ['Opus', 'claude-opus-5-5', {}, 'large'],
    ['Haiku', 'claude-haiku-4-5-20251001', {}, 'small'],
    ['a subagent that asks for Haiku', 'claude-haiku-4-5', { 'x-claude-code-request-class': 'subagent' }, 'helper'],
    ['a subagent of a version without hints', 'best', { 'x-claude-code-agent-id': 'a1' }, 'helper'],
    ['a route by its name', 'best', { 'x-claude-code-request-class': 'main' }, 'large'],
  ];
  for (const [says, model, headers, gets] of cases) {
    for (const stream of [true, false]) {
      test(`${says}: ${stream ? 'streamed' : 'plain'}`, async () => {
        provider.got.length = 0;
        const answer = await rawRequest({
          url: `${router.url}/v1/messages`, headers: { 'authorization': `Bearer ${router.token}`, 'user-agent': 'claude-cli/2.1.332 (external, cli)', ...headers },
          body: JSON.stringify({ model, max_tokens: 100, stream, messages: [{ role: 'user', content: 'hello' }] }),
        });
        assert.equal(answer.status, 200, answer.text);
        assert.equal(provider.got[0]?.body.model, gets);
      });
    }
  }

  test('says nothing of other callers', async () => {
    const answer = await rawRequest({
      url: `${router.url}/v1/messages`, headers: { 'authorization': `Bearer ${router.token}`, 'user-agent': 'curl/8', 'x-claude-code-request-class': 'subagent' },
      body: JSON.stringify({ model: 'opus', max_tokens: 100, messages: [{ role: 'user', content: 'hello' }] }),
    });
    assert.equal(answer.status, 404);
  });
});
