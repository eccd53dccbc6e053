import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { allowedText, readExpiry, stateText, usdText } from '../../../../server/api/access/accessText.ts';
import { fullAccess, type AccessSettings } from '../../../../server/api/access/tokenAccess.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { TokenCheck, whyShut } from '../../../../server/inbound/http/auth/access.ts';
import { ToolTokens } from '../../../../server/inbound/http/auth/toolTokens.ts';
import { createTokenStore } from '../../../../server/ledger/sqlite/access/tokenDatabase.ts';
import { createLimitStore } from '../../../../server/ledger/sqlite/limitsDatabase.ts';
import { SharedLimits } from '../../../../server/limits/sharedLimits.ts';
import { AllowedNames } from '../../../../server/router/tokens/allowedNames.ts';
import { TokenBook, type KnownToken } from '../../../../server/router/tokens/tokenBook.ts';
import { TokenLimits } from '../../../../server/router/tokens/tokenLimits.ts';
import { temporaryFolder } from '../../../integration/support/temporaryFolder.ts';
import { FakeRoutingView } from '../../routing/routingFixture.ts';

const { folder, remove } = temporaryFolder();
after(remove);
const noon = new Date(2026, 10, 27, 12).getTime();
const clock = { at: noon, now: () => clock.at };
const day = 86_400_000;

function bookIn(name: string): TokenBook {
  return new TokenBook(createTokenStore({ dataDir: path.join(folder, name), clock, log: silentLog }), clock);
}

function made(book: TokenBook, name: string, access: Partial<AccessSettings> = {}): { token: string; known: KnownToken } {
  const result = book.create({ name, access: { ...fullAccess, ...access } });
  assert.ok('token' in result, 'refused' in result ? result.refused : '');
  return { token: result.token, known: book.of(result.access.id) ?? assert.fail() };
}

describe('tokens', () => {
  it('that one server makes, changes and revokes are known to the others, and to the next one', () => {
    const [one, other] = [bookIn('peers'), bookIn('peers')];
    assert.deepEqual([...other.all()], []);
    const { known, token } = made(one, 'ci', { routes: ['best'], dayMicroUsd: 5_000_000 });
    other.refresh();
    assert.deepEqual(other.of(known.id)?.routes, ['best']);
    assert.deepEqual(other.budgets.map(({ name, per, period, limitMicroUsd, isHard }) => [name, per, period, limitMicroUsd, isHard]), [['ci', 'token', 'day', 5_000_000, true]]);
    const { budgets, version } = other;
    other.refresh();
    assert.equal(other.budgets, budgets);
    assert.equal(other.version, version, 'nothing changed');
    assert.ok('access' in other.revoke(known.id));
    one.refresh();
    assert.equal(one.of(known.id)?.revokedAt, noon);
    assert.deepEqual(one.budgets, []);
    const next = bookIn('peers');
    assert.equal(next.of(known.id)?.revokedAt, noon);
    const check = new TokenCheck('shared', { tokens: new Map() }, next);
    assert.match(whyShut(check.ownerOf(token) ?? {}, noon) ?? '', /was revoked/);
    for (const book of [one, other, next]) book.close();
  });

  it('of one data folder differ in their names as long as they are in use', () => {
    const book = bookIn('names');
    const { known } = made(book, 'CI');
    assert.match(JSON.stringify(book.create({ name: 'ci', access: fullAccess })), /There is a token named \\"CI\\" already/);
    book.revoke(known.id);
    assert.notEqual(made(book, 'ci').known.id, known.id);
    assert.match(JSON.stringify(book.create({ name: 'x', access: { ...fullAccess, expiresAt: noon } })), /in the future/);
    assert.match(JSON.stringify(book.create({ name: 'x', team: '\n', access: fullAccess })), /The team has 1 to 63/);
    book.close();
  });

  it('that are not known are nobody\'s, also where they begin like one', () => {
    const book = bookIn('unknown');
    const { token, known } = made(book, 'ci');
    const check = new TokenCheck('shared', { tokens: new Map() }, book);
    assert.deepEqual(check.ownerOf(token), { digest: known.hash, tool: undefined, access: known });
    for (const wrong of [undefined, '', token.slice(0, -1), `${token}x`, token.toUpperCase(), known.hash]) assert.equal(check.ownerOf(wrong), undefined);
    assert.ok(check.ownerOf('shared'));
    assert.equal(check.ownerOf('shared')?.access, undefined);
    assert.equal(check.ownerOf(token), check.ownerOf(token), 'a look-up makes nothing');
    book.close();
  });

  it('that was rotated and its successor are one caller', () => {
    const book = bookIn('rotated');
    const { token, known } = made(book, 'ci');
    const after = book.rotate(known.id, day);
    assert.ok('token' in after);
    const check = new TokenCheck('shared', { tokens: new Map() }, book);
    assert.equal(check.ownerOf(token)?.digest, check.ownerOf(after.token)?.digest);
    assert.notEqual(check.ownerOf(token)?.digest, check.ownerOf(made(book, 'other').token)?.digest);
    book.close();
  });
});

