import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { BlockList } from 'node:net';
import { describe, it } from 'node:test';
import { AddressRules } from '../../../../../server/inbound/http/addresses/addressRules.ts';
import { addRange, isInRanges } from '../../../../../server/config/fields/addressRanges.ts';

const rules = new AddressRules({ hostNames: ['waybill.example.com'], trustedProxies: ['10.0.0.0/8', 'fd00::/8'] }, { warn: () => undefined });

function from(remoteAddress: string, headers: IncomingMessage['headers']): Pick<IncomingMessage, 'headers' | 'socket'> {
  return { headers, socket: { remoteAddress } as IncomingMessage['socket'] };
}

describe('proxies in front', () => {
  it('say which host was asked for, where they are trusted', () => {
    const headers = { host: 'backend:7717', 'x-forwarded-host': 'waybill.example.com', 'x-forwarded-proto': 'https' };
    assert.equal(rules.refusal(from('10.1.2.3', headers)), undefined);
    assert.equal(rules.refusal(from('::ffff:10.1.2.3', headers)), undefined);
    assert.equal(rules.refusal(from('192.0.2.3', headers))?.status, 403);
    assert.equal(rules.refusal(from('10.1.2.3', { ...headers, 'x-forwarded-host': 'waybill.example.com, rebound.example.net' }))?.status, 403, 'the nearest proxy writes last');
    assert.equal(rules.refusal(from('10.1.2.3', { ...headers, origin: 'http://waybill.example.com' }))?.status, 403, 'a page without TLS');
    assert.equal(rules.refusal(from('10.1.2.3', { ...headers, origin: 'https://waybill.example.com' })), undefined);
  });

  it('say whose request it is, up to the first one that is not trusted', () => {
    const caller = (address: string, forwarded: string): string => rules.callerOf(from(address, { 'x-forwarded-for': forwarded }));
    assert.equal(caller('192.0.2.3', '198.51.100.1'), '192.0.2.3');
    assert.equal(caller('10.0.0.1', '198.51.100.1'), '198.51.100.1');
    assert.equal(caller('10.0.0.1', '203.0.113.5, 198.51.100.1, 10.0.0.2'), '198.51.100.1', 'what the caller forged comes first');
    assert.equal(caller('10.0.0.1', 'nonsense'), '10.0.0.1');
    assert.equal(caller('fd00::1', '2001:db8::1'), '2001:db8::1');
  });

  it('make the caller known where they are trusted and say whose request it is, and unknown else', () => {
    const caller = (address: string, headers: IncomingMessage['headers'] = {}): string | undefined => rules.knownCallerOf(from(address, headers), Object.keys(headers).length > 0);
    assert.equal(caller('192.0.2.3'), '192.0.2.3');
    assert.equal(caller('::ffff:192.0.2.3'), '192.0.2.3');
    assert.equal(caller('2001:db8::1'), '2001:db8::1');
    assert.equal(caller('192.0.2.3', { 'x-forwarded-for': '198.51.100.1' }), undefined, 'a proxy that is not trusted, or one who plays it');
    assert.equal(caller('192.0.2.3', { via: '1.1 proxy' }), undefined);
    assert.equal(caller('10.0.0.1', { 'x-forwarded-for': '198.51.100.1' }), '198.51.100.1');
    assert.equal(caller('::ffff:10.0.0.1', { 'x-forwarded-for': '::ffff:198.51.100.1' }), '198.51.100.1');
    assert.equal(caller('fd00::1', { 'x-forwarded-for': '2001:db8::9, fd00::2' }), '2001:db8::9');
    assert.equal(caller('fd00::1', { 'x-forwarded-for': '203.0.113.5, 2001:db8::9' }), undefined, 'a proxy that is not trusted in front of one that is, or one who plays it');
    assert.equal(caller('fd00::1', { 'x-forwarded-for': '2001:db8::9, 203.0.113.5' }), undefined, 'what the caller forged comes first, and says nothing');
    assert.equal(caller('10.0.0.1', { 'x-forwarded-for': 'fe80::1%eth0' }), 'fe80::1%eth0');
    assert.equal(caller('10.0.0.1'), undefined, 'a proxy that says nothing');
    assert.equal(caller('10.0.0.1', { via: '1.1 proxy' }), undefined);
    assert.equal(caller('10.0.0.1', { 'x-forwarded-for': 'nonsense' }), undefined);
    assert.equal(caller('10.0.0.1', { 'x-forwarded-for': '198.51.100.1, nonsense' }), undefined);
    assert.equal(caller('10.0.0.1', { 'x-forwarded-for': '10.0.0.2' }), undefined, 'proxies alone');
  });

  it('are named by addresses and ranges', () => {
    const list = new BlockList();
    for (const text of ['10.0.0.0/33', '10.0.0', '10.0.0.0/8/1', 'name', '', '10.0.0.0/', '::/129']) assert.equal(addRange(list, text), false, text);
    for (const text of ['192.0.2.1', '198.51.100.0/24', '2001:db8::/32']) assert.equal(addRange(list, text), true, text);
    assert.deepEqual(['192.0.2.1', '192.0.2.2', '198.51.100.200', '2001:db8::5', 'name'].map(address => isInRanges(list, address)), [true, false, true, true, false]);
  });
});
