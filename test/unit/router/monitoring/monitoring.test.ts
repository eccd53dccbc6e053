import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { silentLog } from '../../../../server/base/log.ts';
import { emptyConfig, type Config } from '../../../../server/config/config.ts';
import { ExchangePublisher } from '../../../../server/exchange/publisher.ts';
import { Figures, mostRows } from '../../../../server/router/monitoring/metrics/figures.ts';
import { Lateness } from '../../../../server/router/monitoring/metrics/lateness.ts';
import { KnownNames } from '../../../../server/router/monitoring/metrics/knownNames.ts';
import { Monitoring } from '../../../../server/router/monitoring/monitoring.ts';
import { resolveMonitoring } from '../../../../server/config/monitoring/resolveMonitoring.ts';
import { Receivers } from '../../../../server/upstream/receivers.ts';
import { aReceipt } from '../../ledger/receipts.ts';

const off = { state: 'off' } as const;

function monitoring(events = new ExchangePublisher(silentLog)): Monitoring {
  const none = (): never => assert.fail('nobody reads metrics here');
  return new Monitoring({ events, copies: new ExchangePublisher(silentLog), ledger: { isOpen: true, revision: () => 0, backlog: () => ({ waiting: 0, lagMs: 0 }) }, sharedLedger: { figures: none }, status: none, spend: none, outcomes: none, alertsFolder: undefined, store: { isConfigured: false, replica: 'one', run: none }, config: () => emptyConfig, receivers: new Receivers(), tracePassing: { headers: undefined }, codecFor: none, news: () => undefined, shared: () => undefined, answers: () => undefined, redact: text => text, hasAudience: () => false, notify: none, clock: { now: () => 0 }, log: silentLog });
}

function configured(requireToken = false): Config {
  return { ...emptyConfig, monitoring: { metrics: { requireToken, models: [] }, secrets: [] } };
}

describe('monitoring', () => {
  test('that is not configured adds no observer and serves nothing', async () => {
    const events = new ExchangePublisher(silentLog);
    const idle = monitoring(events);
    idle.configure({ ...emptyConfig });
    assert.equal(await idle.metrics(off), undefined);
    for (const emitter of [events.started, events.planned, events.attemptStarted, events.answering, events.committed, events.attemptEnded, events.ended, events.priced]) assert.equal(emitter.hasListeners, false);
    assert.equal(idle.mayRead('127.0.0.1', false), false);
  });

  test('lets this machine read without a token, unless that is required', () => {
    const one = monitoring();
    one.configure(configured());
    for (const address of ['127.0.0.1', '127.3.2.1', '::1', '::ffff:127.0.0.1']) assert.equal(one.mayRead(address, false), true, address);
    for (const address of ['10.2.0.1', '192.0.2.1', '2001:db8::8', undefined]) assert.equal(one.mayRead(address, false), false, address);
    assert.equal(one.mayRead('127.0.0.1', true), false, 'behind a proxy');
    one.configure(configured(true));
    assert.equal(one.mayRead('127.0.0.1', false), false, 'where a token is required');
  });

  test('lets readers that are named read at other addresses, and nobody whose address is not known', () => {
    const one = monitoring();
    const names = (...readers: string[]): Config => ({ ...emptyConfig, monitoring: { metrics: { requireToken: false, models: [], readers }, secrets: [] } });
    one.configure(names('10.0.5.0/24', '192.0.2.7', '2001:db8:5::/48'));
    for (const address of ['10.0.5.1', '10.0.5.255', '192.0.2.7', '2001:db8:5::1', '::ffff:10.0.5.9']) assert.equal(one.mayReadElsewhere(address), true, address);
    for (const address of ['10.0.6.1', '192.0.2.8', '2001:db8:6::1', '127.0.0.1', '::1', '::ffff:10.0.6.9', 'unknown', '', undefined]) assert.equal(one.mayReadElsewhere(address), false, address);
    assert.equal(one.mayRead('10.0.5.1', false), false, 'at the loopback port');
    one.configure(names('10.0.6.0/24'));
    assert.deepEqual(['10.0.5.1', '10.0.6.1'].map(address => one.mayReadElsewhere(address)), [false, true], 'a new configuration holds');
    one.configure(configured());
    assert.equal(one.mayReadElsewhere('127.0.0.1'), false, 'nobody is named');
    one.configure({ ...emptyConfig });
    assert.equal(one.mayReadElsewhere('10.0.6.1'), false, 'metrics are off');
  });

  test('readers come from the environment, too, and one with a mistake is left out alone', () => {
    const problems: string[] = [];
    const found = resolveMonitoring({ metrics: { readers: ['${PROMETHEUS}', '10.0.5.0/24', '10.0.5.0/33', 'prometheus.internal', '${ABSENT}', '::/0'] } }, { PROMETHEUS: '192.0.2.7' }, (path, message) => { problems.push(`${path.join('.')}: ${message}`); });
    assert.deepEqual(found?.metrics?.readers, ['192.0.2.7', '10.0.5.0/24', '::/0']);
    assert.deepEqual(problems.map(problem => problem.split(': ')[0]), ['monitoring.metrics.readers.2', 'monitoring.metrics.readers.3', 'monitoring.metrics.readers.4']);
    assert.match(problems[0] ?? '', /A reader of metrics is left out: "readers\[2\]" must be an IP address or a CIDR range such as 10\.0\.5\.0\/24\.$/);
    assert.match(problems[2] ?? '', /in "readers\[4\]", .*ABSENT/);
  });

  test('a mistake in its settings is one sentence, and costs only its part', () => {
    const problems: string[] = [];
    const found = resolveMonitoring({ metrics: { models: ['m'] }, metrik: {} }, {}, (path, message) => { problems.push(`${path.join('.')}: ${message}`); });
    assert.deepEqual(found?.metrics, { requireToken: false, models: ['m'] });
    assert.deepEqual(problems, [
      'monitoring.metrik: There is no "monitoring.metrik"; did you mean "metrics"?',
    ]);
    assert.equal(resolveMonitoring({ metrics: { enabled: false } }, {}, () => assert.fail('that is no mistake')), undefined);
  });
});

