import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { SecretRegister } from '../../../../server/base/secrets/redact.ts';
import { RuleVersions } from '../../../../server/router/rules/ruleVersions.ts';
import { createTestRouter } from '../createTestRouter.ts';

const folder = mkdtempSync(join(tmpdir(), 'waybill-rules-'));
after(() => { rmSync(folder, { recursive: true, force: true }); });
let made = 0;
const fresh = (): string => join(folder, `rules-${made += 1}`);

describe('versions of the rules', () => {
  test('are kept once each, newest first, each place for itself', () => {
    const versions = new RuleVersions(fresh());
    for (const [at, text, file] of [[1, 'a'], [2, 'a'], [3, 'b'], [4, 'x', '/f'], [5, 'b'], [6, 'a'], [7, 'x', '/f']] as const) versions.keep({ at, text, routes: 1, file });
    assert.deepEqual(versions.all().map(({ at, text, file }) => [at, text, file]), [[6, 'a', undefined], [4, 'x', '/f'], [3, 'b', undefined], [1, 'a', undefined]]);
  });

  test('have no first version while there are no routes', () => {
    const versions = new RuleVersions(fresh());
    versions.keep({ at: 1, text: '{}', routes: 0, file: undefined });
    assert.deepEqual(versions.all(), []);
    versions.keep({ at: 2, text: 'a', routes: 1, file: undefined });
    versions.keep({ at: 3, text: '{}', routes: 0, file: undefined });
    assert.equal(versions.all().length, 2);
  });

  test('are bounded in number, and open to their owner only', () => {
    const path = fresh();
    const versions = new RuleVersions(path);
    for (let at = 1; at <= 60; at += 1) versions.keep({ at, text: `v${at}`, routes: 1, file: undefined });
    assert.equal(readdirSync(path).length, 50);
    assert.equal(versions.all()[0]?.text, 'v60');
    if (process.platform !== 'win32') assert.equal(statSync(join(path, readdirSync(path)[0] ?? '')).mode & 0o777, 0o600);
  });

  test('that two servers keep at once are listed once, and damaged ones not at all', () => {
    const path = fresh();
    new RuleVersions(path).keep({ at: 5, text: 'a', routes: 1, file: undefined });
    const [name = ''] = readdirSync(path);
    writeFileSync(join(path, name.replace('0000000000005', '0000000000006')), readFileSync(join(path, name)));
    writeFileSync(join(path, '0000000000007-0123456789abcdef.json'), '{"version":1,"te');
    assert.deepEqual(new RuleVersions(path).all().map(({ at }) => at), [5]);
  });

  test('hold no secret, wherever it stands in the rules', () => {
    const path = fresh();
    const register = new SecretRegister();
    register.add(['hush-hush-secret']);
    const { router } = createTestRouter({ register, ruleVersions: new RuleVersions(path) });
    router.rules.keepVersion('routes: {} # hush-hush-secret sk-ant-0123456789abcdefghij\n', 1, '/f');
    const kept = readdirSync(path).map(name => readFileSync(join(path, name), 'utf8')).join('');
    assert.ok(kept.includes('routes:') && !kept.includes('hush-hush') && !kept.includes('0123456789abcdefghij'));
    return router.shutdown();
  });
});
