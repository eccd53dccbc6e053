import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { NoticeClaims } from '../../../../server/router/incidents/noticeClaims.ts';
import { noRouteNotice } from '../../../../server/router/incidents/noRouteNotice.ts';
import { FailureNotices } from '../../../../server/router/notices.ts';
import { temporaryFolder } from '../../../integration/support/temporaryFolder.ts';

const minute = 60_000;
const noon = new Date(2026, 10, 27, 12, 0).getTime();

/** Two servers of one folder at a clock that the test moves, and what each told. */
function twoWindows(): { one: FailureNotices; other: FailureNotices; told: string[]; clock: { at: number }; audience: { one: boolean }; remove(): void } {
  const { folder, remove } = temporaryFolder();
  const clock = { at: noon };
  const audience = { one: true };
  const told: string[] = [];
  const window = (name: string, hasAudience: () => boolean): FailureNotices => new FailureNotices({
    drills: { isDrilled: () => false }, healthRegistry: { isOffline: () => false }, claims: new NoticeClaims(path.join(folder, 'notices'), { now: () => clock.at }), hasAudience,
    notify: notice => { told.push(`${name} ${notice.kind} ${notice.endpoint}`); },
  });
  return { one: window('one', () => audience.one), other: window('other', () => true), told, clock, audience, remove };
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
      'No provider can answer a request now. north: down (network error); south: paused until it is resumed. Wait, resume or mend one, or add another provider.');
  });

  it('is not told for a failure of the request, nor where every reason has a notice of its own', () => {
    for (const own of ['bad-request', 'context-overflow', 'content-policy', 'cancelled', 'local', 'model-not-found'] as const) assert.equal(noRouteNotice(own, [down], noon), undefined, own);
    assert.equal(noRouteNotice('auth', [{ endpoint: 'north', condition: { kind: 'key-rejected' } }, { endpoint: 'south', condition: { kind: 'out-of-money' } }], noon), undefined);
    assert.equal(noRouteNotice('network', [{ endpoint: 'north', condition: { kind: 'offline' } }], noon), undefined);
    assert.equal(noRouteNotice('network', [], noon), undefined);
  });
});
