import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPrivateHost } from '../../../../server/config/baseUrl.ts';
import { isLocalAddress, networkKindOf, observeInterfaces, observeLink, onlineLink, type LinkEvidence, type NetworkState } from '../../../../server/health/network/networkState.ts';

function after(...seen: [host: string, evidence: LinkEvidence, at: number][]): NetworkState {
  return seen.reduce((link, [host, evidence, at]) => observeLink(link, host, evidence, at), onlineLink);
}

test('one host that cannot be reached is never "offline", however often', () => {
  assert.equal(after(['a', 'unreachable', 0], ['a', 'unreachable', 1], ['a', 'unreachable', 2]).state, 'online');
});

test('two hosts that cannot be reached within five seconds mean offline, since the first of them', () => {
  const offline = after(['a', 'unreachable', 100], ['b', 'unreachable', 5100]);
  assert.ok(offline.state === 'offline');
  assert.deepEqual([offline.since, offline.cause], [100, 'nothing-reachable']);
  assert.equal(after(['a', 'unreachable', 100], ['b', 'unreachable', 5101]).state, 'online');
});

test('an answer in between shows that the link is up, and ends an offline state', () => {
  assert.equal(after(['a', 'unreachable', 0], ['c', 'answered', 1], ['b', 'unreachable', 2]).state, 'online');
  assert.equal(after(['a', 'unreachable', 0], ['b', 'unreachable', 1], ['a', 'answered', 2]).state, 'online');
});

test('no interface means offline until there is one again', () => {
  const gone = observeInterfaces(onlineLink, false, 7);
  assert.ok(gone.state === 'offline');
  assert.deepEqual([gone.since, gone.cause], [7, 'no-interface']);
  assert.equal(observeInterfaces(gone, true, 8).state, 'online');
  const inferred = after(['a', 'unreachable', 0], ['b', 'unreachable', 1]);
  assert.equal(observeInterfaces(inferred, true, 8), inferred, 'an interface alone does not prove a way out');
});

test('pages at two hosts together are a portal, and at one host they are its own fault', () => {
  assert.equal(after(['a', 'page', 0], ['a', 'page', 1], ['a', 'page', 2]).state, 'online');
  assert.equal(after(['a', 'page', 0], ['b', 'page', 5001]).state, 'online');
  const portal = after(['a', 'page', 10], ['b', 'page', 20]);
  assert.ok(portal.state === 'portal');
  assert.equal(portal.since, 10);
  assert.equal(after(['a', 'page', 0], ['b', 'unreachable', 1]).state, 'online', 'one of each proves neither');
});

test('one answer of the network itself is a portal', () => {
  assert.equal(after(['a', 'sign-in', 5]).state, 'portal');
});

test('a portal ends when an API answers, and not when something else does', () => {
  assert.equal(after(['a', 'sign-in', 0], ['b', 'bytes', 1], ['c', 'unreachable', 2], ['d', 'unreachable', 3], ['a', 'page', 4]).state, 'portal');
  assert.equal(after(['a', 'sign-in', 0], ['b', 'answered', 1]).state, 'online');
});

test('bytes of any kind end an offline state', () => {
  assert.equal(after(['a', 'unreachable', 0], ['b', 'unreachable', 1], ['c', 'bytes', 2]).state, 'online');
});

test('a machine that was offline and finds a portal is behind a portal, since it went offline', () => {
  const portal = after(['a', 'unreachable', 0], ['b', 'unreachable', 1], ['a', 'page', 60_000], ['b', 'page', 60_001]);
  assert.ok(portal.state === 'portal');
  assert.equal(portal.since, 0);
});

test('hosts that fail while others answer prove nothing together, until they have answered', () => {
  // Two addresses that do not exist, in the configuration of a machine whose link is up.
  const typos = after(['typo', 'unreachable', 0], ['gone', 'unreachable', 1], ['c', 'answered', 300]);
  const again = (link: NetworkState): NetworkState => observeLink(observeLink(link, 'typo', 'unreachable', 60_000), 'gone', 'unreachable', 60_001);
  assert.equal(again(typos).state, 'online');
  const redeemed = observeLink(observeLink(typos, 'typo', 'answered', 1000), 'gone', 'answered', 1001);
  assert.equal(again(redeemed).state, 'offline');
});

test('an observation from before trouble began does not end it', () => {
  const offline = after(['a', 'unreachable', 1000], ['b', 'unreachable', 1001]);
  assert.equal(observeLink(offline, 'c', 'answered', 900).state, 'offline');
});

test('what is remembered of hosts stays as small as the number of hosts', () => {
  let link = onlineLink;
  for (let at = 0; at < 5000; at += 1) link = observeLink(link, `host${at % 7}`, at % 3 === 0 ? 'page' : at % 11 === 0 ? 'answered' : 'unreachable', at);
  assert.ok(link.suspects.length <= 7 && link.discredited.length <= 7);
});

test('system error codes show how a connection failed', () => {
  for (const [code, kind] of [
    ['ENOTFOUND', 'dns'], ['EAI_AGAIN', 'dns'], ['ENETUNREACH', 'unreachable'], ['EHOSTUNREACH', 'unreachable'], ['ECONNREFUSED', 'refused'],
    ['ECONNRESET', 'reset'], ['CERT_HAS_EXPIRED', 'tls'], ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'], ['ESOMETHING', undefined], [undefined, undefined],
  ] as const) assert.equal(networkKindOf(code), kind, code);
});

test('every host that plain http may be used with is local, carrier-grade addresses and names without public DNS included', () => {
  for (const host of ['100.64.0.1', '100.127.255.254', '[fe80::1]', 'gpu.home.arpa', 'a.localhost', '169.254.1.1', 'vllm', '[fd00::1]']) {
    assert.equal(isPrivateHost(host), true, host);
    assert.equal(isLocalAddress(`http://${host}:8080/v1`), true, host);
  }
  for (const host of ['100.63.255.255', '100.128.0.1', '172.32.0.1', 'fd00.example.com', 'api.example.com']) {
    assert.equal(isPrivateHost(host), false, host);
    assert.equal(isLocalAddress(`https://${host}`), false, host);
  }
});

test('this machine is local under every spelling of its address, also those that plain http is refused to', () => {
  for (const host of ['0.0.0.0', '[::]', '[::ffff:127.0.0.1]']) {
    assert.equal(isLocalAddress(`http://${host}:8080/v1`), true, host);
    assert.equal(isPrivateHost(new URL(`http://${host}`).hostname), false, host);
  }
});

test('addresses of this machine and its own network are local', () => {
  for (const url of ['http://127.0.0.1:8080/v1', 'http://localhost:11434', 'http://[::1]:1', 'http://192.168.1.4', 'http://10.0.0.2', 'http://172.16.0.1', 'http://nas.local', 'http://ollama:11434', 'http://[fd00::1]/']) {
    assert.equal(isLocalAddress(url), true, url);
  }
  for (const url of ['https://api.openai.com/v1', 'https://172.32.0.1', 'https://8.8.8.8', 'https://localhost.example.com', 'not a url', 'https://[2001:db8::1]/']) {
    assert.equal(isLocalAddress(url), false, url);
  }
});
