import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PeerStops } from '../../../server/router/peerStops.ts';

describe('the end of a request that a peer runs', () => {
  let folder: string;
  let ends: AbortController;
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'waybill-stops-')), 'stops');
    ends = new AbortController();
  });
  afterEach(() => {
    ends.abort();
    rmSync(join(folder, '..'), { recursive: true, force: true });
  });

  /** A peer that runs some requests, and looks for questions again and again. @returns what it was asked to stop */
  function peer(running: string[], stop: (id: string) => 'stopped' | 'shared' | false): string[] {
    const asked: string[] = [];
    const stops = new PeerStops(folder);
    void (async () => {
      while (!ends.signal.aborted) {
        stops.answer(() => running, id => { asked.push(id); return stop(id); });
        await sleep(10);
      }
    })();
    return asked;
  }

  it('is brought about by the one that runs it, once, and no file is left', async () => {
    const other = peer(['wb_other'], () => 'stopped');
    const asked = peer(['wb_1', 'wb_2'], () => 'stopped');
    assert.equal(await new PeerStops(folder).ask('wb_2'), 'stopped');
    assert.deepEqual([asked, other], [['wb_2'], []]);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('is told with what became of it', async () => {
    peer(['shared', 'late'], id => (id === 'shared' ? 'shared' : false));
    assert.equal(await new PeerStops(folder).ask('shared'), 'shared');
    assert.equal(await new PeerStops(folder).ask('late'), 'ended');
  });

  it('is undefined where nobody runs it, and a later server does not find the question', async () => {
    assert.equal(await new PeerStops(folder, 50).ask('../../../etc/passwd'), undefined);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('is not held up by damaged files, and a question of a dead server is removed by the next one', async () => {
    await new PeerStops(folder, 1).ask('x');
    const dead = join(folder, `${'a'.repeat(32)}.json`);
    writeFileSync(dead, '{"outcome":');
    utimesSync(dead, new Date(0), new Date(0));
    peer(['wb_1'], () => 'stopped');
    assert.equal(await new PeerStops(folder).ask('wb_1'), 'stopped');
    assert.deepEqual(readdirSync(folder), []);
  });
});
