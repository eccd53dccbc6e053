import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { networkOf, proxyFor, type NetworkConfig } from '../../../server/config/network.ts';
import { isExcepted, readNoProxy } from '../../../server/config/noProxy.ts';
import { readProxy, type ProxyAddress } from '../../../server/config/proxyAddress.ts';
import type { NetworkSettings } from '../../../server/api/settings.ts';

function network(environment: Record<string, string>, settings?: NetworkSettings): NetworkConfig {
  return networkOf(settings, environment, message => { assert.fail(message); });
}

/** The proxy for a target, as a person reads it. */
function way(to: string, environment: Record<string, string>, settings?: NetworkSettings): string | undefined {
  return proxyFor(network(environment, settings), undefined, new URL(to))?.label;
}

function address(written: string): ProxyAddress {
  const read = readProxy(written, 'here');
  if ('problem' in read) assert.fail(read.problem);
  return read;
}

describe('the address of a proxy', () => {
  const accepted: readonly (readonly [string, string])[] = [
    ['http://proxy:3128', 'http://proxy:3128'], ['proxy.example.com:8080', 'http://proxy.example.com:8080'], ['proxy', 'http://proxy:80'],
    ['https://proxy', 'https://proxy:443'], ['https://proxy:80/', 'https://proxy:80'], ['socks5://[::1]', 'socks5://[::1]:1080'], ['SOCKS5h://p:80', 'socks5h://p:80'],
    ['socks://p:9', 'socks5h://p:9'], [' http://10.0.0.1:8080/ ', 'http://10.0.0.1:8080'], ['http://u:p@proxy:1/', 'http://proxy:1'],
  ];
  for (const [written, label] of accepted) it(`is read as curl reads it: ${written.trim()}`, () => { assert.equal(address(written).label, label); });

  it('holds a login, which no copy as text shows', () => {
    const proxy = address('http://corp%5Cme:p%40ss%25@proxy:1');
    assert.deepEqual(proxy.login, { username: 'corp\\me', password: 'p@ss%' });
    assert.equal(Buffer.from(proxy.authorization?.replace('Basic ', '') ?? '', 'base64').toString(), 'corp\\me:p@ss%');
    assert.ok(!JSON.stringify(proxy).includes('ss'));
    assert.deepEqual(address('http://me:100%@proxy').login, { username: 'me', password: '100%' });
    assert.ok(proxy.secrets.includes('p@ss%') && !proxy.secrets.includes('corp\\me'));
    assert.ok(address('http://t0ken-of-mine@proxy:1').secrets.includes('t0ken-of-mine'));
  });

  it('is refused with a sentence of its own where it is a script', () => {
    for (const written of ['http://secret.example/proxy.pac', 'pac+https://secret.example/config', 'http://wpad/wpad.dat?x=secret', 'file:///secret.pac']) {
      const read = readProxy(written, 'here');
      assert.ok('problem' in read && read.problem.includes('PAC') && !read.problem.includes('secret'), written);
    }
    assert.equal(address('http://pac.example:3128').label, 'http://pac.example:3128');
    assert.equal(address('proxy.pac:3128').label, 'http://proxy.pac:3128');
  });

  it('is refused where it is none, without a word of it', () => {
    for (const written of ['socks4://secret.example', 'ftp://secret', 'http://', 'http://secret:port', '://secret']) {
      const read = readProxy(written, 'here');
      assert.ok('problem' in read && !read.problem.includes('secret'), written);
    }
  });
});

