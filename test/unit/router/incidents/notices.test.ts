import assert from 'node:assert/strict';
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { EndpointStatus } from '../../../../server/api/status.ts';
import { NoticeClaims } from '../../../../server/router/incidents/noticeClaims.ts';
import { noRouteNotice } from '../../../../server/router/incidents/noRouteNotice.ts';
import { FailureNotices } from '../../../../server/router/notices.ts';
import { temporaryFolder } from '../../../integration/support/temporaryFolder.ts';

const minute = 60_000;
const noon = new Date(2026, 10, 27, 12, 0).getTime();

/** Two servers of one folder at a clock that the test moves, and what each told. */
function twoWindows(): { one: FailureNotices; other: FailureNotices; told: string[]; clock: { at: number }; audience: { one: boolean }; see(state: EndpointStatus['state'], nothingCanServe?: boolean): void; notices: string; remove(): void } {
  const { folder, remove } = temporaryFolder();
  const clock = { at: noon };
  const audience = { one: true };
  const told: string[] = [];
  const notices = path.join(folder, 'notices');
  const all: NoticeClaims[] = [];
  const window = (name: string, hasAudience: () => boolean): FailureNotices => {
    const claims = new NoticeClaims(notices, { now: () => clock.at });
    all.push(claims);
    return new FailureNotices({ drills: { isDrilled: () => false }, healthRegistry: { isOffline: () => false }, claims, hasAudience, notify: notice => { told.push(`${name} ${notice.kind} ${notice.endpoint}`); } });
  };
  const see = (state: EndpointStatus['state'], nothingCanServe = false): void => {
    for (const claims of all) claims.recover({ endpoints: [{ name: 'north', state } as EndpointStatus], link: undefined, nothingCanServe });
  };
  return { one: window('one', () => audience.one), other: window('other', () => true), told, clock, audience, see, notices, remove };
}

const rejected = { endpoint: 'north', failureClass: 'auth', code: 'provider-auth', message: 'north rejected the key.', helpUrl: undefined, key: 'k1' } as const;

describe('a notice in two windows', () => {
  it('is shown by one of them, once for an incident', () => {
    const { one, other, told, clock, remove } = twoWindows();
    for (let round = 0; round < 30; round += 1) {
      one.failed(rejected);
      other.failed(rejected);
      clock.at += minute;
    }
    assert.deepEqual(told, ['one key-rejected north']);
    clock.at += 11 * minute;
    other.failed(rejected);
    assert.deepEqual(told, ['one key-rejected north', 'other key-rejected north'], 'after ten quiet minutes it is another incident');
    remove();
  });

  it('is another one for another endpoint, kind or key', () => {
    const { one, other, told, remove } = twoWindows();
    one.failed(rejected);
    other.failed({ ...rejected, endpoint: 'south' });
    other.failed({ ...rejected, key: 'k2' });
    other.failed({ ...rejected, failureClass: 'quota' });
    assert.deepEqual(told, ['one key-rejected north', 'other key-rejected south', 'other key-rejected north', 'other no-money north']);
    remove();
  });

  it('is shown again while it lasts where the server that told is gone', () => {
    const { one, other, told, notices, clock, remove } = twoWindows();
    one.failed(rejected);
    other.failed(rejected);
    assert.equal(told.length, 1, 'the server that told lives');
    const file = path.join(notices, readdirSync(notices)[0] ?? '');
    const teller = JSON.parse(readFileSync(file, 'utf8')) as { pid: number };
    assert.equal(teller.pid, process.pid);
    // No process has this id.
    writeFileSync(file, JSON.stringify({ ...teller, pid: 2_147_483_646 }));
    utimesSync(file, clock.at / 1000, clock.at / 1000);
    other.failed(rejected);
    one.failed(rejected);
    assert.deepEqual(told, ['one key-rejected north', 'other key-rejected north']);
    writeFileSync(file, JSON.stringify({ ...teller, host: 'another-machine', pid: 2_147_483_646 }));
    utimesSync(file, clock.at / 1000, clock.at / 1000);
    other.failed(rejected);
    assert.equal(told.length, 2, 'processes of another machine cannot be looked up');
    remove();
  });

  it('is shown again for the next incident, however soon after the endpoint was healthy again', () => {
    const { one, other, told, see, remove } = twoWindows();
    one.failed(rejected);
    see('healthy');
    other.failed(rejected);
    assert.equal(told.length, 1, 'another key served all the time');
    see('down');
    see('degraded');
    other.failed(rejected);
    assert.equal(told.length, 1, 'it is not over');
    see('healthy');
    other.failed(rejected);
    assert.deepEqual(told, ['one key-rejected north', 'other key-rejected north']);
    const noRoute = { kind: 'no-route', endpoint: '', message: '' } as const;
    one.tell(noRoute);
    see('down', true);
    other.tell(noRoute);
    see('down');
    other.tell(noRoute);
    assert.deepEqual(told.slice(2), ['one no-route ', 'other no-route ']);
    remove();
  });

  it('is shown where a file stands in the place of the folder', () => {
    const { one, told, notices, remove } = twoWindows();
    writeFileSync(notices, '');
    one.failed(rejected);
    assert.deepEqual(told, ['one key-rejected north']);
    remove();
  });

  it('is not used up by a server that has no window', () => {
    const { one, other, told, audience, remove } = twoWindows();
    audience.one = false;
    one.failed(rejected);
    other.failed(rejected);
    assert.deepEqual(told, ['other key-rejected north']);
    remove();
  });
});

describe('that no provider can answer', () => {
  const down = { endpoint: 'north', condition: { kind: 'down', why: 'network error' } } as const;

  it('is told with each reason', () => {
    assert.equal(noRouteNotice('network', [down, { endpoint: 'south', condition: { kind: 'paused' } }, { endpoint: 'off', condition: { kind: 'disabled' } }], noon)?.message,
      'No provider can answer a request now. north: down (network error); south: paused until it is resumed. Wait, resume or repair one, or add another provider.');
  });

  it('is not told for a failure of the request, nor where every reason has a notice of its own', () => {
    for (const own of ['bad-request', 'context-overflow', 'content-policy', 'cancelled', 'local', 'model-not-found'] as const) assert.equal(noRouteNotice(own, [down], noon), undefined, own);
    assert.equal(noRouteNotice('auth', [{ endpoint: 'north', condition: { kind: 'key-rejected' } }, { endpoint: 'south', condition: { kind: 'out-of-money' } }], noon), undefined);
    assert.equal(noRouteNotice('network', [{ endpoint: 'north', condition: { kind: 'offline' } }], noon), undefined);
    assert.equal(noRouteNotice('network', [], noon), undefined);
  });
});
