import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLocalAddress, networkKindOf, observeInterfaces, observeLink, onlineLink, type LinkState } from '../../../server/health/linkState.ts';

function after(...seen: [endpoint: string, evidence: 'answered' | 'unreachable' | 'none', at: number][]): LinkState {
  return seen.reduce((link, [endpoint, evidence, at]) => observeLink(link, endpoint, evidence, at), onlineLink);
}

test('one endpoint that cannot be reached is never "offline", however often', () => {
  assert.equal(after(['a', 'unreachable', 0], ['a', 'unreachable', 1], ['a', 'unreachable', 2]).state, 'online');
});

test('two endpoints that cannot be reached within five seconds mean offline, since the first of them', () => {
  assert.deepEqual(after(['a', 'unreachable', 100], ['b', 'unreachable', 5100]), { state: 'offline', since: 100, cause: 'nothing-reachable' });
  assert.equal(after(['a', 'unreachable', 100], ['b', 'unreachable', 5101]).state, 'online');
});

test('an answer in between shows that the link is up, and ends an offline state', () => {
  assert.equal(after(['a', 'unreachable', 0], ['c', 'answered', 1], ['b', 'unreachable', 2]).state, 'online');
  assert.equal(after(['a', 'unreachable', 0], ['b', 'unreachable', 1], ['a', 'answered', 2]).state, 'online');
});

test('no interface means offline until there is one again', () => {
  const gone = observeInterfaces(onlineLink, false, 7);
  assert.deepEqual(gone, { state: 'offline', since: 7, cause: 'no-interface' });
  assert.equal(observeInterfaces(gone, true, 8).state, 'online');
  const inferred = after(['a', 'unreachable', 0], ['b', 'unreachable', 1]);
  assert.equal(observeInterfaces(inferred, true, 8), inferred, 'an interface alone does not prove a way out');
});

test('system error codes tell how a connection failed', () => {
  for (const [code, kind] of [
    ['ENOTFOUND', 'dns'], ['EAI_AGAIN', 'dns'], ['ENETUNREACH', 'unreachable'], ['EHOSTUNREACH', 'unreachable'], ['ECONNREFUSED', 'refused'],
    ['ECONNRESET', 'reset'], ['CERT_HAS_EXPIRED', 'tls'], ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'], ['ESOMETHING', undefined], [undefined, undefined],
  ] as const) assert.equal(networkKindOf(code), kind, code);
});

test('addresses of this machine and its own network are local', () => {
  for (const url of ['http://127.0.0.1:8080/v1', 'http://localhost:11434', 'http://[::1]:1', 'http://192.168.1.4', 'http://10.0.0.2', 'http://172.16.0.1', 'http://nas.local', 'http://ollama:11434', 'http://[fd00::1]/']) {
    assert.equal(isLocalAddress(url), true, url);
  }
  for (const url of ['https://api.openai.com/v1', 'https://172.32.0.1', 'https://8.8.8.8', 'https://localhost.example.com', 'not a url', 'https://[2001:db8::1]/']) {
    assert.equal(isLocalAddress(url), false, url);
  }
});
