import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkOrigin, presentedToken, TokenCheck } from '../../../../../server/inbound/http/auth/access.ts';
import { hashOfToken } from '../../../../../server/router/tokens/tokenBook.ts';
import { plainPath } from '../../../../../server/inbound/http/request/requestPath.ts';

describe('who may come in', () => {
  for (const host of ['127.0.0.1', '127.0.0.1:7717', 'localhost:1', 'LOCALHOST', '[::1]:80']) it(`a request to ${host}`, () => {
    assert.equal(checkOrigin({ host }), undefined);
  });

  for (const host of [undefined, '', 'evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:80', '127.0.0.1@evil.example', '127.0.0.1:80:90', '0.0.0.0', '127.0.0.2']) {
    it(`not a request to ${host ?? 'no host'}`, () => {
      assert.equal(checkOrigin({ host })?.status, 403);
    });
  }

  for (const origin of ['http://localhost:3000', 'https://127.0.0.1', 'http://[::1]:8080']) it(`a page of ${origin}`, () => {
    assert.equal(checkOrigin({ host: 'localhost', origin }), undefined);
  });

  for (const origin of ['https://evil.example', 'null', '', 'http://localhost.evil.example', 'file://', 'http://localhost/path']) it(`not a page of ${origin || 'an empty origin'}`, () => {
    assert.equal(checkOrigin({ host: 'localhost', origin })?.status, 403);
  });

  it('not what a browser says comes from another site', () => {
    assert.equal(checkOrigin({ host: 'localhost', 'sec-fetch-site': 'cross-site' })?.status, 403);
    assert.equal(checkOrigin({ host: 'localhost', 'sec-fetch-site': 'same-origin' }), undefined);
  });
});

describe('the token', () => {
  it('is read from whichever header a protocol uses', () => {
    assert.equal(presentedToken({ authorization: 'Bearer t' }), 't');
    assert.equal(presentedToken({ authorization: 'bearer  t ' }), 't');
    for (const name of ['x-api-key', 'x-goog-api-key', 'api-key']) assert.equal(presentedToken({ [name]: 't' }), 't');
    assert.equal(presentedToken({ authorization: 'Basic dTpw', 'x-api-key': 't' }), 't');
    assert.equal(presentedToken({ authorization: 'Bearer' }), undefined);
    assert.equal(presentedToken({ 'x-api-key': '' }), undefined);
    assert.equal(presentedToken({}), undefined);
  });

  it('lets a request in, and nothing else does', () => {
    const check = new TokenCheck('the-token', { tokens: new Map([['empty', Buffer.alloc(0)]]) });
    assert.deepEqual(check.ownerOf('the-token'), { digest: hashOfToken('the-token'), tool: undefined });
    for (const wrong of [undefined, '', 'the-toke', 'the-token ', 'THE-TOKEN']) assert.equal(check.ownerOf(wrong), undefined, String(wrong));
  });

  it('names the tool that a token belongs to, until the token is revoked', () => {
    const tokens = new Map([['claude-code', Buffer.from('token-of-claude')], ['codex', Buffer.from('token-of-codex!')]]);
    const tools = { tokens };
    const check = new TokenCheck('the-token', tools);
    assert.equal(check.ownerOf('token-of-codex!')?.tool, 'codex');
    tools.tokens = new Map([...tokens].filter(([tool]) => tool !== 'codex'));
    assert.equal(check.ownerOf('token-of-codex!'), undefined);
    assert.equal(check.ownerOf('token-of-claude')?.tool, 'claude-code');
  });

  it('is told from every other token, also from one of the same name in another data folder', () => {
    const folder = (token: string): TokenCheck => new TokenCheck('the-token', { tokens: new Map([['codex', Buffer.from(token)]]) });
    const [one, other, copy] = [folder('token-of-one'), folder('token-of-other'), folder('token-of-one')];
    assert.notEqual(one.ownerOf('token-of-one')?.digest, other.ownerOf('token-of-other')?.digest);
    assert.notEqual(one.ownerOf('token-of-one')?.digest, one.ownerOf('the-token')?.digest);
    assert.equal(one.ownerOf('token-of-one')?.digest, copy.ownerOf('token-of-one')?.digest, 'the same token is the same everywhere');
    assert.equal(one.ownerOf('the-token')?.digest, other.ownerOf('the-token')?.digest);
  });
});

describe('paths', () => {
  it('mean the same with /v1, without it, doubled, and with a slash at the end', () => {
    for (const path of ['/messages', '/v1/messages', '/v1/v1/messages', '/v1/messages/']) assert.equal(plainPath(path), '/messages');
    assert.equal(plainPath('/'), '/');
    assert.equal(plainPath('/v1'), '/v1');
  });
});
