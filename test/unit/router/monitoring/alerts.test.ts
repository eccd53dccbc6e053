import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import type { EndpointStatus, StatusSnapshot } from '../../../../server/api/status.ts';
import type { AlertRule, WebhookConfig } from '../../../../server/config/monitoring/monitoringConfig.ts';
import { resolveMonitoring } from '../../../../server/config/monitoring/resolveMonitoring.ts';
import { AlertBook } from '../../../../server/router/monitoring/alerts/alertBook.ts';
import { conditionsOf, quantile, type ConditionSources } from '../../../../server/router/monitoring/alerts/conditions.ts';
import { firedSentence } from '../../../../server/router/monitoring/alerts/words.ts';
import { Windows } from '../../../../server/router/monitoring/alerts/windows.ts';
import { WebhookSender } from '../../../../server/router/monitoring/delivery/webhookSender.ts';
import { secondsBounds } from '../../../../server/router/monitoring/metrics/histogram.ts';
import { Receivers } from '../../../../server/upstream/receivers.ts';
import { InMemoryLedger } from '../../ledger/inMemoryLedger.ts';
import { aReceipt, noon } from '../../ledger/receipts.ts';

const folders: string[] = [];
function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'waybill-alerts-'));
  folders.push(folder);
  return folder;
}
const receivers = new Receivers();
after(() => receivers.shutdown());
after(() => { for (const folder of folders) rmSync(folder, { recursive: true, force: true }); });

const start = Date.UTC(2026, 10, 20, 12);
const rule = (overrides: Partial<AlertRule> = {}): AlertRule => ({ name: 'down', when: 'endpoint-down', above: 0, forMs: 0, windowMs: 600_000, minRequests: 20, webhooks: [], toEditor: true, toLog: true, ...overrides });

function sources(down: readonly string[], rest: Partial<ConditionSources> = {}): ConditionSources {
  const endpoints = ['openai', 'claude'].map(name => ({ name, enabled: true, state: down.includes(name) ? 'down' : 'healthy', condition: { kind: 'down', why: 'timeouts' } }) as unknown as EndpointStatus);
  return { status: { endpoints } as unknown as StatusSnapshot, within: () => new Map(), hourUsd: undefined, ...rest };
}

/** A server that looks at alerts, on a clock that is set by hand. */
class Server {
  readonly said: string[] = [];
  readonly shown: string[] = [];
  readonly events: string[] = [];
  readonly book: AlertBook;

  constructor(folder: string, clock: { now: number }, rules: readonly AlertRule[], options: { hasAudience?: boolean; webhooks?: ReadonlyMap<string, WebhookConfig> } = {}) {
    const say = (line: string): void => { this.said.push(line); };
    this.book = new AlertBook({ folder, now: () => clock.now, log: { info: say, warn: say }, post: receivers.post, redact: text => text.replaceAll('s3cret', '[secret]'), hasAudience: () => options.hasAudience ?? true, notify: (message, _text, { event }) => { this.shown.push(message); this.events.push(event); } });
    this.book.configure(rules, options.webhooks ?? new Map());
  }
}

