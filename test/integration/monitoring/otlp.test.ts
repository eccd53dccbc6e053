import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { MonitoringSettings, OtlpSettings } from '../../../server/api/monitoring/monitoringSettings.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { startOtlpReceiver, type OtlpReceiver } from '../../support/otlp/otlpReceiver.ts';
import type { ReceivedSpan } from '../../support/otlp/otlpShape.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { until } from '../support/serverProcess.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentId = '00f067aa0ba902b7';

describe('a receiver of the OpenTelemetry protocol', () => {
  let first: SandboxProvider;
  let second: SandboxProvider;
  let receiver: OtlpReceiver;
  let router: TestRouter;
  const settings = (otlp?: OtlpSettings) => {
    const monitoring: MonitoringSettings | undefined = otlp === undefined ? undefined : { metrics: {}, otlp: { endpoint: receiver.url, ...otlp } };
    return { endpoints: { first: sandboxEndpoint(first), second: sandboxEndpoint(second) }, routes: { coding: { targets: ['first/m', 'second/m'] } }, ...(monitoring === undefined ? {} : { monitoring }) };
  };

  before(async () => {
    first = await startSandboxProvider({ protocol: 'openai-chat', name: 'first' });
    second = await startSandboxProvider({ protocol: 'openai-chat', name: 'second' });
    receiver = await startOtlpReceiver();
    router = await startTestRouter(settings());
  });
  after(async () => {
    await router.close();
    await Promise.all([first.close(), second.close(), receiver.close()]);
  });

  async function ask(headers: Record<string, string> = {}, stream = false): Promise<string> {
    const response = await fetch(`${router.url}/v1/chat/completions`, {
      method: 'POST', headers: { 'authorization': `Bearer ${router.token}`, 'content-type': 'application/json', ...headers }, body: JSON.stringify({ model: 'coding', stream, messages: [{ role: 'user', content: 'a private word' }] }),
    });
    await response.text();
    assert.equal(response.status, 200);
    return response.headers.get('x-waybill-exchange') ?? '';
  }

  /** Adopts a configuration, and waits until what it switches on is loaded. What waits for the receiver before it is sent. */
  async function use(otlp?: OtlpSettings): Promise<void> {
    await router.configure(settings(otlp));
    await router.testRouter.router.monitoring.metrics({ state: 'off' });
  }

  /** The spans of an exchange, once the receiver has them. */
  async function spansOf(exchange: string): Promise<{ own: ReceivedSpan; attempts: ReceivedSpan[] }> {
    await router.receipt(exchange);
    await use();
    const own = (): ReceivedSpan | undefined => receiver.spans.find(({ attributes }) => attributes['waybill.exchange.id'] === exchange);
    await until(`the spans of ${exchange} are here`, () => own() !== undefined, 30_000);
    const found = own() as ReceivedSpan;
    return { own: found, attempts: receiver.spans.filter(({ parentSpanId, traceId: trace }) => parentSpanId === found.spanId && trace === found.traceId) };
  }

  test('gets the trace of a request that failed over, without its content', async () => {
    await use({ traces: { passOn: ['second'] }, metrics: { everySeconds: 3600 } });
    first.script([{ type: 'error', error: 'overloaded' }]);
    const exchange = await ask({ 'traceparent': `00-${traceId}-${parentId}-01`, 'tracestate': 'vendor=x' });
    const { own, attempts: [failed, answered, ...others] } = await spansOf(exchange);
    assert.deepEqual(others, []);
    assert.deepEqual([own.traceId, own.parentSpanId, own.traceState, own.attributes['waybill.route']], [traceId, parentId, 'vendor=x', 'coding']);
    assert.equal(failed?.attributes['server.address'], '127.0.0.1');
    assert.equal(failed.attributes['server.port'], Number(new URL(first.url).port));
    assert.equal(typeof failed.attributes['error.type'], 'string');
    assert.equal(own.events.map(({ name }) => name).join(), 'waybill.failover');
    assert.equal((await router.receipt(exchange)).plan.trace, traceId, 'the receipt names the trace');
    assert.equal(second.requests.at(-1)?.headers['traceparent'], `00-${traceId}-${answered?.spanId ?? ''}-01`);
    assert.equal(first.requests.at(-1)?.headers['traceparent'], undefined, 'an endpoint that is not named learns nothing');
    assert.doesNotMatch(receiver.requests.map(({ body }) => body).join('\n'), /private word/);
    assert.doesNotMatch(receiver.requests.map(({ body }) => body).join('\n'), new RegExp(router.token));
    assert.deepEqual(receiver.wrong, []);
  });

  test('gets texts where they are asked for, in bounds', async () => {
    for (const stream of [false, true]) {
      await use({ traces: { content: ['prompts', 'answers'], contentCharacters: 100 }, metrics: { enabled: false } });
      const { own: { attributes } } = await spansOf(await ask({}, stream));
      assert.deepEqual(JSON.parse(String(attributes['gen_ai.input.messages'])), [{ role: 'user', parts: [{ type: 'text', content: 'a private word' }] }]);
      assert.equal(attributes['gen_ai.response.model'], 'm');
      const [said] = JSON.parse(String(attributes['gen_ai.output.messages'])) as { role: string; parts: { content: string }[] }[];
      assert.equal(said?.role, 'assistant');
      const length = said.parts[0]?.content.length ?? 0;
      assert.ok(length > 0 && length <= 100, String(length));
    }
  });

  test('gets the metrics at the end of a configuration, and again from the one that follows', async () => {
    await use({ traces: { enabled: false }, metrics: { everySeconds: 3600 } });
    await ask();
    await use({ traces: { enabled: false }, metrics: { everySeconds: 1800 } });
    await until('the metrics are here', () => receiver.metrics.length > 0, 30_000);
    const requests = receiver.metrics.at(-1)?.find(({ name }) => name === 'waybill_requests');
    assert.deepEqual([requests?.kind, requests?.temporality], ['sum', 2]);
    assert.ok((requests?.points.reduce((sum, { asDouble = 0 }) => sum + asDouble, 0) ?? 0) >= 1);
    const duration = receiver.metrics.at(-1)?.find(({ name }) => name === 'gen_ai.client.operation.duration');
    assert.deepEqual([duration?.unit, duration?.kind, duration?.points[0]?.attributes['gen_ai.operation.name']], ['s', 'histogram', 'chat']);
    assert.deepEqual(receiver.wrong, []);
  });

  test('gets what was added once, however often the configuration changes', async () => {
    const delta = (everySeconds: number): OtlpSettings => ({ traces: { enabled: false }, metrics: { everySeconds, temporality: 'delta' } });
    const added = (from: number): number => receiver.metrics.slice(from).flatMap(metrics => metrics.find(({ name }) => name === 'waybill_requests')?.points ?? []).reduce((sum, { asDouble = 0 }) => sum + asDouble, 0);
    await use(delta(3600));
    await use(delta(1800));
    await until('what was counted before is here', () => receiver.metrics.at(-1)?.find(({ name }) => name === 'waybill_requests')?.temporality === 1, 30_000);
    const from = receiver.metrics.length;
    await ask();
    for (const everySeconds of [3600, 1800, 900]) {
      const before = receiver.metrics.length;
      await use(delta(everySeconds));
      await until('the last of the configuration before is here', () => receiver.metrics.length > before, 30_000);
    }
    assert.equal(added(from), 1);
  });

  test('gets what waits at the end of a server', async () => {
    const ending = await startTestRouter(settings({}));
    await ending.testRouter.router.monitoring.metrics({ state: 'off' });
    const response = await fetch(`${ending.url}/v1/chat/completions`, { method: 'POST', headers: { 'authorization': `Bearer ${ending.token}`, 'content-type': 'application/json' }, body: JSON.stringify({ model: 'coding', messages: [{ role: 'user', content: 'hello' }] }) });
    await response.text();
    const metrics = receiver.metrics.length;
    await ending.close();
    assert.ok(receiver.spans.some(({ attributes }) => attributes['waybill.exchange.id'] === response.headers.get('x-waybill-exchange')));
    assert.equal(receiver.metrics.length, metrics + 1);
  });

  test('that is silent or gone costs no request its answer, nor the server its end', async () => {
    receiver.behaviour = 'silent';
    await use({ traces: {}, metrics: { enabled: false } });
    for (let count = 0; count < 20; count += 1) await ask();
    await use({ endpoint: 'http://127.0.0.1:9', traces: {}, metrics: { enabled: false } });
    await ask();
    receiver.behaviour = { status: 200 };
    await use();
    await ask();
  });
});
