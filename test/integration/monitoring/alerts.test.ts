import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { until } from '../support/serverProcess.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

describe('alerts of a running server', () => {
  let provider: SandboxProvider;
  let router: TestRouter;
  let hook: Server;
  const bodies: string[] = [];
  const notices: string[] = [];

  before(async () => {
    provider = await startSandboxProvider({ protocol: 'openai-chat', name: 'only' });
    hook = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        bodies.push(body);
        response.end();
      });
    });
    await new Promise<void>(resolve => hook.listen(0, '127.0.0.1', resolve));
    router = await startTestRouter({
      endpoints: { only: sandboxEndpoint(provider, { breaker: { failures: 1 } }) }, routes: { coding: { targets: ['only/m'] } },
      monitoring: { webhooks: { team: { url: '${TEAM_HOOK}' } }, alerts: { down: { when: 'endpoint-down', forMinutes: 0, to: ['team', 'editor'] } } },
      environment: { TEAM_HOOK: `http://127.0.0.1:${String((hook.address() as AddressInfo).port)}/services/T0-private-part` },
    });
    router.testRouter.router.onNotice(({ kind, message }) => { if (kind === 'alert') notices.push(message); });
  });
  after(async () => {
    await router.close();
    await provider.close();
    await new Promise(resolve => hook.close(resolve));
  });

  test('reach a webhook and the editor, once, and the log has no address', async () => {
    provider.script(Array.from({ length: 20 }, () => ({ type: 'error', error: 'server' }) as const));
    const response = await fetch(`${router.url}/v1/chat/completions`, { method: 'POST', headers: { 'authorization': `Bearer ${router.token}`, 'content-type': 'application/json' }, body: JSON.stringify({ model: 'coding', messages: [{ role: 'user', content: 'hello' }] }) });
    await response.text();
    await until('the webhook is told', () => bodies.length > 0, 30_000);
    const { event, rule, subject, message } = JSON.parse(bodies[0] ?? '') as Record<string, string>;
    assert.deepEqual({ event, rule, subject }, { event: 'fired', rule: 'down', subject: 'only' });
    assert.match(message ?? '', /^The endpoint "only" is down/);
    assert.deepEqual(notices, [message]);
    // The rules are looked at every five seconds.
    await new Promise(resolve => setTimeout(resolve, 6_000));
    assert.equal(bodies.length, 1);
    assert.ok(!router.log.lines.some(line => JSON.stringify(line).includes('T0-private-part')));
  });
});