describe('a timer of the process', () => {
  test('says how late the event loop was, each reading since the one before', () => {
    const lateness = new Lateness(1000);
    assert.deepEqual(lateness.read(), { p50: 0, p99: 0, max: 0 });
    let at = 5;
    for (const gap of [0, 1000, 1000, 999, 1250]) lateness.tick(at += gap);
    const { p50, max } = lateness.read();
    assert.ok(p50 < 0.001, String(p50));
    assert.ok(max > 0.249 && max < 0.251, String(max));
    assert.deepEqual(lateness.read(), { p50: 0, p99: 0, max: 0 });
  });

  test('is not added by metrics', async () => {
    const measured = monitoring();
    measured.configure(configured());
    await new Promise(resolve => setTimeout(resolve, 500));
    const before = process.resourceUsage().voluntaryContextSwitches;
    await new Promise(resolve => setTimeout(resolve, 2000));
    const woken = process.resourceUsage().voluntaryContextSwitches - before;
    await measured.close();
    assert.ok(woken < 60, `the process was woken ${String(woken)} times in two seconds`);
  });
});

describe('figures', () => {
  test('have a bound, and count what is beyond it', () => {
    const figures = new Figures(new KnownNames(emptyConfig, []));
    const events = new ExchangePublisher(silentLog);
    figures.follow(events, new ExchangePublisher(silentLog));
    const receipt = aReceipt('wb_1');
    for (let index = 0; index < mostRows + 3; index += 1) events.ended.emit({ exchange: { receipt, tick() {}, progress: () => receipt, stop: () => false, interrupt() {} }, receipt: { ...receipt, attempts: [] }, attempts: [], route: `route-${String(index)}` });
    assert.equal(figures.requests.size, mostRows);
    assert.equal(figures.dropped, 3);
  });

  test('call every model that the configuration does not name "other"', () => {
    const names = new KnownNames({ ...emptyConfig, aliases: new Map([['sonnet', 'claude-sonnet-4.6']]) }, ['gpt-5.1']);
    assert.deepEqual(['claude-sonnet-4.6', 'GPT-5.1', 'made-up'].map(name => names.model(name)), ['claude-sonnet-4.6', 'gpt-5.1', 'other']);
    assert.deepEqual(['Sonnet', 'made-up'].map(name => names.asked(name)), ['sonnet', 'other']);
  });
});
