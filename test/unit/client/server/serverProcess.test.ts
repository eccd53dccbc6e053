import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RestartBudget } from '../../../../client/server/restartBudget.ts';
import { ServerProcess, serverStoppedMessage } from '../../../../client/server/serverProcess.ts';
import type { Message } from '../../../../server/api/conversation.ts';
import type { ChatEvent, ChatParams, ConfigureParams } from '../../../../server/api/messages.ts';
import { FakeServerRun, FakeTimers, RecordingLog, cancellation, emptyStatus, settle } from '../fakes.ts';

function setUp(options: { restarts?: number; hold?: string[] } = {}) {
  const runs: FakeServerRun[] = [];
  const timers = new FakeTimers();
  const log = new RecordingLog();
  let configuration: ConfigureParams = { endpoints: {}, routes: {}, keys: {}, http: { enabled: true, port: 7717 } };
  let failStart = false;
  const server = new ServerProcess({
    connect: listener => {
      if (failStart) return Promise.reject(new Error('no such file'));
      const run = new FakeServerRun(listener);
      for (const method of options.hold ?? []) run.held.add(method);
      runs.push(run);
      return Promise.resolve(run);
    },
    readConfiguration: () => Promise.resolve(configuration),
    log,
    timers,
    budget: new RestartBudget({ restarts: options.restarts ?? 2, periodMs: 10_000, delaysMs: [100, 1_000] }),
  });
  return {
    server, runs, timers, log,
    setConfiguration: (next: Partial<ConfigureParams>) => { configuration = { ...configuration, ...next }; },
    setFailStart: (fail: boolean) => { failStart = fail; },
  };
}

const chat = { id: 'chat-1', requestedModel: 'default', conversation: { system: [], messages: [], tools: [] }, caller: { tool: 'vscode-chat' } };
const withKey = { keys: { openai: [{ id: '1', label: 'work', secret: 'sk-one' }] } };