interface Received { headers: IncomingHttpHeaders; body: string }
async function receiver(answers: readonly (readonly [number, Record<string, string>])[]): Promise<{ url: string; received: Received[]; close(): Promise<void> }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      const [status, headers] = answers[received.length - 1] ?? [200, {}];
      response.writeHead(status, headers).end('ok');
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/hook`, received, close: () => new Promise(resolve => server.close(() => { resolve(); })) };
}

const fired = 'Alert "down": The endpoint "openai" is down: timeouts.';

describe('alerts', () => {
  /** Looks again and again, as servers do. */
  async function pass(clock: { now: number }, ms: number, look: () => void): Promise<void> {
    for (const until = clock.now + ms; clock.now < until; clock.now += 10_000) {
      look();
      // What is told is noted behind the turn.
      await new Promise(resolve => setImmediate(resolve));
    }
  }

  test('tell of an incident once, and once that it is over', async () => {
    const clock = { now: start };
    const server = new Server(newFolder(), clock, [rule()]);
    await pass(clock, 300_000, () => { server.book.look(sources(['openai'])); });
    assert.deepEqual(server.said, [fired]);
    assert.deepEqual(server.shown, ['The endpoint "openai" is down: timeouts.']);
    await pass(clock, 120_000, () => { server.book.look(sources([])); });
    assert.deepEqual(server.said.slice(1), ['Alert "down": The endpoint "openai" is up again; minutes it was down: 5.']);
    assert.deepEqual(server.events, ['fired', 'over']);
    await pass(clock, 60_000, () => { server.book.look(sources(['openai'])); });
    assert.equal(server.said.length, 3, 'the next incident is told');
  });

  test('wait until a condition has held long enough, also one that began before the server', async () => {
    const clock = { now: start };
    const server = new Server(newFolder(), clock, [rule({ forMs: 300_000 })]);
    await pass(clock, 290_000, () => { server.book.look(sources(['openai'])); });
    server.book.look(sources([]));
    await pass(clock, 290_000, () => { server.book.look(sources(['openai'])); });
    assert.deepEqual(server.said, [], 'it was up in between');
    await pass(clock, 30_000, () => { server.book.look(sources(['openai'])); });
    assert.deepEqual(server.said, [fired]);
    const later = new Server(newFolder(), clock, [rule({ forMs: 300_000 })]);
    const known = sources(['openai']);
    Object.assign(known.status.endpoints[0] ?? {}, { downtime: { watchedSince: 0, pastMs: 0, downSince: clock.now - 300_000 } });
    later.book.look(known);
    assert.deepEqual(later.said, [fired]);
  });

  test('are told once by two servers of a data folder, and over a restart', async () => {
    const clock = { now: start };
    const folder = newFolder();
    const [one, two] = [new Server(folder, clock, [rule()]), new Server(folder, clock, [rule()])];
    await pass(clock, 100_000, () => { for (const each of [one, two]) each.book.look(sources(['openai'])); });
    assert.deepEqual([...one.said, ...two.said], [fired]);
    one.book.close();
    two.book.close();
    clock.now += 20 * 60_000;
    const restarted = new Server(folder, clock, [rule()]);
    await pass(clock, 100_000, () => { restarted.book.look(sources(['openai'])); });
    assert.deepEqual(restarted.said, [], 'what lasts was told');
    const other = new Server(folder, clock, [rule()]);
    await pass(clock, 200_000, () => { for (const each of [restarted, other]) each.book.look(sources([])); });
    assert.equal([...restarted.said, ...other.said].length, 1, 'one of them says that it is over');
    assert.deepEqual(readdirSync(folder), []);
  });

  describe('never say that an endpoint is up again that is not', () => {
    const often = rule({ forMs: 300_000 });
    const changed = (changes: Partial<EndpointStatus>): ConditionSources => {
      const found = sources(['openai']);
      Object.assign(found.status.endpoints[0] ?? {}, changes);
      return found;
    };

    test('after a restart, while the machine is offline, and before the endpoint is tried', async () => {
      const clock = { now: start };
      const folder = newFolder();
      const first = new Server(folder, clock, [often]);
      await pass(clock, 400_000, () => { first.book.look(sources(['openai'])); });
      assert.deepEqual(first.said, [fired]);
      const second = new Server(folder, clock, [often]);
      await pass(clock, 100_000, () => { second.book.look(changed({ state: 'unknown' })); });
      await pass(clock, 100_000, () => { second.book.look(sources(['openai'])); });
      await pass(clock, 200_000, () => { second.book.look(changed({ state: 'down', offline: 'offline' })); });
      await pass(clock, 400_000, () => { second.book.look(sources(['openai'])); });
      assert.deepEqual(second.said, []);
      await pass(clock, 130_000, () => { second.book.look(sources([])); });
      assert.deepEqual(second.said, ['Alert "down": The endpoint "openai" is up again; minutes it was down: 20.'], 'the time before it was told counts');
    });

    test('after the machine slept', async () => {
      const clock = { now: start };
      const server = new Server(newFolder(), clock, [often]);
      await pass(clock, 400_000, () => { server.book.look(sources(['openai'])); });
      clock.now += 8 * 3_600_000;
      await pass(clock, 30_000, () => { server.book.look(changed({ state: 'healthy' })); });
      await pass(clock, 200_000, () => { server.book.look(sources(['openai'])); });
      assert.deepEqual(server.said, [fired]);
      const other = new Server(newFolder(), clock, [often]);
      const beforeSleep = { watchedSince: 0, pastMs: 0, downSince: clock.now };
      other.book.look(changed({ downtime: beforeSleep }));
      clock.now += 8 * 3_600_000;
      await pass(clock, 200_000, () => { other.book.look(changed({ downtime: beforeSleep })); });
      assert.deepEqual(other.said, [], 'it was not seen while the machine slept');
    });

    test('when it is disabled or removed', async () => {
      for (const gone of [changed({ enabled: false }), { ...sources([]), status: { endpoints: [] } as unknown as StatusSnapshot }]) {
        const clock = { now: start };
        const server = new Server(newFolder(), clock, [rule()]);
        await pass(clock, 300_000, () => { server.book.look(sources(['openai'])); });
        await pass(clock, 130_000, () => { server.book.look(gone); });
        assert.deepEqual(server.said.slice(1), ['Alert "down": The endpoint "openai" is no longer watched; minutes it was down: 5.']);
      }
    });
  });

  test('about requests are not over because a server starts and has seen none', async () => {
    const clock = { now: start };
    const folder = newFolder();
    const fails = rule({ name: 'fails', when: 'error-rate', above: 0.1 });
    const totals = { requests: 30, failed: 10, seconds: [], firstTokenSeconds: [], bounds: [] };
    const first = new Server(folder, clock, [fails]);
    await pass(clock, 30_000, () => { first.book.look(sources([], { within: () => new Map([['coding', totals]]) })); });
    assert.equal(first.said.length, 1);
    const second = new Server(folder, clock, [fails]);
    await pass(clock, 500_000, () => { second.book.look(sources([])); });
    assert.deepEqual(second.said, []);
    await pass(clock, 200_000, () => { second.book.look(sources([])); });
    assert.deepEqual(second.said, ['Alert "fails": The alert "fails" is over for "coding"; minutes it lasted: 1.']);
  });

  test('say why an endpoint is down in words that the editor translates', () => {
    const why = { key: '{0} of {1} up', values: [0, 2] };
    const [condition] = conditionsOf(rule(), { ...sources([]), status: { endpoints: [{ name: 'openai', enabled: true, state: 'down', condition: { kind: 'down', why: '0 of 2 up', said: why } }] } as unknown as StatusSnapshot });
    assert.ok(condition !== undefined);
    assert.deepEqual(firedSentence(rule(), condition), { key: 'The endpoint "{0}" is down: {1}.', values: ['openai', why] });
  });

  test('reach a window also where a server without one was first, and once', async () => {
    const clock = { now: start };
    const folder = newFolder();
    const headless = new Server(folder, clock, [rule()], { hasAudience: false });
    await pass(clock, 30_000, () => { headless.book.look(sources(['openai'])); });
    const [window, other] = [new Server(folder, clock, [rule()]), new Server(folder, clock, [rule()])];
    await pass(clock, 100_000, () => { for (const each of [headless, window, other]) each.book.look(sources(['openai'])); });
    const restarted = new Server(folder, clock, [rule()]);
    await pass(clock, 30_000, () => { for (const each of [headless, restarted]) each.book.look(sources(['openai'])); });
    assert.deepEqual([...headless.shown, ...window.shown, ...other.shown, ...restarted.shown], ['The endpoint "openai" is down: timeouts.']);
    assert.deepEqual([...headless.said, ...window.said, ...other.said, ...restarted.said], [fired], 'the log of the first has it');
    await pass(clock, 200_000, () => { for (const each of [headless, restarted]) each.book.look(sources([])); });
    assert.match(restarted.shown.join(), /^The endpoint "openai" is up again/);
    assert.deepEqual([headless.shown, readdirSync(folder)], [[], []]);
  });

  describe('whose webhook was corrected', () => {
    const told = rule({ webhooks: ['team'], toEditor: false });
    const hooks = (url: string): Map<string, WebhookConfig> => new Map([['team', { name: 'team', url, form: 'json' as const }]]);
    async function until(what: string, isSo: () => boolean): Promise<void> {
      for (let turn = 0; !isSo(); turn += 1) {
        assert.ok(turn < 1000, what);
        await new Promise(resolve => setTimeout(resolve, 10));
      }
    }

    for (const [how, status] of [['while it was tried again', 503], ['after it had refused', 404]] as const) {
      test(`${how} reach the right address`, async () => {
        const clock = { now: start };
        const [wrong, right] = [await receiver([[status, { 'retry-after': '60' }]]), await receiver([])];
        const server = new Server(newFolder(), clock, [told], { webhooks: hooks(wrong.url) });
        server.book.look(sources(['openai']));
        await until('the wrong address was asked', () => wrong.received.length === 1 && (status === 503 || server.said.length === 2));
        await new Promise(resolve => setTimeout(resolve, 50));
        server.book.configure([told], hooks(right.url));
        await until('the right address was asked', () => right.received.length === 1);
        assert.equal((JSON.parse(right.received[0]?.body ?? '') as { subject: string }).subject, 'openai');
        server.book.close();
        await Promise.all([wrong.close(), right.close()]);
      });
    }

    test('when monitoring had been switched off reach it too', async () => {
      const clock = { now: start };
      const [wrong, right] = [await receiver([[503, { 'retry-after': '60' }]]), await receiver([])];
      const server = new Server(newFolder(), clock, [told], { webhooks: hooks(wrong.url) });
      server.book.look(sources(['openai']));
      await until('the wrong address was asked', () => wrong.received.length === 1);
      await new Promise(resolve => setTimeout(resolve, 50));
      server.book.close();
      await new Promise(resolve => setTimeout(resolve, 50));
      server.book.configure([told], hooks(right.url));
      server.book.look(sources(['openai']));
      await until('the right address was asked', () => right.received.length === 1);
      server.book.close();
      await Promise.all([wrong.close(), right.close()]);
    });
  });

  test('that a server did not live to tell are told by another one', async () => {
    const clock = { now: start };
    const folder = newFolder();
    new Server(folder, clock, [rule()]).book.look(sources(['openai']));
    const [file = ''] = readdirSync(folder).map(name => path.join(folder, name));
    // As a server leaves it that was killed before its message was taken.
    const { start: _start, space: _space, ...left } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify({ ...left, told: false, pid: 2 ** 22 + 1 }));
    utimesSync(file, clock.now / 1000, clock.now / 1000);
    const server = new Server(folder, clock, [rule()]);
    server.book.look(sources(['openai']));
    assert.deepEqual(server.said, [fired]);
  });

  test('about requests count those of all servers of a data folder, and tell once', async () => {
    const clock = { now: noon + 60_000 };
    const ledger = new InMemoryLedger();
    const { plan } = aReceipt('x');
    // As two servers recorded them: neither alone has enough.
    for (let index = 0; index < 24; index += 1) ledger.close(aReceipt(`x-${String(index)}`, { plan: { ...plan, route: 'coding' }, outcome: index < 12 ? 'failed' : 'ok' }));
    const fails = rule({ name: 'fails', when: 'error-rate', above: 0.1 });
    const folder = newFolder();
    const servers = [new Server(folder, clock, [fails]), new Server(folder, clock, [fails])];
    for (const server of servers) {
      const windows = new Windows({ outcomes: (range, bounds) => ledger.outcomes(range, bounds), revision: () => ledger.revision(), elapsed: () => 0 });
      await windows.take(clock.now, new Set([600_000]));
      server.book.look(sources([], { within: ms => windows.within(ms) }));
    }
    assert.deepEqual(servers.flatMap(({ said }) => said), ['Alert "fails": 50 % of the requests of route "coding" failed within 10 minutes; the bound is 10 %.']);
    assert.equal(servers.flatMap(({ shown }) => shown).length, 1);
  });

  test('about requests are read again no sooner than a reading is worth', async () => {
    let elapsed = 0;
    let revision = 0;
    let reads = 0;
    const windows = new Windows({ outcomes: () => { reads += 1; elapsed += 200; return Promise.resolve([]); }, revision: () => revision, elapsed: () => elapsed });
    const look = async (afterMs: number): Promise<number> => {
      elapsed += afterMs;
      await windows.take(start + elapsed, new Set([600_000]));
      return reads;
    };
    assert.equal(await look(0), 1);
    revision += 1;
    assert.equal(await look(5_000), 1, 'a reading that takes 0.2 s comes each 10 s');
    assert.equal(await look(5_000), 2);
    assert.equal(await look(20_000), 2, 'nothing ended since');
    assert.equal(await look(20_000), 3, 'what ended has grown old');
  });

  test('are about shares, times, budgets, canaries and spend', async () => {
    const counts = (...found: [place: number, count: number][]): number[] => secondsBounds.map((_bound, place) => found.find(([at]) => at === place)?.[1] ?? 0).concat(0);
    // Up to 1.28 s, and up to 163.84 s.
    const coding = { route: 'coding', requests: 40, failed: 10, totalCounts: counts([7, 30], [14, 10]), firstTokenCounts: counts([7, 30], [14, 10]) };
    const idle = { route: 'idle', requests: 3, failed: 3, totalCounts: counts([7, 3]), firstTokenCounts: counts() };
    const windows = new Windows({ outcomes: () => Promise.resolve([coding, idle]), revision: () => 1, elapsed: () => 0 });
    await windows.take(start, new Set([600_000]));
    const held = (one: Partial<AlertRule>, rest: Partial<ConditionSources> = {}): string[] => conditionsOf(rule(one), sources([], { within: ms => windows.within(ms), ...rest })).filter(({ holds }) => holds).map(({ subject }) => subject);
    assert.deepEqual(held({ when: 'error-rate', above: 0.2 }), ['coding'], '10 of 40, and 3 are too few');
    assert.deepEqual(held({ when: 'error-rate', above: 0.3 }), []);
    assert.deepEqual(held({ when: 'slow', above: 60 }), ['coding']);
    assert.deepEqual(held({ when: 'slow', above: 60, only: new Set(['idle']) }), []);
    assert.deepEqual(held({ when: 'spend', above: 20 }, { hourUsd: 20.5 }), ['']);
    assert.deepEqual(held({ when: 'spend', above: 20 }), [], 'not known yet');
    const status = { endpoints: [], budgets: [{ name: 'daily', share: 0.5 }, { name: 'daily', share: 0.95 }, { name: 'weekly', share: 0.1 }], canaries: [{ route: 'coding', phase: 'rolled-back', message: 'too many errors' }] } as unknown as StatusSnapshot;
    assert.deepEqual(held({ when: 'budget', above: 0.9 }, { status }), ['daily']);
    assert.deepEqual(held({ when: 'canary-rolled-back' }, { status }), ['coding']);
    assert.equal(quantile(0.5, [1, 2], [0, 10, 0]), 1.5);
  });

  test('say in one sentence what is wrong in their settings, and take secrets from the environment alone', () => {
    const problems: string[] = [];
    const found = resolveMonitoring({
      alerts: { down: { when: 'endpoint-down', to: ['team', 'nobody'] }, spend: { when: 'spend' } },
      webhooks: { team: { url: '${HOOK}', secret: '${SIGN}' }, written: { url: 'https://hooks.example.com/T000' }, plain: { url: '${PLAIN}' }, unset: { url: '${UNSET}' } },
    }, { HOOK: 'https://hooks.example.com/T123', SIGN: 'signing-secret', PLAIN: 'http://hooks.example.com/x' }, (where, message) => { problems.push(`${where.join('.')}: ${message}`); });
    assert.deepEqual(problems, [
      'monitoring.webhooks.written: The webhook "written" is left out: its address and its secret let whoever knows them write there; put them into environment variables and write ${NAME} here.',
      'monitoring.webhooks.plain: The webhook "plain" is left out: its address must begin with https://, or with http:// on this machine or a private network.',
      'monitoring.webhooks.unset: The webhook "unset" is left out: the environment variable UNSET is not set.',
      'monitoring.alerts.down.to: The alert "down" is not sent to "nobody": there is no such webhook that can be used.',
      'monitoring.alerts.spend: The alert "spend" is left out: give "above", the US dollars of an hour.',
    ]);
    assert.deepEqual(found?.secrets, ['https://hooks.example.com/T123', 'signing-secret']);
    assert.deepEqual(found.alerts?.map(({ name, webhooks, toEditor, forMs }) => ({ name, webhooks, toEditor, forMs })), [{ name: 'down', webhooks: ['team'], toEditor: false, forMs: 300_000 }]);
  });
});

describe('webhooks', () => {
  const message = { event: 'fired', incident: 'i1', rule: 'down', when: 'endpoint-down', subject: 'openai', message: 'The endpoint "openai" is down: <5 & 6>.', startedAt: '2026-11-20T12:00:00.000Z' } as const;

  test('get signed JSON, again where they say so', async () => {
    const hook = await receiver([[503, { 'retry-after': '0' }], [200, {}]]);
    const lines: string[] = [];
    const sender = new WebhookSender({ name: 'team', url: hook.url, form: 'json', secret: 'signing-secret' }, { warn: line => { lines.push(line); } }, () => start, receivers.post);
    await sender.send(message);
    assert.equal(hook.received.length, 2);
    const [first] = hook.received;
    assert.deepEqual(JSON.parse(first?.body ?? ''), { version: 1, ...message });
    const time = String(start / 1000);
    assert.equal(first?.headers['x-waybill-signature'], `t=${time},v1=${createHmac('sha256', 'signing-secret').update(`${time}.${first?.body ?? ''}`).digest('hex')}`);
    assert.deepEqual(lines, []);
    await hook.close();
  });

  test('that refuse are named in the log without their address', async () => {
    const hook = await receiver([[404, {}]]);
    const lines: string[] = [];
    await new WebhookSender({ name: 'team', url: hook.url, form: 'slack' }, { warn: line => { lines.push(line); } }, () => start, receivers.post).send(message);
    assert.deepEqual(lines, ['The webhook "team" did not take the message of an alert: HTTP 404.']);
    assert.deepEqual(JSON.parse(hook.received[0]?.body ?? ''), { text: ':rotating_light: Waybill: The endpoint "openai" is down: &lt;5 &amp; 6&gt;.' });
    assert.equal(hook.received[0]?.headers['x-waybill-signature'], undefined);
    await hook.close();
  });

  test('get thirty messages in ten minutes, and then how many were left out', async () => {
    const hook = await receiver([]);
    let now = start;
    const sender = new WebhookSender({ name: 'team', url: hook.url, form: 'json' }, { warn() {} }, () => now, receivers.post);
    await Promise.all(Array.from({ length: 33 }, () => sender.send(message)));
    assert.equal(hook.received.length, 30);
    now += 600_000;
    await sender.send(message);
    assert.equal(hook.received.length, 31);
    assert.equal(hook.received.reduce((sum, { body }) => sum + ((JSON.parse(body) as { leftOut?: number }).leftOut ?? 0), 0), 3);
    await hook.close();
  });
});
