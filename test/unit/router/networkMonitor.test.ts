import assert from 'node:assert/strict';
import type { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import type { NoticeParams } from '../../../server/api/messages.ts';
import { hasInterface, NetworkMonitor } from '../../../server/router/networkMonitor.ts';
import type { NetworkTrouble } from '../../../server/health/network/networkState.ts';

type Interfaces = ReturnType<typeof networkInterfaces>;

function interfacesWith(addresses: Record<string, string>): Interfaces {
  return Object.fromEntries(Object.entries(addresses).map(([name, address]) => {
    const common = { address, netmask: '', mac: '', cidr: null, internal: name === 'lo' };
    return [name, [address.includes(':') ? { ...common, family: 'IPv6' as const, scopeid: 0 } : { ...common, family: 'IPv4' as const }]];
  }));
}
const wired = interfacesWith({ lo: '127.0.0.1', eth0: '192.168.1.4' });
const bare = interfacesWith({ lo: '127.0.0.1' });

/** A network monitor whose clocks and interfaces the test sets. */
class MonitorUnderTest {
  now = 1_000_000;
  elapsedMs = 0;
  interfaces: () => Interfaces = () => wired;
  trouble: NetworkTrouble | undefined;
  readonly reported: boolean[] = [];
  readonly slept: [from: number, to: number][] = [];
  readonly notices: NoticeParams[] = [];
  readonly monitor = new NetworkMonitor({
    healthRegistry: {
      reportInterfaces: present => { this.reported.push(present); },
      slept: (from, to) => { this.slept.push([from, to]); },
      networkTrouble: () => this.trouble,
    },
    notify: notice => { this.notices.push(notice); },
    interfaces: () => this.interfaces(),
    elapsedMs: () => this.elapsedMs,
  });
  /** Advances both clocks, then ticks the monitor. */
  tick(ms: number, elapsedMs = ms): void {
    this.now += ms;
    this.elapsedMs += elapsedMs;
    this.monitor.tick(this.now);
  }
}

test('interfaces are read at most once a second, however often the monitor ticks', () => {
  const under = new MonitorUnderTest();
  for (let index = 0; index < 40; index += 1) under.tick(100);
  assert.deepEqual(under.reported, [true, true, true, true]);
  under.interfaces = () => bare;
  under.tick(1000);
  assert.equal(under.reported.at(-1), false);
});

test('a system that does not report its interfaces counts as connected', () => {
  const under = new MonitorUnderTest();
  under.interfaces = () => { throw new Error('not permitted'); };
  under.tick(1000);
  assert.deepEqual(under.reported, [true]);
});

test('a tick that is ten seconds late counts as a sleep, on either clock', () => {
  const under = new MonitorUnderTest();
  under.tick(1000);
  under.tick(9000);
  assert.deepEqual(under.slept, [], 'a busy machine does not count as asleep');
  under.tick(3_600_000, 1000);
  assert.deepEqual(under.slept, [[under.now - 3_600_000, under.now]], 'the elapsed clock stops during the sleep');
  under.tick(-60_000, 30_000);
  assert.deepEqual(under.slept[1], [under.now - 30_000, under.now], 'the clock of the day was set back during the sleep');
  under.tick(1000);
  assert.equal(under.slept.length, 2);
});

test('the user is notified once when a network problem lasts, and again when it returns or changes', () => {
  const under = new MonitorUnderTest();
  under.tick(1000);
  under.trouble = { kind: 'offline', since: under.now };
  for (let index = 0; index < 4; index += 1) under.tick(1000);
  assert.equal(under.notices.length, 0, 'the problem may be brief');
  for (let index = 0; index < 20; index += 1) under.tick(1000);
  assert.deepEqual(under.notices.map(({ kind, endpoint }) => [kind, endpoint]), [['offline', '']]);
  assert.match(under.notices[0]?.message ?? '', /^You are offline: .+local models still work\.$/);
  under.trouble = { kind: 'portal', since: under.now };
  for (let index = 0; index < 20; index += 1) under.tick(1000);
  assert.deepEqual(under.notices.map(({ kind }) => kind), ['offline', 'portal']);
  assert.match(under.notices[1]?.message ?? '', /sign in/);
  under.trouble = undefined;
  under.tick(1000);
  under.trouble = { kind: 'portal', since: under.now };
  for (let index = 0; index < 20; index += 1) under.tick(1000);
  assert.equal(under.notices.length, 3);
});

test('a machine that wakes has 15 seconds to find its network before the user is notified', () => {
  const under = new MonitorUnderTest();
  under.tick(1000);
  under.tick(600_000);
  under.trouble = { kind: 'offline', since: under.now };
  for (let index = 0; index < 14; index += 1) under.tick(1000);
  assert.equal(under.notices.length, 0);
  under.tick(1000);
  assert.equal(under.notices.length, 1);
});

test('only an interface that may lead out counts', () => {
  assert.equal(hasInterface(bare), false);
  assert.equal(hasInterface({}), false);
  assert.equal(hasInterface(wired), true);
  assert.equal(hasInterface(interfacesWith({ wlan0: '2001:db8::7' })), true);
  assert.equal(hasInterface(interfacesWith({ en0: '169.254.10.2', awdl0: 'fe80::1', utun0: 'FE80::2' })), false);
  assert.equal(hasInterface(interfacesWith({ docker0: '172.17.0.1', 'br-0123456789ab': '172.18.0.1', vmnet8: '192.168.90.1', 'vEthernet (WSL (Hyper-V firewall))': '172.20.0.1' })), false);
  assert.equal(hasInterface(interfacesWith({ 'vEthernet (External)': '192.168.1.9', docker0: '172.17.0.1' })), true);
});
