import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';
import { isAliveHere, type InstanceRow } from '../../../../server/ledger/sqlite/instances.ts';
import { processIdentity } from '../../../../server/base/processIdentity.ts';

const now = Date.now();

function row(pid: number, overrides: Partial<InstanceRow> = {}): InstanceRow {
  return { id: 'x', host: hostname(), pid, startedAt: now, heartbeat: now, ...processIdentity(pid), ...overrides };
}

describe('whether the process of a row still runs', { skip: process.platform !== 'linux' && 'only Linux reports when a process began' }, () => {
  it('is decided by its id and its start: another process with the same id is another process', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    try {
      await once(child, 'spawn');
      const pid = child.pid ?? 0;
      const living = row(pid);
      assert.ok(isAliveHere(living, now));
      assert.ok(isAliveHere({ ...living, heartbeat: now - 3_600_000 }, now), 'a quiet process still runs');
      assert.ok(!isAliveHere({ ...living, start: String(Number(living.start) - 1) }, now), 'an earlier process with this id');
      assert.ok(!isAliveHere(row(process.pid, { start: '1' }), now), 'an earlier process with our own id');
      child.kill('SIGKILL');
      await once(child, 'exit');
      assert.ok(!isAliveHere(living, now));
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('is decided by its last heartbeat where its ids cannot be looked up from here', () => {
    const elsewhere = row(process.pid, { space: 'another boot pid:[1]' });
    assert.ok(isAliveHere(elsewhere, now));
    assert.ok(!isAliveHere(elsewhere, now + 20_000));
    const otherMachine = row(process.pid, { host: 'another.example' });
    assert.ok(isAliveHere(otherMachine, now));
    assert.ok(!isAliveHere(otherMachine, now + 20_000));
  });

  it('is decided by both where its start is not known', () => {
    const { space: _space, start: _start, ...unknown } = row(process.ppid);
    assert.ok(isAliveHere(unknown, now));
    assert.ok(!isAliveHere({ ...unknown, heartbeat: now - 120_000 }, now));
  });
});
