import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { silentLog } from '../../../../server/base/log.ts';
import { PortLease } from '../../../../server/inbound/http/portLease.ts';

test('a connection that cannot be accepted is logged once, and the port is still held', async () => {
  const warnings: string[] = [];
  const server = createServer((_request, response) => response.end('here'));
  const holder = new PortLease(server, { token: 'a-token-of-this-test', file: 'token' }, { ...silentLog, warn: text => { warnings.push(text); }, error: text => assert.fail(text) }, () => undefined);
  holder.hold(0);
  await once(server, 'listening');
  await setImmediate();
  try {
    for (let index = 0; index < 1000; index += 1) server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE', syscall: 'accept' }));
    assert.equal(holder.status.state, 'listening');
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /EMFILE.*ulimit -n/);
    assert.equal(await (await fetch(holder.status.url ?? '')).text(), 'here');
  } finally {
    holder.release();
  }
});