describe('a tool whose access has bounds', () => {
  it('is refused where the file of its bounds is gone, and other tools are not', () => {
    const dataDir = path.join(folder, 'lost');
    const tools = new ToolTokens(dataDir);
    const [bounded, free] = [tools.connect('codex'), tools.connect('aider')];
    const book = bookIn('lost');
    tools.setBounded('codex', true);
    book.setTool('codex', { ...fullAccess, routes: ['best'], models: [] }, bounded);
    const check = new TokenCheck('shared', tools, book);
    assert.deepEqual(check.ownerOf(bounded)?.access?.routes, ['best']);
    assert.deepEqual(tools.names(), ['aider', 'codex']);
    book.close();
    rmSync(path.join(dataDir, 'access'), { recursive: true });
    const later = bookIn('lost');
    const checkLater = new TokenCheck('shared', new ToolTokens(dataDir), later);
    assert.match(whyShut(checkLater.ownerOf(bounded) ?? {}, noon) ?? '', /What codex may do cannot be read now.*Edit Tool Access/);
    assert.equal(whyShut(checkLater.ownerOf(free) ?? {}, noon), undefined);
    later.close();
  });

  it('is told that its token was revoked, keeps its bounds when it is connected again, and ends in time', () => {
    const dataDir = path.join(folder, 'again');
    const tools = new ToolTokens(dataDir);
    const book = bookIn('again');
    const check = new TokenCheck('shared', tools, book);
    const first = tools.connect('codex');
    tools.setBounded('codex', true);
    book.setTool('codex', { ...fullAccess, routes: ['best'], models: [], expiresAt: noon + day }, first);
    book.toolEnded('codex', first);
    tools.disconnect('codex');
    assert.match(whyShut(check.ownerOf(first) ?? {}, noon) ?? '', /was revoked: in VS Code, "Waybill: Connect a Tool…"/);
    const second = tools.connect('codex');
    book.toolConnected('codex', second);
    assert.equal(whyShut(check.ownerOf(second) ?? {}, noon), undefined);
    assert.deepEqual(check.ownerOf(second)?.access?.routes, ['best']);
    assert.match(whyShut(check.ownerOf(second) ?? {}, noon + day) ?? '', /ended on 2026-11-28 12:00.*Edit Tool Access/);
    assert.equal(check.ownerOf(first), undefined);
    book.close();
  });

  it('can be changed after its access ended, but for an end that is past', () => {
    const tools = new ToolTokens(path.join(folder, 'ended'));
    const book = bookIn('ended');
    const token = tools.connect('codex');
    const ended = { ...fullAccess, expiresAt: noon + day };
    book.setTool('codex', ended, token);
    clock.at = noon + 2 * day;
    try {
      book.setTool('codex', { ...ended, monthMicroUsd: 20_000_000 }, token);
      assert.deepEqual([book.of('codex')?.monthMicroUsd, book.of('codex')?.expiresAt], [20_000_000, noon + day]);
      const another = book.setTool('codex', { ...ended, expiresAt: noon + day + 1 }, token);
      assert.match('refused' in another ? another.refused : '', /has to be in the future/);
    } finally {
      clock.at = noon;
      book.close();
    }
  });
});