describe('ServerProcess', () => {
  it('starting returns at once, and the server is configured before any other request', async () => {
    const { server, runs } = setUp();
    server.start();
    assert.equal(server.state, 'starting');
    const spend = server.spend({ range: { from: 0, to: 1 } });
    await spend;
    assert.equal(server.state, 'running');
    assert.deepEqual(runs[0]?.requests.map(request => request.method), ['waybill/configure', 'waybill/getStatus', 'waybill/spend']);
  });

  it('starts by itself when the first request comes', async () => {
    const { server, runs } = setUp();
    await server.catalog();
    assert.equal(runs.length, 1);
  });

  it('after a crash the new server gets the newest configuration and keys before the requests that waited', async () => {
    const { server, runs, timers, setConfiguration } = setUp();
    server.start();
    await settle();
    runs[0]?.crash();
    assert.equal(server.state, 'restarting');
    setConfiguration(withKey);
    const waiting = server.requests({ limit: 5 });
    timers.advance(100);
    await waiting;
    assert.deepEqual(runs[1]?.requests.map(request => request.method), ['waybill/configure', 'waybill/getStatus', 'waybill/requests']);
    assert.deepEqual((runs[1]?.requests[0]?.params as ConfigureParams).keys, withKey.keys);
  });

  it('a running chat ends with one clear sentence when the server crashes', async () => {
    const { server, runs } = setUp();
    server.start();
    await settle();
    const running = server.chat(chat, () => undefined, cancellation().token);
    await settle();
    runs[0]?.crash();
    await assert.rejects(running, { message: serverStoppedMessage });
  });

  it('gives up when the budget is used, says so, and starts again when asked', async () => {
    const { server, runs, timers } = setUp({ restarts: 2 });
    const states: string[] = [];
    server.onDidChangeState(state => states.push(state));
    server.start();
    await settle();
    runs[0]?.crash();
    timers.advance(100);
    await settle();
    runs[1]?.crash();
    timers.advance(1_000);
    await settle();
    runs[2]?.crash();
    assert.equal(server.state, 'failed');
    assert.equal(timers.pending, 0);
    await assert.rejects(server.catalog(), /not running.*Restart Server/);
    await server.restart();
    await server.catalog();
    assert.equal(server.state, 'running');
    assert.deepEqual(states.slice(-4), ['failed', 'stopped', 'starting', 'running']);
  });

  it('a server that cannot even start counts as crashed', async () => {
    const { server, timers, setFailStart } = setUp({ restarts: 1 });
    setFailStart(true);
    server.start();
    await settle();
    assert.equal(server.state, 'restarting');
    setFailStart(false);
    timers.advance(100);
    await settle();
    assert.equal(server.state, 'running');
  });

  it('crashes that lie far apart never use the budget up', async () => {
    const { server, runs, timers } = setUp({ restarts: 1 });
    server.start();
    await settle();
    for (let crash = 0; crash < 5; crash++) {
      runs.at(-1)?.crash();
      timers.advance(100);
      await settle();
      assert.equal(server.state, 'running');
      timers.advance(20_000);
    }
  });

  it('a change of the settings while the server starts is not lost', async () => {
    const { server, runs, setConfiguration } = setUp({ hold: ['waybill/getStatus'] });
    server.start();
    await settle();
    setConfiguration(withKey);
    await server.configure();
    runs[0]?.held.delete('waybill/getStatus');
    runs[0]?.answer('waybill/getStatus', emptyStatus());
    await settle();
    assert.equal(server.state, 'running');
    const configurations = runs[0]?.requests.filter(request => request.method === 'waybill/configure').map(request => request.params as ConfigureParams);
    assert.deepEqual(configurations?.map(params => params.keys), [{}, withKey.keys]);
  });

  it('changes that come while one is being sent are sent together, the newest last', async () => {
    const { server, runs, setConfiguration } = setUp();
    server.start();
    await settle();
    runs[0]?.held.add('waybill/configure');
    const first = server.configure();
    const second = server.configure();
    setConfiguration(withKey);
    const third = server.configure();
    await settle();
    runs[0]?.held.delete('waybill/configure');
    runs[0]?.answer('waybill/configure', { problems: [] });
    await Promise.all([first, second, third]);
    const sent = runs[0]?.requests.filter(request => request.method === 'waybill/configure');
    assert.deepEqual((sent?.at(-1)?.params as ConfigureParams).keys, withKey.keys);
    assert.equal(sent?.length, 3);
  });

  it('hands the events of a chat to that chat, in order, and the result after them', async () => {
    const { server, runs } = setUp();
    server.start();
    await settle();
    const texts: string[] = [];
    const collect = (events: ChatEvent[]): void => { for (const event of events) if (event.type === 'text') texts.push(event.text); };
    const running = server.chat(chat, collect, cancellation().token);
    await settle();
    runs[0]?.listener.onChatEvents({ id: 'chat-1', events: [{ type: 'text', text: 'Hello' }] });
    runs[0]?.listener.onChatEvents({ id: 'another', events: [{ type: 'text', text: 'no' }] });
    runs[0]?.listener.onChatEvents({ id: 'chat-1', events: [{ type: 'text', text: ' there' }] });
    runs[0]?.answer('waybill/chat', { exchangeId: 'x', outcome: 'ok', attempts: 1, usage: {}, cost: { certainty: 'unknown' } });
    assert.equal((await running).outcome, 'ok');
    assert.equal(texts.join(''), 'Hello there');
  });

  it('acknowledges events after they are handed on, only where asked to, and not after the end of the chat', async () => {
    const { server, runs } = setUp();
    server.start();
    await settle();
    const run = runs[0];
    const order: string[] = [];
    const running = server.chat(chat, events => { order.push(`events, ${String(run?.notifications.length)} acknowledged`); if (events.length === 2) throw new Error('broken'); }, cancellation().token);
    await settle();
    assert.equal((run?.requests.at(-1)?.params as ChatParams).flowControl, true);
    const text: ChatEvent = { type: 'text', text: 'Hello' };
    run?.listener.onChatEvents({ id: 'chat-1', events: [text] });
    run?.listener.onChatEvents({ id: 'chat-1', events: [text], acknowledge: 65_536 });
    run?.listener.onChatEvents({ id: 'another', events: [text], acknowledge: 1 });
    assert.throws(() => run?.listener.onChatEvents({ id: 'chat-1', events: [text, text], acknowledge: 131_072 }), /broken/);
    assert.deepEqual(order, ['events, 0 acknowledged', 'events, 0 acknowledged', 'events, 1 acknowledged']);
    const sent = [65_536, 131_072].map(acknowledge => ({ method: 'waybill/chatEventsHandled', params: { id: 'chat-1', acknowledge } }));
    assert.deepEqual(run?.notifications, sent);
    run?.answer('waybill/chat', { exchangeId: 'x', outcome: 'ok', attempts: 1, usage: {}, cost: { certainty: 'unknown' } });
    await running;
    run?.listener.onChatEvents({ id: 'chat-1', events: [text], acknowledge: 200_000 });
    assert.deepEqual(run?.notifications, sent);
  });

  describe('a long conversation', () => {
    const said = (text: string): Message => ({ role: 'user', content: [{ type: 'text', text }] });
    const first = said('x'.repeat(20_000));
    const answer = { exchangeId: 'x', outcome: 'ok', attempts: 1, usage: {}, cost: { certainty: 'unknown' } };
    const turn = (id: string, ...messages: Message[]): ChatParams => ({ ...chat, id, conversation: { system: [], messages, tools: [] } });
    const sentTo = (run: FakeServerRun | undefined): ChatParams[] => (run?.requests ?? []).flatMap(({ method, params }) => (method === 'waybill/chat' ? [params as ChatParams] : []));

    it('is sent once: the next turn sends what is new', async () => {
      const { server, runs } = setUp();
      for (const params of [turn('1', first), turn('2', first, said('more'))]) {
        const running = server.chat(params, () => undefined, cancellation().token);
        await settle();
        runs[0]?.answer('waybill/chat', answer);
        await running;
      }
      const [whole, rest] = sentTo(runs[0]);
      assert.deepEqual([whole?.conversation.messages, whole?.continues], [[first], undefined]);
      assert.deepEqual([rest?.conversation.messages, rest?.continues], [[said('more')], { id: '1', messages: 1, system: true, tools: true }]);
    });

    it('is sent whole to a new run of the server', async () => {
      const { server, runs, timers } = setUp();
      const lost = server.chat(turn('1', first), () => undefined, cancellation().token);
      await settle();
      runs[0]?.crash();
      await assert.rejects(lost);
      timers.advance(100);
      void server.chat(turn('2', first, said('more')), () => undefined, cancellation().token);
      await settle();
      assert.deepEqual(sentTo(runs[1]).map(({ conversation, continues }) => [conversation.messages.length, continues]), [[2, undefined]]);
    });

    it('is sent whole when the server says that it does not have the rest', async () => {
      const { server, runs } = setUp();
      const before = server.chat(turn('1', first), () => undefined, cancellation().token);
      await settle();
      runs[0]?.answer('waybill/chat', answer);
      await before;
      const events: ChatEvent[] = [];
      const running = server.chat(turn('2', first, said('more')), more => events.push(...more), cancellation().token);
      await settle();
      runs[0]?.answer('waybill/chat', { ...answer, outcome: 'failed', resend: true });
      await settle();
      assert.deepEqual(sentTo(runs[0]).at(-1)?.conversation.messages, [first, said('more')]);
      assert.equal(sentTo(runs[0]).at(-1)?.continues, undefined);
      runs[0]?.listener.onChatEvents({ id: '2', events: [{ type: 'text', text: 'Hello' }] });
      runs[0]?.answer('waybill/chat', answer);
      assert.equal((await running).outcome, 'ok');
      assert.deepEqual(events, [{ type: 'text', text: 'Hello' }]);
    });
  });

  it('acknowledges nothing of a chat that is cancelled', async () => {
    const { server, runs } = setUp();
    server.start();
    await settle();
    const { token, cancel } = cancellation();
    const running = server.chat(chat, () => undefined, token);
    await settle();
    cancel();
    runs[0]?.listener.onChatEvents({ id: 'chat-1', events: [{ type: 'text', text: 'late' }], acknowledge: 65_536 });
    assert.deepEqual(runs[0]?.notifications, []);
    runs[0]?.answer('waybill/chat', { exchangeId: 'x', outcome: 'cancelled', attempts: 1, usage: {}, cost: { certainty: 'unknown' } });
    await running;
  });

  it('a chat that is cancelled while the server starts does not wait for it', async () => {
    const { server } = setUp({ hold: ['waybill/configure'] });
    server.start();
    const { token, cancel } = cancellation();
    const running = server.chat(chat, () => undefined, token);
    await settle();
    cancel();
    assert.equal((await running).outcome, 'cancelled');
  });

  it('messages of an earlier server are ignored', async () => {
    const { server, runs, timers } = setUp();
    server.start();
    await settle();
    runs[0]?.crash();
    timers.advance(100);
    await settle();
    runs[0]?.listener.onStatus(emptyStatus({ ledgerRevision: 99 }));
    runs[0]?.listener.onClosed();
    assert.equal(server.status?.ledgerRevision, 0);
    assert.equal(server.state, 'running');
  });

  it('keys never reach the log', async () => {
    const { server, runs, timers, log, setConfiguration } = setUp();
    setConfiguration(withKey);
    server.start();
    await settle();
    runs[0]?.crash();
    timers.advance(100);
    await settle();
    assert.ok(log.lines.length > 0);
    assert.ok(!log.lines.join('\n').includes('sk-one'));
  });

  it('stopping waits for the process and cancels a restart', async () => {
    const { server, runs, timers } = setUp();
    server.start();
    await settle();
    runs[0]?.crash();
    await server.stop();
    timers.advance(10_000);
    assert.equal(runs.length, 1);
    server.start();
    await settle();
    await server.stop();
    assert.equal(runs[1]?.stopped, true);
    assert.equal(server.state, 'stopped');
  });
});

describe('RestartBudget', () => {
  it('waits longer after each crash and stops after the last', () => {
    const budget = new RestartBudget({ restarts: 3, periodMs: 60_000, delaysMs: [100, 1_000] });
    assert.deepEqual([0, 1, 2, 3].map(second => budget.crash(second * 1_000)), [
      { restart: true, delayMs: 100 }, { restart: true, delayMs: 1_000 }, { restart: true, delayMs: 1_000 }, { restart: false },
    ]);
  });

  it('forgets crashes that are older than its time span', () => {
    const budget = new RestartBudget({ restarts: 1, periodMs: 1_000, delaysMs: [5] });
    budget.crash(0);
    assert.deepEqual(budget.crash(1_000), { restart: true, delayMs: 5 });
  });
});
