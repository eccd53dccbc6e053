import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { protocolNames, type ProtocolName } from '../../../server/api/conversation.ts';
import type { ShadowReport, ShadowResult, ShadowSkip } from '../../../server/api/shadow.ts';
import type { ShadowSettings } from '../../../server/api/settings.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { sandboxProtocols } from '../../../server/sandbox/wires/sandboxWire.ts';
import { callers, readAnswer } from '../../faultwall/callers/callers.ts';
import { EditorDoor } from '../support/editorDoor.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

/** Words that stand in no other answer. */
const secretWords = 'only the shadow says this';

describe('a shadow before real servers', () => {
  const providers = new Map<string, SandboxProvider>();
  let server: TestRouter;
  let door: EditorDoor;

  function provider(name: string): SandboxProvider {
    const found = providers.get(name);
    assert.ok(found !== undefined);
    return found;
  }

  before(async () => {
    for (const protocol of sandboxProtocols) for (const side of ['own', 'tried']) providers.set(`${side}-${protocol}`, await startSandboxProvider({ protocol, name: `${side}-${protocol}` }));
    server = await startTestRouter(configuration());
    door = new EditorDoor(server.testRouter);
    await door.open();
  });
  after(async () => {
    door.close();
    await server.close();
    for (const one of providers.values()) await one.close();
  });
  beforeEach(() => { for (const one of providers.values()) one.script({ type: 'answer' }); });

  /** A route for each pair of protocols. */
  function configuration(more: Partial<ShadowSettings> = {}): Parameters<typeof startTestRouter>[0] {
    const pairs = sandboxProtocols.flatMap(own => sandboxProtocols.map(tried => [own, tried] as const));
    return {
      endpoints: Object.fromEntries([...providers].map(([name, one]) => [name, sandboxEndpoint(one)])),
      routes: Object.fromEntries(pairs.map(([own, tried]) => [`${own}.${tried}`, { targets: [`own-${own}/m`], shadow: { target: `tried-${tried}/m`, share: 100, sameTargetShare: 100, draw: 'request', budgetUsd: 100, atOnce: 20, ...more } }])),
    };
  }

  async function act(action: string, route?: string): Promise<ShadowReport[]> {
    const response = await fetch(`${server.url}/waybill/shadow`, { method: 'POST', headers: { authorization: `Bearer ${server.token}` }, body: JSON.stringify({ action, route }) });
    const result = await response.json() as ShadowResult & { error?: { message: string } };
    assert.ok('shadows' in result, JSON.stringify(result));
    return result.shadows;
  }

  async function reportOf(route: string, isDone: (report: ShadowReport) => boolean): Promise<ShadowReport> {
    for (let waited = 0; ; waited += 20) {
      const [report] = await act('status', route);
      assert.ok(report !== undefined);
      if (isDone(report)) return report;
      assert.ok(waited < 10_000, JSON.stringify(report));
      await sleep(20);
    }
  }

  async function ask(protocol: ProtocolName, model: string, options: { stream: boolean; prompt?: string; tools?: boolean; headers?: Record<string, string> }): Promise<string> {
    const caller = callers[protocol];
    const response = await fetch(server.url + caller.path(model, options.stream), {
      method: 'POST', headers: { ...caller.headers(server.token), 'content-type': 'application/json', ...options.headers },
      body: JSON.stringify(caller.body({ model, prompt: options.prompt ?? 'hello there', stream: options.stream, ...(options.tools === true ? { tools: true } : {}) })),
    });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return text;
  }

  it('compares answers of every pair of protocols, streamed and plain, for every caller, and no caller sees a byte of it', async () => {
    await server.configure(configuration());
    for (const own of sandboxProtocols) for (const tried of sandboxProtocols) await act('start', `${own}.${tried}`);
    for (const tried of sandboxProtocols) provider(`tried-${tried}`).script({ type: 'answer', text: secretWords });
    for (const own of sandboxProtocols) provider(`own-${own}`).script({ type: 'answer', text: 'the answer of the route itself' });
    for (const own of sandboxProtocols) {
      for (const tried of sandboxProtocols) {
        for (const caller of protocolNames) {
          for (const stream of [true, false]) {
            const text = await ask(caller, `${own}.${tried}`, { stream });
            assert.doesNotMatch(text, /only the shadow/);
            assert.equal(readAnswer(caller, text, stream).text, 'the answer of the route itself');
          }
        }
        const { events } = await door.chat(`${own}.${tried}`, { system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }], tools: [] });
        assert.doesNotMatch(JSON.stringify(events), /only the shadow/);
        const asked = protocolNames.length * 2 + 1;
        const report = await reportOf(`${own}.${tried}`, ({ counts: { shadow, repeat } }) => shadow.compared + repeat.compared === 2 * asked);
        const row = (name: string): ShadowReport['rows'][number] | undefined => report.rows.find(one => one.name === name);
        assert.deepEqual(report.counts.shadow, { sent: asked, answered: asked, compared: asked }, `${own}.${tried}`);
        assert.equal(row('similarity of text')?.repeat?.value, 1, `${own}.${tried}`);
        assert.ok((row('similarity of text')?.shadow?.value ?? 1) < 0.4);
        assert.ok((row('cost of a request')?.shadow?.value ?? 0) > 0);
      }
    }
    const spend = await server.testRouter.router.spend({ from: 0, to: Date.now() + 1 });
    const requests = sandboxProtocols.length ** 2 * (protocolNames.length * 2 + 1);
    assert.equal(spend.totals.exchanges, requests, 'shadows are no requests of callers');
    assert.ok((spend.byTool.find(({ name }) => name === 'shadow')?.microUsd ?? 0) > 0);
    const reached = [...providers.values()].reduce((sum, one) => sum + one.requests.length, 0);
    assert.equal(reached, 3 * requests);
  });

  it('compares calls of tools by name and arguments, and runs none', async () => {
    await server.configure(configuration());
    const route = 'openai-chat.anthropic-messages';
    await act('stop', route);
    await act('start', route);
    const before = await reportOf(route, () => true);
    provider('own-openai-chat').script({ type: 'answer', toolCalls: [{ name: 'read_file', arguments: '{"path": "a.ts", "line": 1}' }] });
    provider('tried-anthropic-messages').script({ type: 'answer', toolCalls: [{ name: 'read_file', arguments: '{"line":1,"path":"a.ts"}' }] });
    await ask('anthropic-messages', route, { stream: true, tools: true });
    const report = await reportOf(route, ({ counts }) => counts.shadow.compared === before.counts.shadow.compared + 1);
    assert.equal(report.rows.find(({ name }) => name === 'same calls')?.shadow?.value, 1);
  });

  it('is not sent what may not be mirrored, and says why', async () => {
    await server.configure(configuration({ exceptWorkspaces: ['Secret-Shop'], maxBodyKiB: 4 }));
    const route = 'anthropic-messages.openai-chat';
    const reached = provider('tried-openai-chat').requests.length;
    const skipsOf = (report: ShadowReport): Partial<Record<ShadowSkip, number>> => Object.fromEntries(report.skipped.map(({ reason, count }) => [reason, count]));
    await ask('openai-chat', route, { stream: false, headers: { 'x-waybill-no-shadow': '1' } });
    await ask('openai-chat', route, { stream: true, headers: { 'x-waybill-workspace': 'secret-shop' } });
    await ask('anthropic-messages', route, { stream: false, prompt: `my key is sk-${'proj-'}${'a1B2c3D4'.repeat(8)}` });
    await ask('openai-responses', route, { stream: false, prompt: 'long '.repeat(2000) });
    const report = await reportOf(route, one => one.skipped.reduce((sum, { count }) => sum + count, 0) === 4);
    assert.deepEqual(skipsOf(report), { 'header': 1, 'workspace': 1, 'secret': 1, 'too-large': 1 });
    assert.equal(provider('tried-openai-chat').requests.length, reached);
  });

  it('never holds a caller up, and its failures are seen by nobody and learnt by nothing', async () => {
    await server.configure(configuration({ timeoutSeconds: 3 }));
    const route = 'openai-responses.gemini';
    const before = await reportOf(route, () => true);
    provider('tried-gemini').script({ type: 'answer', headersMs: 60_000 });
    await ask('openai-responses', route, { stream: true });
    assert.equal((await reportOf(route, () => true)).counts.shadow.sent, before.counts.shadow.sent, 'the caller has its answer while the copy still waits');
    await reportOf(route, ({ counts }) => counts.shadow.sent === before.counts.shadow.sent + 1);
    provider('tried-gemini').script({ type: 'error', error: 'server' });
    for (let index = 0; index < 12; index++) await ask('openai-responses', route, { stream: false });
    const report = await reportOf(route, ({ counts }) => counts.shadow.sent === before.counts.shadow.sent + 13);
    assert.equal(report.counts.shadow.answered, before.counts.shadow.answered);
    const endpoint = (await server.status()).endpoints.find(({ name }) => name === 'tried-gemini');
    assert.deepEqual([endpoint?.breaker, endpoint?.errorRate ?? 0], ['closed', 0]);
  });

  it('keeps to its budget of the day, whose spend a new start does not forget', async () => {
    const route = 'gemini.openai-responses';
    await server.configure(configuration({ budgetUsd: 0.0001 }));
    const before = await reportOf(route, () => true);
    await ask('gemini', route, { stream: false });
    const report = await reportOf(route, ({ skipped }) => skipped.some(({ reason }) => reason === 'budget'));
    assert.equal(report.counts.shadow.sent, before.counts.shadow.sent);
    assert.ok(report.spentMicroUsd > 0);
    assert.match(report.message, /Today's budget is used up; it goes on at midnight\.$/);
  });
});

