import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NoticeMemory, noticeActions } from '../../../../client/notices/notices.ts';
import type { NoticeParams } from '../../../../server/api/messages.ts';
import { emptyStatus, endpoint } from '../fakes.ts';

describe('notices', () => {
  it('are shown once per endpoint and kind, until the endpoint is healthy again', () => {
    const memory = new NoticeMemory();
    const rejected = { kind: 'key-rejected', endpoint: 'openai' } as const;
    assert.equal(memory.isNew(rejected), true);
    assert.equal(memory.isNew(rejected), false);
    assert.equal(memory.isNew({ kind: 'no-money', endpoint: 'openai' }), true);
    assert.equal(memory.isNew({ kind: 'key-rejected', endpoint: 'openai-2' }), true);
    memory.recover(emptyStatus({ endpoints: [endpoint('openai', { state: 'down' })] }));
    assert.equal(memory.isNew(rejected), false);
    memory.recover(emptyStatus({ endpoints: [endpoint('openai')] }));
    assert.equal(memory.isNew(rejected), true);
    assert.equal(memory.isNew({ kind: 'key-rejected', endpoint: 'openai-2' }), false);
  });

  it('are shown again after the endpoint\'s keys changed', () => {
    const memory = new NoticeMemory();
    memory.isNew({ kind: 'key-rejected', endpoint: 'openai' });
    memory.forget('openai');
    assert.equal(memory.isNew({ kind: 'key-rejected', endpoint: 'openai' }), true);
  });

  it('of the machine itself are shown again when its network was up in between', () => {
    const memory = new NoticeMemory();
    const offline = { kind: 'offline', endpoint: '' } as const;
    assert.equal(memory.isNew(offline), true);
    memory.recover(emptyStatus({ link: { kind: 'offline', since: 0 }, endpoints: [endpoint('local')] }));
    assert.equal(memory.isNew(offline), false);
    memory.recover(emptyStatus({ endpoints: [endpoint('openai', { state: 'down' })] }));
    assert.equal(memory.isNew(offline), true);
  });

  it('carry the button that helps', () => {
    const titles = (kind: NoticeParams['kind'], helpUrl?: string) =>
      noticeActions({ kind, endpoint: 'openai', message: 'x', helpUrl }).map(action => action.title);
    assert.deepEqual(titles('no-money', 'https://x'), ['Open Billing Page']);
    assert.deepEqual(titles('key-rejected', 'https://x'), ['Replace Key…', 'Open Key Page']);
    assert.deepEqual(titles('key-rejected'), ['Replace Key…']);
    assert.deepEqual(titles('offline'), ['Check Health Now']);
    assert.deepEqual(titles('portal'), ['Check Health Now']);
    assert.deepEqual(titles('no-money'), []);
  });

  it('of an alert lead to what it is about, and ask nothing once it is over', () => {
    const titles = (alert: NonNullable<NoticeParams['alert']>): string[] => noticeActions({ kind: 'alert', endpoint: '', message: 'x', alert }).map(action => action.title);
    assert.deepEqual(titles({ event: 'fired', when: 'endpoint-down' }), ['Check Health Now', 'Show Incidents…']);
    assert.deepEqual(titles({ event: 'fired', when: 'spend' }), ['Edit Budgets…']);
    assert.deepEqual(titles({ event: 'fired', when: 'budget' }), ['Edit Budgets…']);
    assert.deepEqual(titles({ event: 'over', when: 'endpoint-down' }), []);
  });
});
