import assert from 'node:assert/strict';
import { readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { conditionText } from '../../../../server/api/condition.ts';
import { pauseEnd, pauseText } from '../../../../server/api/endpoints/pause.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { EndpointFiles } from '../../../../server/router/endpoints/endpointFiles.ts';
import { Pauses } from '../../../../server/router/endpoints/pauses.ts';
import { temporaryFolder } from '../../../integration/support/temporaryFolder.ts';
import { noon } from '../../ledger/receipts.ts';
import { snapshotRouter } from '../snapshotRouter.ts';

/** Two servers on one folder, and what each was told to forget. */
function twoServers(): { folder: string; one: Pauses; other: Pauses; forgotten: string[]; changes: string[]; remove(): void } {
  const { folder, remove } = temporaryFolder();
  const forgotten: string[] = [];
  const changes: string[] = [];
  const server = (name: string): Pauses => new Pauses({
    files: new EndpointFiles(path.join(folder, 'endpoints')), clock: { now: () => noon }, log: silentLog,
    reset: endpoint => { forgotten.push(`${name} ${endpoint}`); }, changed: () => { changes.push(name); },
  });
  return { folder, one: server('one'), other: server('other'), forgotten, changes, remove };
}

describe('a pause', () => {
  it('ends after its span, at midnight, or never by itself', () => {
    const at = new Date(2026, 10, 27, 21, 30).getTime();
    assert.deepEqual(pauseEnd('15m', at), { until: at + 900_000 });
    assert.deepEqual(pauseEnd('2d', at), { until: at + 2 * 86_400_000 });
    assert.deepEqual(pauseEnd('tomorrow', at), { until: new Date(2026, 10, 28).getTime() });
    assert.deepEqual(pauseEnd('resumed', at), {});
    for (const wrong of ['', '15', '0m', '32d', '-1h', 'an hour', '1h ', '1.5h']) assert.equal(pauseEnd(wrong, at), undefined, wrong);
    assert.equal(pauseText({ until: at + 900_000 }, at), 'paused until 21:45');
    assert.equal(pauseText({}, at), 'paused until it is resumed');
  });

  it('is known to the other server at its next tick, and to one that starts later', () => {
    const { one, other, changes, folder, remove } = twoServers();
    other.tick();
    changes.length = 0;
    one.pause('north', noon + 60_000);
    assert.equal(other.of('north', noon), undefined);
    other.tick();
    assert.equal(other.of('north', noon)?.until, noon + 60_000);
    assert.deepEqual(changes, ['one', 'other']);
    assert.equal(other.of('north', noon + 60_000), undefined, 'it is over at its end');
    const later = new Pauses({ files: new EndpointFiles(path.join(folder, 'endpoints')), clock: { now: () => noon }, log: silentLog, reset: () => undefined, changed: () => undefined });
    later.readOnce();
    assert.match(later.reason('north', noon) ?? '', /^it is paused until \d\d:\d\d$/);
    other.resume('north');
    one.tick();
    assert.equal(one.of('north', noon), undefined);
    remove();
  });

  it('of one endpoint is not lost when the other server decides about another one', () => {
    const { one, other, remove } = twoServers();
    one.pause('north', undefined);
    other.pause('south', undefined);
    one.tick();
    for (const server of [one, other]) for (const name of ['north', 'south']) assert.ok(server.of(name, noon) !== undefined, name);
    remove();
  });

  it('survives files that hold no decision', () => {
    const { one, other, folder, remove } = twoServers();
    one.pause('north', undefined);
    const [file] = readdirSync(path.join(folder, 'endpoints'));
    writeFileSync(path.join(folder, 'endpoints', `${'0'.repeat(32)}.json`), '{"endpoint":"south","pause":{"since":1}}');
    writeFileSync(path.join(folder, 'endpoints', `${'1'.repeat(32)}.json`), '{{{');
    other.tick();
    assert.ok(other.of('north', noon) !== undefined);
    assert.equal(other.of('south', noon), undefined, 'its name is not that of the endpoint');
    writeFileSync(path.join(folder, 'endpoints', file ?? ''), 'damaged');
    writeFileSync(path.join(folder, 'endpoints', 'note.txt'), 'makes the folder newer');
    other.tick();
    assert.equal(other.of('north', noon), undefined);
    remove();
  });

  it('stands while its file cannot be read, and the file is read again at the next tick', { skip: process.platform === 'win32' && 'links need a right there' }, () => {
    const { one, other, folder, remove } = twoServers();
    one.pause('north', undefined);
    other.tick();
    const file = path.join(folder, 'endpoints', readdirSync(path.join(folder, 'endpoints'))[0] ?? '');
    renameSync(file, path.join(folder, 'kept'));
    // A link to itself: every read fails, and the file is there.
    symlinkSync(file, file);
    one.pause('south', undefined);
    other.tick();
    assert.ok(other.of('north', noon) !== undefined, 'the last decision stands');
    assert.ok(other.of('south', noon) !== undefined, 'others are read');
    rmSync(file);
    writeFileSync(file, JSON.stringify({ endpoint: 'north', pause: { since: noon, until: noon + 60_000 } }));
    other.tick();
    assert.equal(other.of('north', noon)?.until, noon + 60_000);
    remove();
  });

  it('stands while the folder cannot be read, which keeps no server from starting', () => {
    const { one, other, folder, remove } = twoServers();
    one.pause('north', undefined);
    other.tick();
    renameSync(path.join(folder, 'endpoints'), path.join(folder, 'kept'));
    writeFileSync(path.join(folder, 'endpoints'), 'no folder');
    assert.throws(() => { other.tick(); });
    assert.ok(other.of('north', noon) !== undefined);
    const later = new Pauses({ files: new EndpointFiles(path.join(folder, 'endpoints')), clock: { now: () => noon }, log: silentLog, reset: () => undefined, changed: () => undefined });
    later.readOnce();
    rmSync(path.join(folder, 'endpoints'));
    renameSync(path.join(folder, 'kept'), path.join(folder, 'endpoints'));
    later.tick();
    assert.ok(later.of('north', noon) !== undefined);
    remove();
  });

  it('holds in its own server where the folder cannot be written to, which it says', () => {
    const pauses = new Pauses({
      files: { known: [], poll: () => undefined, read: () => undefined, write: () => { throw new Error('read-only'); } }, clock: { now: () => noon }, log: silentLog, reset: () => undefined, changed: () => undefined,
    });
    assert.match(pauses.pause('north', undefined) ?? '', /other windows do not know of it/);
    assert.ok(pauses.of('north', noon) !== undefined);
  });

  it('carries out a reset once in each server', () => {
    const { one, other, forgotten, remove } = twoServers();
    one.forgetFailures('north');
    other.tick();
    one.pause('north', undefined);
    other.tick();
    assert.deepEqual(forgotten, ['one north', 'other north']);
    remove();
  });

  it('carries out a reset after one of a clock that ran ahead, and forgets nothing of the time to come', () => {
    const { folder, remove } = temporaryFolder();
    const resets: [string, number][] = [];
    let now = noon + 86_400_000;
    const server = (name: string): Pauses => new Pauses({
      files: new EndpointFiles(path.join(folder, 'endpoints')), clock: { now: () => now }, log: silentLog, reset: (_endpoint, at) => { resets.push([name, at]); }, changed: () => undefined,
    });
    const one = server('one');
    one.forgetFailures('north');
    now = noon;
    const other = server('other');
    other.readOnce();
    now += 1_000;
    one.forgetFailures('north');
    other.tick();
    other.tick();
    assert.deepEqual(resets, [['one', noon + 86_400_000], ['other', noon], ['one', noon + 1_000], ['other', noon + 1_000]]);
    remove();
  });
});

describe('a paused endpoint', () => {
  it('is said to be paused, is no target of a plan, and comes back at the end of its pause', async () => {
    const testRouter = snapshotRouter();
    testRouter.answer('north');
    const { router } = testRouter;
    const result = await router.endpoints.act({ action: 'pause', endpoint: 'north', until: testRouter.now() + 900_000 });
    assert.match('refused' in result ? '' : result.message, /^north is paused until 12:15; requests go around it\.$/);
    const [north] = testRouter.snapshot().endpoints;
    assert.equal(conditionText(north?.condition ?? { kind: 'down' }, testRouter.now()), 'paused, resumes at 12:15');
    const went = router.tryRoute({ requestedModel: 'default', inputTokens: 100, tools: false, images: false });
    assert.ok(JSON.stringify(went).includes('it is paused until 12:15'), JSON.stringify(went));
    assert.equal(testRouter.snapshot().offered[0]?.detail, '1/2 up · via south');
    testRouter.forward(900_000);
    assert.equal(testRouter.snapshot().endpoints[0]?.condition.kind, 'healthy');
  });

  it('can be alone: then nothing can serve', async () => {
    const testRouter = snapshotRouter({ endpoints: { north: {} } });
    testRouter.answer('north');
    await testRouter.router.endpoints.act({ action: 'pause', endpoint: 'north' });
    assert.equal(testRouter.snapshot().nothingCanServe, true);
    assert.equal(testRouter.router.canServe(), false);
    assert.equal(testRouter.snapshot().offered[0]?.detail, 'paused until it is resumed');
    const result = await testRouter.router.endpoints.act({ action: 'resume', endpoint: 'north' });
    assert.ok('message' in result);
    assert.equal(testRouter.router.canServe(), true);
    assert.deepEqual(await testRouter.router.endpoints.act({ action: 'resume', endpoint: 'north' }), { refused: 'north is not paused.' });
    assert.deepEqual(await testRouter.router.endpoints.act({ action: 'pause', endpoint: 'east' }), { refused: 'There is no endpoint "east"; known are north.' });
    assert.deepEqual(await testRouter.router.endpoints.act({ action: 'pause', endpoint: 'north', until: testRouter.now() }), { refused: 'A pause has to end later than now.' });
  });
});

describe('a reset', () => {
  const admission = (testRouter: ReturnType<typeof snapshotRouter>): { blocked: unknown; kind: string | undefined } => ({
    blocked: testRouter.keys.blocked('north', true, testRouter.now(), undefined, 'm'), kind: testRouter.snapshot().endpoints[0]?.condition.kind,
  });

  for (const [failureClass, kind] of [['quota', 'out-of-money'], ['rate-limit', 'rate-limited'], ['auth', 'key-rejected']] as const) {
    it(`lets requests go at once to keys that are ${kind}`, async () => {
      const testRouter = snapshotRouter();
      testRouter.refuse('north', failureClass, 3_600_000);
      assert.equal(admission(testRouter).kind, kind);
      testRouter.forward(1_000);
      const result = await testRouter.router.endpoints.act({ action: 'reset', endpoint: 'north' });
      assert.ok('message' in result);
      assert.match(result.message, /its cooldowns are over\.$/);
      assert.deepEqual(admission(testRouter), { blocked: undefined, kind: 'healthy' });
    });
  }

  it('ends a limit that the provider reported, and names what it cannot end', async () => {
    const testRouter = snapshotRouter({ endpoints: { north: {} } });
    for (const id of ['1', '2']) testRouter.limiter.observed('north', id, 'm', { 'x-ratelimit-limit-requests': '10', 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '4m' }, testRouter.now());
    assert.equal(testRouter.snapshot().endpoints[0]?.condition.kind, 'rate-limited');
    await testRouter.router.endpoints.act({ action: 'reset', endpoint: 'north' });
    assert.equal(testRouter.snapshot().endpoints[0]?.condition.kind, 'unknown');
    await testRouter.router.endpoints.act({ action: 'pause', endpoint: 'north' });
    const paused = await testRouter.router.endpoints.act({ action: 'reset', endpoint: 'north' });
    assert.match('message' in paused ? paused.message : '', / What is left: paused until it is resumed\.$/);
  });

  it('closes breakers, ends cooldowns, and ignores what a peer observed before', async () => {
    const testRouter = snapshotRouter();
    const { healthRegistry, router } = testRouter;
    for (let failures = 0; failures < 5; failures += 1) testRouter.refuse('north', 'server');
    testRouter.refuse('north', 'overloaded', 60_000);
    assert.equal(healthRegistry.admission('north', 'm', testRouter.now()).admitted, false);
    await router.endpoints.act({ action: 'reset', endpoint: 'north' });
    assert.equal(healthRegistry.admission('north', 'm', testRouter.now()).admitted, true);
    assert.equal(testRouter.snapshot().endpoints[0]?.breaker, 'closed');
    for (let failures = 0; failures < 9; failures += 1) healthRegistry.record({ endpoint: 'north', model: 'm', at: testRouter.now(), kind: 'traffic', foreign: true, failureClass: 'network' });
    assert.equal(healthRegistry.admission('north', 'm', testRouter.now()).admitted, true);
    testRouter.refuse('north', 'network');
    assert.equal(testRouter.snapshot().endpoints[0]?.condition.kind, 'down', 'new failures count');
  });

  it('heeds what a peer observed after it, although the clock had run ahead at the reset before', () => {
    const { healthRegistry, now } = snapshotRouter();
    healthRegistry.reset('north', now() + 86_400_000);
    healthRegistry.reset('north', now());
    for (let failures = 0; failures < 9; failures += 1) healthRegistry.record({ endpoint: 'north', model: 'm', at: now() + 1, kind: 'traffic', foreign: true, failureClass: 'network' });
    assert.equal(healthRegistry.admission('north', 'm', now() + 2).admitted, false);
  });
});
