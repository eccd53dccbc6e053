import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeKey, duplicateProblem, labelProblem, maskKey, nextKeyLabel } from '../../../../client/keys/keyList.ts';
import { KeyStore } from '../../../../client/keys/keyStore.ts';
import type { SecretStore } from '../../../../client/keys/keyStore.ts';
import { InMemorySecrets } from '../fakes.ts';

function openWindow(secrets: SecretStore, prefix = 'key'): KeyStore {
  let made = 0;
  return new KeyStore(secrets, () => 1_700_000_000_000 + made, () => `${prefix}-${String(++made)}`);
}

describe('KeyStore', () => {
  it('stores several keys per endpoint and shows only their last four characters', async () => {
    const secrets = new InMemorySecrets();
    const keys = openWindow(secrets);
    await keys.add('openai', 'sk-first-secret-9f3c');
    await keys.add('openai', 'sk-second-secret-77aa', 'work');
    const listed = await keys.list('openai');
    assert.deepEqual(listed.map(describeKey), ['key 1 …9f3c', 'work …77aa']);
    assert.ok(!JSON.stringify(listed).includes('secret'));
  });

  it('shows nothing of a key shorter than eight characters', () => {
    assert.equal(maskKey({ id: '1', label: 'x', secret: 'abcdefg', addedAt: 0 }).last4, '');
    assert.equal(maskKey({ id: '1', label: 'x', secret: 'abcdefgh', addedAt: 0 }).last4, 'efgh');
  });

  it('gives the server the whole keys of the endpoints it names, and of no others', async () => {
    const keys = openWindow(new InMemorySecrets());
    await keys.add('openai', 'sk-one-secret');
    await keys.add('claude', 'sk-two-secret');
    assert.deepEqual(await keys.material(['openai', 'local']), { openai: [{ id: 'key-1', label: 'key 1', secret: 'sk-one-secret' }] });
  });

  it('renames, replaces and removes a key without touching the others', async () => {
    const keys = openWindow(new InMemorySecrets());
    const first = await keys.add('openai', 'sk-first-secret');
    const second = await keys.add('openai', 'sk-second-secret');
    await keys.rename('openai', first.id, '  spare ');
    await keys.replace('openai', second.id, 'sk-third-secret');
    const material = (await keys.material(['openai']))['openai'];
    assert.deepEqual(material?.map(key => [key.id, key.label, key.secret]), [[first.id, 'spare', 'sk-first-secret'], [second.id, 'key 2', 'sk-third-secret']]);
    await keys.remove('openai', first.id);
    assert.deepEqual((await keys.list('openai')).map(key => key.id), [second.id]);
  });

  it('refuses a key that is there already, and says which it is', async () => {
    const keys = openWindow(new InMemorySecrets());
    await keys.add('openai', 'sk-first-secret', 'work');
    await assert.rejects(keys.add('openai', 'sk-first-secret'), /already there, as "work"/);
  });

  it('leaves no secret behind when the last key goes', async () => {
    const secrets = new InMemorySecrets();
    const keys = openWindow(secrets);
    const key = await keys.add('openai', 'sk-first-secret');
    await keys.remove('openai', key.id);
    assert.equal(secrets.values.size, 0);
  });

  it('loses no key when two changes are made at once in one window', async () => {
    const keys = openWindow(new InMemorySecrets());
    await Promise.all([keys.add('openai', 'sk-first-secret'), keys.add('openai', 'sk-second-secret'), keys.add('openai', 'sk-third-secret')]);
    assert.deepEqual((await keys.list('openai')).map(key => key.label), ['key 1', 'key 2', 'key 3']);
  });

  it('loses no key when another window writes over ours at the same moment', async () => {
    const secrets = new InMemorySecrets();
    const here = openWindow(secrets, 'here');
    const other = JSON.stringify([{ id: 'there-1', label: 'theirs', secret: 'sk-their-secret', addedAt: 1 }]);
    secrets.afterNextStore = () => { secrets.values.set('waybill.keys.openai', other); };
    await here.add('openai', 'sk-our-secret', 'ours');
    assert.deepEqual((await here.list('openai')).map(key => key.label), ['theirs', 'ours']);
  });

  it('informs every window about a change in any of them', async () => {
    const secrets = new InMemorySecrets();
    const here = openWindow(secrets, 'here');
    const there = openWindow(secrets, 'there');
    const changes: string[] = [];
    here.onDidChange(endpoint => changes.push(`here ${endpoint}`));
    there.onDidChange(endpoint => changes.push(`there ${endpoint}`));
    await here.add('openai', 'sk-first-secret');
    assert.deepEqual(changes.sort(), ['here openai', 'there openai']);
    assert.deepEqual(await there.list('openai'), await here.list('openai'));
  });

  it('does not overwrite keys it cannot read, but can remove them', async () => {
    const secrets = new InMemorySecrets();
    secrets.values.set('waybill.keys.openai', '{"version":2}');
    const keys = openWindow(secrets);
    await assert.rejects(keys.add('openai', 'sk-first-secret'), /cannot be read/);
    assert.equal(secrets.values.get('waybill.keys.openai'), '{"version":2}');
    await keys.removeAll('openai');
    assert.equal(secrets.values.size, 0);
  });

  it('names the endpoints that have keys, also in an editor that cannot list its secrets', async () => {
    const secrets = new InMemorySecrets();
    const older: SecretStore = { get: name => secrets.get(name), store: (name, value) => secrets.store(name, value), delete: name => secrets.delete(name), onDidChange: secrets.onDidChange };
    const keys = openWindow(older);
    await keys.add('openai', 'sk-first-secret');
    await keys.add('claude', 'sk-second-secret');
    assert.deepEqual(await keys.endpoints(), ['claude', 'openai']);
    await keys.removeAll('claude');
    assert.deepEqual(await keys.endpoints(), ['openai']);
    assert.deepEqual(await openWindow(secrets).endpoints(), ['openai']);
  });

  it('puts a removed key back where it stood, under its own name, and never twice', async () => {
    const keys = openWindow(new InMemorySecrets());
    for (const secret of ['sk-first-secret', 'sk-second-secret', 'sk-third-secret']) await keys.add('openai', secret);
    const before = await keys.stored('openai');
    const [, second] = before;
    assert.ok(second !== undefined);
    await keys.remove('openai', second.id);
    await keys.restore('openai', second, 1);
    await keys.restore('openai', second, 1);
    assert.deepEqual(await keys.stored('openai'), before);
  });

  it('knows a key that is there already before it is stored', async () => {
    const keys = openWindow(new InMemorySecrets());
    const { id } = await keys.add('openai', 'sk-first-secret', 'work');
    const stored = await keys.stored('openai');
    assert.equal(duplicateProblem('sk-first-secret', stored), 'This key is already there, as "work".');
    assert.equal(duplicateProblem('sk-first-secret', stored, id), undefined);
    assert.equal(duplicateProblem('sk-other-secret', stored), undefined);
  });

  it('disposes of its listeners', () => {
    const secrets = new InMemorySecrets();
    const keys = openWindow(secrets);
    keys.dispose();
    keys.dispose();
    assert.equal(secrets.listenerCount, 0);
  });
});

describe('key labels', () => {
  it('are numbered without a clash', () => {
    assert.equal(nextKeyLabel([]), 'key 1');
    assert.equal(nextKeyLabel([{ label: 'key 2' }]), 'key 3');
    assert.equal(nextKeyLabel([{ label: 'work' }, { label: 'key 1' }]), 'key 3');
  });

  it('are refused when empty or taken by another key', () => {
    const keys = [{ id: '1', label: 'work' }, { id: '2', label: 'spare' }];
    assert.match(labelProblem('  ', keys) ?? '', /Type a name/);
    assert.match(labelProblem('work', keys, '2') ?? '', /Another key/);
    assert.match(labelProblem('Work', keys, '2') ?? '', /Another key/);
    assert.equal(labelProblem('work', keys, '1'), undefined);
  });
});
