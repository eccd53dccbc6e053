import assert from 'node:assert/strict';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import type { ConversationRequest } from '../../../server/api/conversation.ts';
import {
  startDrillRequest, stopDrillRequest, resilienceReportRequest,
  type DrillFault, type RunningDrill, type StartDrillParams, type StartDrillResult, type StopDrillResult, type ResilienceReportResult,
} from '../../../server/api/drill.ts';
import type { Receipt } from '../../../server/api/receipt.ts';
import type { LimitSettings } from '../../../server/api/settings.ts';
import type { EndpointStatus, StatusSnapshot } from '../../../server/api/status.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { loadYamlConfig } from '../../../server/config/yamlFile.ts';
import { createRouterProcess, type RouterProcess } from '../../../server/app/routerProcess.ts';
import { supportedProtocols } from '../../../server/protocols/registry.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { callerHeaders, callerPath, requestBody } from '../support/callerProtocols.ts';
import { EditorDoor, type EditorTurn } from '../support/editorDoor.ts';
import { rawRequest, type RawAnswer } from '../support/rawClient.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { until } from '../support/serverProcess.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';
import { askServer } from '../support/typedMessages.ts';

const keys = { a: ['sandbox-key-a-1111', 'sandbox-key-a-2222'], b: ['sandbox-key-b-3333'] };
const environment = { A1: keys.a[0] ?? '', A2: keys.a[1] ?? '', B1: keys.b[0] ?? '' };
const minute = 60_000;
let a: SandboxProvider;
let b: SandboxProvider;
let testRouter: TestRouter;
let door: EditorDoor;

before(async () => {
  a = await startSandboxProvider({ protocol: 'openai-chat', name: 'a', keys: keys.a });
  b = await startSandboxProvider({ protocol: 'anthropic-messages', name: 'b', keys: keys.b });
  testRouter = await startTestRouter({ endpoints: {} });
  door = new EditorDoor(testRouter.testRouter);
  await door.open();
});
afterEach(async () => {
  testRouter.testRouter.router.drills.stop();
  await testRouter.configure({ endpoints: {} });
});
after(async () => {
  door.close();
  await testRouter.close();
  await Promise.all([a.close(), b.close()]);
});

async function configure(targets = ['a/m', 'b/m'], limits: LimitSettings = {}): Promise<void> {
  await testRouter.configure({
    endpoints: { a: sandboxEndpoint(a, { keys: ['${A1}', '${A2}'], limits }), b: sandboxEndpoint(b, { keys: ['${B1}'] }) }, routes: { auto: { targets } }, environment,
  });
}
async function start(params: Partial<StartDrillParams> & { fault: DrillFault }): Promise<RunningDrill> {
  const result: StartDrillResult = await askServer(door.connection, startDrillRequest, { endpoint: 'a', durationMs: minute, ...params });
  assert.equal(result.refused, undefined);
  assert.ok(result.drill !== undefined);
  return result.drill;
}
const stop = (): Promise<StopDrillResult> => askServer(door.connection, stopDrillRequest, {});
const conversation: ConversationRequest = { system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'say 12 words' }] }], tools: [] };
const chat = (): Promise<EditorTurn> => door.chat('auto', conversation);
function ask(stream = false): Promise<RawAnswer> {
  return rawRequest({
    url: testRouter.url + callerPath['openai-chat'], headers: callerHeaders('openai-chat', testRouter.token),
    body: JSON.stringify(requestBody('openai-chat', { model: 'auto', prompt: 'say 12 words', stream })),
  });
}
const receiptOf = (answer: RawAnswer): Promise<Receipt> => testRouter.receipt(String(answer.headers['x-waybill-exchange']));
/** What a person sees of an endpoint's health and keys, without what depends on the moment it is looked at. */
function shown(status: StatusSnapshot, name: string): unknown {
  const endpoint = status.endpoints.find(one => one.name === name);
  assert.ok(endpoint !== undefined);
  const { state, breaker, retryAt, errorRate, lastError, keys: stored, firstToken } = endpoint;
  return { state, breaker, retryAt, errorRate, lastError, keys: stored, firstToken };
}

