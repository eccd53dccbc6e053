import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { notedPorts, PortNote, portsFolder } from '../../../../server/inbound/http/servedPorts.ts';
import { temporaryFolder } from '../../../integration/support/temporaryFolder.ts';

test('notes of servers that were killed do not push out the note of one that lives', t => {
  const { folder, remove } = temporaryFolder();
  t.after(remove);
  const ports = path.join(folder, portsFolder);
  mkdirSync(ports);
  const gone = spawnSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).stdout.trim();
  const living = new PortNote(folder);
  living.follow({ state: 'listening', url: 'http://127.0.0.1:7000' });
  utimesSync(path.join(ports, '7000'), 1, 1);
  // Killed since then, most of them.
  for (let port = 7001; port <= 7020; port += 1) writeFileSync(path.join(ports, String(port)), port === 7020 ? String(process.pid) : gone);
  assert.deepEqual(notedPorts(folder).slice(0, 2), [7020, 7000]);
  const next = new PortNote(folder);
  next.follow({ state: 'listening', url: 'http://127.0.0.1:7021' });
  const noted = readdirSync(ports);
  assert.ok(noted.includes('7000') && noted.includes('7020') && noted.includes('7021'), noted.join());
  assert.equal(noted.length, 16);
  next.remove();
  assert.ok(!readdirSync(ports).includes('7021'));
});