describe('what NO_PROXY excepts', () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['*', ['a.example:443', '[2001:db8::1]:443'], []],
    ['example.com', ['example.com:443', 'a.example.com:80', 'EXAMPLE.com:1'], ['notexample.com:443', 'example.com.evil:443']],
    ['.example.com', ['a.example.com:443', 'example.com:443'], ['aexample.com:443']],
    ['*.example.com', ['a.b.example.com:443'], ['example.org:443']],
    ['example.com:8443', ['example.com:8443', 'a.example.com:8443'], ['example.com:443']],
    ['203.0.113.7', ['203.0.113.7:443'], ['203.0.113.70:443', '1.203.0.113.7.example:443']],
    ['203.0.113.0/24 , 198.51.100.0/30', ['203.0.113.9:443', '198.51.100.3:1'], ['203.0.114.9:443', '198.51.100.4:1']],
    ['2001:db8::/32,[2001:db9::1]:8443', ['[2001:db8::5]:443', '[2001:db9::1]:8443'], ['[2001:db9::1]:443', '203.0.113.1:443']],
    ['2001:db9::1', ['[2001:db9::1]:443'], ['[2001:db9::2]:443']],
    ['a.example b.example,,', ['a.example:1', 'b.example:1'], ['c.example:1']],
    ['203.0.113.0/99', [], ['203.0.113.0:443']],
    ['', [], ['a.example:443']],
  ];
  for (const [written, excepted, others] of cases) {
    it(`is read from "${written}"`, () => {
      const read = readNoProxy([written]);
      const check = (target: string): boolean => {
        const [, host = '', port] = /^(.*):(\d+)$/.exec(target) ?? [];
        return isExcepted(read, host, Number(port));
      };
      for (const target of excepted) assert.ok(check(target), target);
      for (const target of others) assert.ok(!check(target), target);
    });
  }
});

describe('the way to a target', () => {
  const company = { HTTPS_PROXY: 'http://upper:1', HTTP_PROXY: 'http://plain:1' };

  it('goes by the scheme of the target, and lower-case variables win', () => {
    assert.equal(way('https://api.example', company), 'http://upper:1');
    assert.equal(way('http://box.internal', company), 'http://plain:1');
    assert.equal(way('https://api.example', { ...company, https_proxy: 'http://lower:1' }), 'http://lower:1');
    assert.equal(way('https://api.example', { ALL_PROXY: 'socks5://all' }), 'socks5://all:1080');
    assert.equal(way('http://box.internal', { ...company, all_proxy: 'http://all:1' }), 'http://plain:1');
    assert.equal(way('https://api.example', { https_proxy: '', HTTPS_PROXY: ' ' }), undefined);
    assert.equal(way('https://api.example', { HTTP_PROXY: 'http://plain:1' }), undefined);
  });

  it('is direct to this machine and to private addresses, but not to names that only the proxy may know', () => {
    for (const host of ['localhost', 'api.localhost', '127.0.0.1', '127.9.9.9', '[::1]', '10.1.2.3', '172.16.0.1', '192.168.1.1', '169.254.1.1', '[fd00::1]', '[fe80::1]', '100.64.0.1', '0.0.0.0', '[::ffff:127.0.0.1]', 'host.docker.internal']) {
      assert.equal(way(`http://${host}:11434`, company), undefined, host);
    }
    for (const host of ['box.internal', 'box.local', '172.32.0.1', '8.8.8.8']) assert.equal(way(`http://${host}`, company), 'http://plain:1', host);
  });

  it('goes by the editor first, and both lists of exceptions hold', () => {
    const settings = { proxy: 'http://editor:1', noProxy: ['one.example', '.two.example'] };
    assert.equal(way('https://api.example', company, settings), 'http://editor:1');
    assert.equal(way('https://one.example', company, settings), undefined);
    assert.equal(way('https://a.three.example', { ...company, no_proxy: 'three.example' }, settings), undefined);
    assert.equal(way('https://api.example', company, { proxySupport: 'off', proxy: 'http://editor:1' }), undefined);
    assert.equal(way('https://api.example', company, { proxySupport: 'fallback' }), 'http://upper:1');
  });

  it('goes by the endpoint before all others, to private addresses too', () => {
    const own = address('socks5://own');
    assert.equal(proxyFor(network(company), own, new URL('http://127.0.0.1:1'))?.label, 'socks5://own:1080');
    assert.equal(proxyFor(network(company), 'none', new URL('https://api.example')), undefined);
  });

  it('reports what it cannot use by the name of the variable, without its value', () => {
    const reports: string[] = [];
    const { httpsProxy } = networkOf(undefined, { HTTPS_PROXY: 'socks4://secret@old:1' }, message => reports.push(message));
    assert.equal(httpsProxy, undefined);
    assert.deepEqual(reports, ['HTTPS_PROXY is no proxy of a known kind; begin it with http://, https://, socks5:// or socks5h://.']);
  });

  it('trusts the system and verifies certificates unless the settings say otherwise', () => {
    assert.deepEqual([network({}).strictTls, network({}).systemCertificates], [true, true]);
    const loose = network({}, { proxyStrictSSL: false, systemCertificates: false });
    assert.deepEqual([loose.strictTls, loose.systemCertificates], [false, false]);
  });
});