describe('a fire drill', () => {
  for (const { fault, failureClass, status } of [
    { fault: 'down', failureClass: 'network', status: undefined },
    { fault: 'rate-limit', failureClass: 'rate-limit', status: 429 },
    { fault: 'dead-key', failureClass: 'auth', status: 401 },
  ] as const) {
    it(`of ${fault} sends nothing to the endpoint, and another target answers`, async () => {
      await configure();
      const sent = a.connectionCount;
      await start({ fault });
      const answer = await ask();
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['x-waybill-target'], 'b/m');
      const receipt = await receiptOf(answer);
      const failed = receipt.attempts.filter(attempt => attempt.endpoint === 'a');
      assert.ok(failed.length > 0);
      for (const attempt of failed) {
        assert.equal(attempt.drill, true);
        assert.equal(attempt.failureClass, failureClass);
        assert.equal(attempt.status, status);
        assert.match(attempt.message ?? '', /^Fire drill: /);
        assert.deepEqual([attempt.cost.microUsd, attempt.cost.certainty], [0, 'exact']);
      }
      assert.equal(receipt.attempts.at(-1)?.drill, undefined);
      await testRouter.testRouter.router.probe('a');
      assert.equal(a.connectionCount, sent, 'neither requests nor probes were sent');
    });

    it(`of ${fault} leaves health and keys as they were before it, and shows no notice to the user`, async () => {
      await configure();
      assert.equal((await ask()).headers['x-waybill-target'], 'a/m');
      const earlier = shown(await testRouter.status(), 'a');
      const notices = door.notices.length;
      await start({ fault });
      for (let turn = 0; turn < 7; turn += 1) assert.equal((await ask()).headers['x-waybill-target'], 'b/m');
      await testRouter.testRouter.router.probe('a');
      assert.notDeepEqual(shown(await testRouter.status(), 'a'), earlier);
      const [summary] = await stop();
      assert.ok((summary?.met ?? 0) > 0);
      assert.equal(summary?.failed, 0);
      assert.deepEqual(shown(await testRouter.status(), 'a'), earlier);
      assert.equal((await ask()).headers['x-waybill-target'], 'a/m');
      assert.equal(door.notices.length, notices);
    });
  }

  it('uses nothing up of the limits of an endpoint that it sent nothing to', async () => {
    await configure(['a/m', 'b/m'], { requestsPerMinute: 1, perKey: { requestsPerMinute: 1 } });
    for (const fault of ['down', 'rate-limit'] as const) {
      await start({ fault });
      assert.equal((await ask()).headers['x-waybill-target'], 'b/m');
      await stop();
    }
    assert.equal((await ask()).headers['x-waybill-target'], 'a/m');
  });

  it('of one dead key lets the endpoint answer with its other one', async () => {
    await configure();
    const status = await testRouter.status();
    const first = status.endpoints.find(endpoint => endpoint.name === 'a')?.keys[0];
    assert.ok(first !== undefined);
    const sent = a.requests.length;
    const drill = await start({ fault: 'dead-key', keyId: first.id });
    assert.equal(drill.keyName, `${first.label} …1111`);
    const receipt = await receiptOf(await ask());
    assert.deepEqual(receipt.attempts.map(attempt => [attempt.target, attempt.outcome, attempt.drill, attempt.keyLast4]), [
      ['a/m', 'failed', true, '1111'], ['a/m', 'ok', undefined, '2222'],
    ]);
    assert.equal(a.requests.length, sent + 1);
    assert.ok(!JSON.stringify(a.requests.slice(sent).map(request => request.headers)).includes('1111'));
  });

  it('of a slow answer sends the request and holds its answer back', async () => {
    await configure();
    const sent = a.requests.length;
    await start({ fault: 'slow', slowMs: 80 });
    const receipt = await receiptOf(await ask(true));
    assert.equal(a.requests.length, sent + 1);
    assert.equal(receipt.target, 'a/m');
    assert.equal(receipt.attempts[0]?.drill, true);
    assert.ok((receipt.attempts[0]?.headersMs ?? 0) >= 79);
  });

  it('of a cut stream shows the chat beginning again elsewhere, and other tools an error', async () => {
    await configure();
    await start({ fault: 'cut' });
    const turn = await chat();
    assert.equal(turn.result.outcome, 'ok');
    assert.equal(turn.result.target, 'b/m');
    const restart = turn.events.find(event => event.type === 'restart');
    assert.match(restart?.type === 'restart' ? restart.message : '', /^Fire drill: a broke the connection in mid-answer\./);
    await stop();
    await start({ fault: 'cut' });
    const answer = await ask(true);
    assert.equal(answer.status, 200);
    assert.match(answer.text, /"error"/);
    assert.doesNotMatch(answer.text, /\[DONE\]/);
    await stop();
    await start({ fault: 'cut' });
    assert.equal((await ask(false)).headers['x-waybill-target'], 'b/m', 'nothing of a plain answer was seen yet');
  });

  it('shows who answers now and the way of every request that met it, while it runs', async () => {
    await configure();
    await start({ fault: 'down' });
    let drill = (await testRouter.status()).drill;
    assert.deepEqual(drill?.running.map(one => [one.endpoint, one.fault]), [['a', 'down']]);
    assert.deepEqual(drill?.routes.map(route => [route.name, route.effect, route.answeredBy, route.usually]), [['auto', 'taken-over', 'b/m', 'a/m']]);
    assert.deepEqual(drill?.requests, []);
    const exchange = String((await ask()).headers['x-waybill-exchange']);
    drill = (await testRouter.status()).drill;
    const [request] = drill?.requests ?? [];
    assert.equal(request?.id, exchange);
    assert.deepEqual(request?.path.map(step => [step.target, step.outcome, step.drill]).at(0), ['a/m', 'failed', true]);
    assert.deepEqual(request?.path.map(step => [step.target, step.outcome, step.drill]).at(-1), ['b/m', 'ok', false]);
    assert.equal(request?.outcome, 'ok');
    assert.deepEqual(drill?.counts, { met: 1, answered: 1, failed: 0 });
    // The breaker opens after some failures: requests then pass the endpoint over, and that is shown as well.
    for (let turn = 0; turn < 9; turn += 1) await ask();
    const [last] = (await testRouter.status()).drill?.requests ?? [];
    assert.deepEqual(last?.path.map(step => [step.target, step.outcome]), [['a/m', 'passed-over'], ['b/m', 'ok']]);
  });

  it('ends by itself on time, and the state says what became of it', async () => {
    await configure();
    const drill = await start({ fault: 'down', durationMs: 1000 });
    await ask();
    await until('the drill is over', async () => (await testRouter.status()).drill?.running.length === 0);
    const { last } = (await testRouter.status()).drill ?? {};
    assert.equal(last?.id, drill.id);
    assert.equal(last?.ended, 'time');
    assert.deepEqual([last?.met, last?.answered], [1, 1]);
    assert.ok((last?.endedAt ?? 0) >= drill.until);
    assert.equal((await ask()).headers['x-waybill-target'], 'a/m');
  });

  it('ends when its endpoint leaves the configuration', async () => {
    await configure();
    await start({ fault: 'down' });
    await testRouter.configure({ endpoints: { b: sandboxEndpoint(b, { keys: ['${B1}'] }) }, environment });
    const { drill } = await testRouter.status();
    assert.deepEqual(drill?.running, []);
    assert.equal(drill?.last?.ended, 'gone');
  });

  it('is refused in a sentence when it makes no sense, and only one runs at an endpoint', async () => {
    await configure();
    const refusal = async (params: Partial<StartDrillParams>): Promise<string | undefined> =>
      (await askServer(door.connection, startDrillRequest, { endpoint: 'a', fault: 'down', durationMs: minute, ...params })).refused;
    assert.match(await refusal({ endpoint: 'nowhere' }) ?? '', /no endpoint named "nowhere"/);
    assert.match(await refusal({ durationMs: 0 }) ?? '', /from one second to one day/);
    assert.match(await refusal({ durationMs: Number.NaN }) ?? '', /from one second to one day/);
    assert.match(await refusal({ keyId: 'gone' }) ?? '', /no such key/);
    assert.match(await refusal({ slowMs: -1, fault: 'slow' }) ?? '', /ten minutes/);
    assert.equal(await refusal({}), undefined);
    assert.match(await refusal({}) ?? '', /already/);
    assert.equal((await stop()).length, 1);
    assert.equal((await stop()).length, 0);
  });

  it('leaves no trace in the health of a peer, nor after a restart', async () => {
    await configure();
    // A second server on the same data folder and configuration; all that it knows comes from the ledger.
    const another = async (instanceId: string): Promise<RouterProcess> => {
      const made = createRouterProcess({ dataDir: testRouter.dataDir, instanceId, writeLog: () => undefined, portChanged: () => undefined });
      const { config, keys: ring, problems } = await loadYamlConfig(path.join(testRouter.dataDir, 'waybill.yaml'), environment, { catalog: { providers, findProvider }, supportedProtocols });
      made.router.configure(config, ring, problems);
      return made;
    };
    const known = (of: RouterProcess, name: string): EndpointStatus | undefined => of.router.status({ state: 'off' }).endpoints.find(endpoint => endpoint.name === name);
    const beside = await another('beside');
    const before = known(beside, 'a');
    for (const fault of ['down', 'dead-key'] as const) {
      await start({ fault });
      assert.equal((await receiptOf(await ask())).attempts[0]?.drill, true);
      await testRouter.testRouter.router.probe('a');
      await stop();
    }
    const askedAt = Date.now();
    assert.equal((await ask()).headers['x-waybill-target'], 'a/m');
    await until('the peer knows the health from after the drills', () => (known(beside, 'a')?.lastCheckedAt ?? 0) >= askedAt);
    const next = await another('next');
    try {
      for (const one of [known(beside, 'a'), known(next, 'a')]) {
        assert.equal(one?.lastError, before?.lastError);
        assert.equal(one?.breaker, 'closed');
        assert.equal(one?.errorRate ?? 0, 0);
        assert.ok(one?.keys.every(key => key.state === 'ok' || key.state === 'unused'));
      }
    } finally {
      await Promise.all([beside.close(), next.close()]);
    }
  });

  it('reports what each route survives', async () => {
    await configure();
    const report: ResilienceReportResult = await askServer(door.connection, resilienceReportRequest, {});
    const auto = report.routes.find(route => route.name === 'auto');
    assert.equal(auto?.verdict, 'gaps');
    assert.deepEqual(auto?.losses.map(loss => [loss.kind, loss.result]), [
      ['endpoint', 'survives'], ['endpoint', 'survives'], ['key', 'survives'], ['key', 'survives'], ['key', 'survives'], ['model', 'stops'],
    ]);
    assert.deepEqual(auto?.gaps.map(gap => gap.fix), ['edit-route']);
    await configure(['a/m']);
    const single: ResilienceReportResult = await askServer(door.connection, resilienceReportRequest, {});
    assert.match(single.routes.find(route => route.name === 'auto')?.gaps[0]?.problem ?? '', /one target only/);
  });
});