describe('names that a token asks for', () => {
  it('are judged by what they lead to, whatever their spelling', () => {
    const { table } = new FakeRoutingView({ a: { models: ['m', 'n'] }, b: { models: ['m'] } }, { best: ['a/m'], m2: ['a/n'] });
    const names = new AllowedNames();
    const may = (access: Partial<AccessSettings>, ...asked: string[]): boolean[] => {
      const token = { ...fullAccess, ...access, id: 'x', kind: 'made', name: 'x', createdAt: 0, hasBudget: false } as const;
      return asked.map(name => names.allows(token, name, table) && names.allows(token, name, table));
    };
    assert.deepEqual(may({}, 'best', 'm', 'nothing'), [true, true, true]);
    assert.deepEqual(may({ routes: ['best'], models: [] }, 'best', 'best:low-cost', 'waybill/best', ' models/best', 'm2', 'm', 'a/m', 'nothing', 'BEST'), [true, true, true, true, false, false, false, false, false]);
    assert.deepEqual(may({ routes: [], models: ['m'] }, 'm', 'a/m', 'b/m', 'n', 'best'), [true, true, true, false, false]);
    assert.deepEqual(may({ routes: [], models: ['a/m'] }, 'a/m', 'm', 'b/m'), [true, false, false]);
    assert.deepEqual(may({ routes: 'all', models: [] }, 'best', 'm2', 'm'), [true, true, false]);
    assert.deepEqual(may({ routes: [], models: ['best'] }, 'best'), [false], 'a route of the name of a model is a route');
  });
});

describe('limits of tokens', () => {
  it('are counted over two servers of one data folder', () => {
    const dataDir = path.join(folder, 'limits');
    const servers = ['one', 'other'].map(instanceId => {
      const shared = new SharedLimits(createLimitStore({ dataDir, instanceId, clock, log: silentLog }));
      shared.configure(true, 'tokens');
      shared.beat(clock.at);
      return { shared, limits: new TokenLimits(shared) };
    });
    clock.at += 4_000;
    for (const { shared } of servers) shared.beat(clock.at);
    const token = { ...fullAccess, id: 'ci', kind: 'made', name: 'ci', createdAt: 0, hasBudget: false, requestsPerMinute: 4 } as const;
    const entered: boolean[] = [];
    for (let index = 0; index < 8; index += 1) entered.push(servers[index % 2]?.limits.enter(token, `x${String(index)}`, 10, 10, clock.at) === undefined);
    assert.deepEqual(entered, [true, true, true, true, false, false, false, false]);
    clock.at += 62_000;
    for (const { shared } of servers) shared.beat(clock.at);
    assert.equal(servers[1]?.limits.enter(token, 'later', 10, 10, clock.at), undefined);
    for (const { shared } of servers) shared.close();
    clock.at = noon;
  });
});

describe('access in words', () => {
  it('says what a token may ask for, what it may spend and how long it works', () => {
    assert.equal(allowedText({ routes: 'all', models: 'all' }), 'every route, and every model');
    assert.equal(allowedText({ routes: ['a', 'b', 'c'], models: [] }), 'the routes a, b and c');
    assert.equal(allowedText({ routes: [], models: ['m'] }), 'the model m');
    assert.deepEqual([usdText(5_000_000), usdText(500), usdText(120_000_000)], ['$5.00', '$0.0005', '$120.00']);
    assert.equal(stateText({ expiresAt: noon + day }, noon), 'works until 2026-11-28 12:00');
  });

  it('reads when access ends, and nothing that is past', () => {
    assert.deepEqual(readExpiry('7d', noon), { at: noon + 7 * day });
    assert.deepEqual(readExpiry('2026-11-27', noon), { at: new Date(2026, 10, 28).getTime() });
    assert.deepEqual(readExpiry('never', noon), {});
    for (const text of ['2026-11-26', '2026-02-30', '0d', '-1d', 'soon', '99999999d', '']) assert.equal(readExpiry(text, noon), undefined, text);
  });
});
