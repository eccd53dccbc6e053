import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clockText } from '../../../../../server/api/condition.ts';
import { downCount, providerNodes, treeMessage } from '../../../../../client/views/providers/providersTreeModel.ts';
import type { EndpointStatus } from '../../../../../server/api/status.ts';
import { emptyStatus, endpoint } from '../../fakes.ts';

const now = 10_000_000;
const clock = (ms: number, rounding: 'up' | 'down' = 'up'): string => clockText(now + ms, now, rounding);
const node = (changes: Partial<EndpointStatus>) => {
  const [first] = providerNodes(emptyStatus({ endpoints: [endpoint('openai', changes)] }), now);
  assert.ok(first !== undefined);
  return first;
};

describe('a line of the Providers view', () => {
  it('shows latency and today\'s cost of a healthy endpoint, and its state in the icon', () => {
    const line = node({ firstToken: { p50: 420, p95: 900, p99: 1_500 }, todayMicroUsd: 1_370_000 });
    assert.deepEqual([line.label, line.description, line.icon], ['openai', '420 ms · $1.37', 'pass']);
  });

  const states: { name: string; changes: Partial<EndpointStatus>; icon: string; description: string }[] = [
    { name: 'down with a countdown', changes: { state: 'down', breaker: 'open', retryAt: now + 12_000 }, icon: 'error', description: `down, next try at ${clock(12_000)}` },
    { name: 'down and due', changes: { state: 'down', breaker: 'open', retryAt: now - 1 }, icon: 'error', description: 'down' },
    { name: 'recovering', changes: { state: 'degraded', breaker: 'half-open' }, icon: 'warning', description: 'recovering' },
    { name: 'out of reach', changes: { state: 'down', offline: 'offline' }, icon: 'debug-disconnect', description: 'out of reach: offline' },
    { name: 'behind a sign-in page', changes: { state: 'down', offline: 'portal' }, icon: 'debug-disconnect', description: 'out of reach: sign-in page in the way' },
    { name: 'degraded', changes: { state: 'degraded' }, icon: 'warning', description: 'degraded' },
    { name: 'not used yet', changes: { state: 'unknown' }, icon: 'circle-outline', description: 'not used yet' },
    { name: 'disabled', changes: { enabled: false, state: 'down' }, icon: 'circle-slash', description: 'disabled' },
    { name: 'rate-limited', changes: { condition: { kind: 'rate-limited', until: now + 60_000 } }, icon: 'watch', description: `rate-limited, back at ${clock(60_000)}` },
    { name: 'down for a reason, without the latency of what is down', changes: { condition: { kind: 'down', why: 'network error' }, firstToken: { p50: 97 } }, icon: 'error', description: 'down (network error)' },
    { name: 'up with its latency', changes: { condition: { kind: 'degraded', why: 'rate limited' }, firstToken: { p50: 97 } }, icon: 'warning', description: 'degraded (rate limited) · 97 ms' },
    { name: 'of unknown cost', changes: { todayUnknown: 1 }, icon: 'pass', description: '' },
    { name: 'of estimated cost', changes: { todayMicroUsd: 20_000, todayEstimated: true }, icon: 'pass', description: '~$0.0200' },
  ];
  for (const { name, changes, icon, description } of states) {
    it(`shows an endpoint that is ${name}`, () => {
      const line = node(changes);
      assert.deepEqual([line.icon, line.description], [icon, description]);
    });
  }

  it('says in the tooltip that a cost is unknown', () => {
    assert.match(node({ todayUnknown: 1 }).tooltip, /Today: cost unknown$/);
    assert.match(node({ todayUnknown: 2, todayMicroUsd: 20_000 }).tooltip, /Today: \$0\.0200\+, without 2 attempts of unknown cost$/);
  });

  it('says in the tooltip which models there are kept away, and why', () => {
    const { tooltip } = node({ state: 'degraded', modelBreakers: [
      { model: 'gpt-4.1', breaker: 'open', retryAt: now + 24_000, reason: 'breaker open after 5 failures (server error)' },
      { model: 'gpt-4o', breaker: 'open', retryAt: now - 1, reason: 'x' },
      { model: 'o3', breaker: 'half-open', reason: 'y' },
    ] });
    assert.ok(tooltip.includes(`\ngpt-4.1: kept away, next try at ${clock(24_000)} (breaker open after 5 failures (server error))\n`), tooltip);
    assert.match(tooltip, /^gpt-4o: kept away, tried again with the next request \(x\)$/m);
    assert.match(tooltip, /^o3: recovering \(y\)$/m);
  });

  it('says the state in words for those who see no colours', () => {
    assert.equal(node({ state: 'down' }).spoken, 'openai, OpenAI, down');
  });

  it('has the last error, keys and models under it', () => {
    const line = node({
      state: 'down', lastError: { at: now - 12_000, failureClass: 'overloaded', message: 'OpenAI is overloaded.' },
      keys: [{ id: '1', label: 'work', last4: '9f3c', state: 'rejected' }, { id: '2', label: 'spare', last4: '', state: 'cooling', until: now + 30_000 }],
      models: ['gpt-4.1', 'gpt-4o'],
    });
    assert.deepEqual(line.children.map(child => [child.label, child.description, child.context]), [
      [clock(-12_000, 'down'), 'OpenAI is overloaded.', 'error'],
      ['work …9f3c', 'rejected: replace it', 'key'],
      ['spare', `rate-limited, back at ${clock(30_000)}`, 'key'],
      ['2 models', '', 'models'],
    ]);
    assert.deepEqual(line.children[3]?.children.map(child => [child.label, child.endpoint, child.model]), [['gpt-4.1', 'openai', 'gpt-4.1'], ['gpt-4o', 'openai', 'gpt-4o']]);
    assert.equal(line.children[1]?.keyId, '1');
  });

  it('marks an error as past when the endpoint is healthy again, for the screen reader too', () => {
    const lastError = { at: now - 60_000, failureClass: 'server', message: 'It broke.' } as const;
    const [past] = node({ lastError }).children;
    assert.deepEqual([past?.label, past?.icon, past?.spoken], [`${clock(-60_000, 'down')}, over`, 'history', `Past error at ${clock(-60_000, 'down')}: It broke.`]);
    const [present] = node({ lastError, state: 'down' }).children;
    assert.deepEqual([present?.label, present?.icon, present?.spoken], [clock(-60_000, 'down'), 'info', `Error at ${clock(-60_000, 'down')}: It broke.`]);
  });

  it('leaves the provider\'s name out of the line under it, which a narrow view cuts off, and reads it out', () => {
    const [line] = node({ state: 'down', lastError: { at: now, failureClass: 'network', message: 'openai refused the connection.' } }).children;
    assert.deepEqual([line?.description, line?.spoken], ['refused the connection', `Error at ${clock(0, 'down')}: openai refused the connection.`]);
    assert.match(line?.tooltip ?? '', /: openai refused the connection\.$/);
  });

  it('reads keys out by their names, with until when they cool down and why', () => {
    const keys: EndpointStatus['keys'] = [
      { id: '1', label: 'key 1', last4: '1111', state: 'ok' }, { id: '2', label: 'work', last4: '9f3c', state: 'cooling', until: now + 60_000, reason: 'm: limited' },
    ];
    assert.deepEqual(node({ keys }).children.map(child => child.spoken), ['Key 1, ending in 1 1 1 1', `Key work, ending in 9 f 3 c, rate-limited, back at ${clock(60_000)}, m: limited`]);
  });

  it('names periods, and shows no percentile it was not given', () => {
    const { tooltip } = node({ firstToken: { p50: 320 }, total: { p50: 900, p95: 2_000 }, errorRate: 0.43, downtime: { watchedSince: now - 3_600_000, pastMs: 125_000 } });
    assert.match(tooltip, /^First token in the last 10 min: 320 ms usually$/m);
    assert.match(tooltip, /^Whole answer in the last 10 min: 900 ms usually, up to 2\.0 s for 95 of 100 requests$/m);
    assert.match(tooltip, /^Errors in the last 10 min: 43 %$/m);
    assert.ok(tooltip.includes(`Down for 2 min 5 s in all since ${clock(-3_600_000, 'down')}`), tooltip);
  });

  it('opens to its latest hour and what is left of its limits, with words for screen readers', () => {
    const spans = [...Array.from({ length: 11 }, () => ({ requests: 0, failures: 0 })), { requests: 4, failures: 2 }];
    const { children, tooltip } = node({ latestHour: { until: now, spans }, limitsLeft: [{ kind: 'requests', remaining: 12, limit: 60 }] });
    assert.deepEqual(children.map(({ label, description }) => [label, description]), [[`Hour to ${clock(0, 'down')}`, '···········▅ 2/4 failed'], ['Limit', '12 of 60 requests left']]);
    assert.match(children[0]?.spoken ?? '', /^Hour to \d\d:\d\d: 4 requests, 2 failed, all of them from \d\d:\d\d on$/);
    assert.match(tooltip, /^Limit: 12 of 60 requests left$/m);
  });

  it('names who answers in its place, and its open breaker', () => {
    const { description, tooltip } = node({ state: 'down', breaker: 'open', retryAt: now + 60_000, instead: ['claude'] });
    assert.match(description, /, using claude$/);
    assert.match(tooltip, /^Breaker open, next try at \d\d:\d\d$/m);
  });

  it('forgets an old error of an endpoint that is healthy again', () => {
    const lastError = { at: now - 3_700_000, failureClass: 'server', message: 'x' } as const;
    assert.deepEqual(node({ lastError }).children, []);
    assert.equal(node({ lastError: { ...lastError, at: now - 60_000 } }).children.length, 1);
  });

  it('keeps ids distinct and stable, so that open branches stay open', () => {
    const status = emptyStatus({ endpoints: [endpoint('a', { models: ['m'] }), endpoint('b', { models: ['m'] })] });
    const ids = (nodes: readonly { id: string; children: readonly never[] | readonly { id: string }[] }[]): string[] => nodes.flatMap(entry => [entry.id, ...entry.children.map(child => child.id)]);
    const first = ids(providerNodes(status, now));
    assert.equal(new Set(first).size, first.length);
    assert.deepEqual(ids(providerNodes(status, now + 60_000)), first);
  });

  it('says by its context what can be done with it', () => {
    assert.equal(node({}).context, 'endpoint.enabled.keyless');
    assert.equal(node({ provider: 'simulated' }).context, 'endpoint.enabled.keyless.simulated');
    assert.equal(node({ enabled: false, keys: [{ id: '1', label: 'x', last4: '', state: 'ok' }] }).context, 'endpoint.disabled.keyed');
  });
});

