import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusSnapshot } from '../../../../server/api/status.ts';
import { StatusSender } from '../../../../server/inbound/lsp/statusSender.ts';

test('a state that cannot be put together is logged once and does not end the process; the next good one is sent', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const said: string[] = [];
  const sent: StatusSnapshot[] = [];
  const good = { at: 1 } as StatusSnapshot;
  let broken = true;
  const sender = new StatusSender(() => {
    if (broken) throw new Error('out of range');
    return good;
  }, (snapshot) => { sent.push(snapshot); }, { error: (message) => { said.push(message); } });
  for (let turn = 0; turn < 2; turn += 1) {
    sender.changed();
    t.mock.timers.tick(1000);
  }
  assert.deepEqual([said.length, sent.length], [1, 0]);
  broken = false;
  sender.changed();
  t.mock.timers.tick(1000);
  assert.deepEqual(sent, [good]);
  sender.stop();
});