describe('the view as a whole', () => {
  it('counts what is down in its badge, without what is switched off', () => {
    assert.equal(downCount(emptyStatus({ endpoints: [endpoint('a'), endpoint('b', { state: 'down' }), endpoint('c', { state: 'down', enabled: false }), endpoint('d', { breaker: 'open' })] })), 2);
    assert.equal(downCount(undefined), 0);
  });

  it('says what is wrong above the tree', () => {
    assert.equal(treeMessage('running', emptyStatus(), []), undefined);
    assert.match(treeMessage('failed', undefined, []) ?? '', /not running/);
    assert.match(treeMessage('starting', undefined, []) ?? '', /Starting/);
    assert.match(treeMessage('restarting', emptyStatus(), []) ?? '', /restarting/);
    assert.match(treeMessage('running', emptyStatus({ link: { kind: 'offline', since: 0 } }), []) ?? '', /^Offline/);
    assert.match(treeMessage('running', emptyStatus({ link: { kind: 'portal', since: 0 } }), []) ?? '', /sign in/);
    assert.equal(treeMessage('running', emptyStatus({ problems: [{ message: 'One.' }] }), []), 'One.');
    assert.equal(treeMessage('running', emptyStatus({ problems: [{ message: 'Two.' }] }), [{ message: 'One.' }]), 'One. (and 1 more problem in the settings)');
  });
});
