import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { describe, it } from 'node:test';
import type { RequestSummary } from '../../../../../server/api/receipt.ts';
import { Emitter } from '../../../../../client/base/emitter.ts';
import { KeptSearch } from '../../../../../client/views/requests/keptSearch.ts';
import { settle } from '../../fakes.ts';

/** An editor with one tree view, whose visibility the test changes. */
const editor = `data:text/javascript,${encodeURIComponent(`
class Emitter { #all = new Set(); event = listener => { this.#all.add(listener); return { dispose: () => this.#all.delete(listener) }; }; fire(value) { for (const one of this.#all) one(value); } dispose() {} }
export const EventEmitter = Emitter;
export class CancellationTokenSource { token = { isCancellationRequested: false }; cancel() { this.token.isCancellationRequested = true; } dispose() {} }
const changed = new Emitter();
const view = { visible: true, selection: [], onDidChangeVisibility: changed.event, dispose() {} };
globalThis.show = visible => { view.visible = visible; changed.fire({ visible }); };
export const window = { createTreeView: () => view, withProgress: (options, run) => run() };
export const commands = { registerCommand: () => ({ dispose() {} }), executeCommand: async () => undefined };
export const env = { language: 'en' };`)}`;

const hooks = registerHooks({ resolve: (name, context, next) => (name === 'vscode' ? { url: editor, shortCircuit: true } : next(name, context)) });
const { RequestsView } = await import('../../../../../client/views/requests/requestsView.ts');
hooks.deregister();

const request = (id: string, startedAt: number, outcome: RequestSummary['outcome']): RequestSummary => ({
  id, startedAt, requestedModel: 'auto', attempts: 1, failedAttempts: 0, outcome, totalMs: 1, usage: {}, cost: { certainty: 'unknown' }, caller: { tool: 'http' },
});

/** A server on which a request runs, and the searches that it was asked for. */
function server() {
  const changed = new Emitter<void>();
  const of = {
    status: { ledgerRevision: 1, running: 1 }, searches: 0, looks: 0,
    onDidChangeStatus: changed.event, onDidChangeState: new Emitter<string>().event,
    runningRequests: () => { of.looks += 1; return Promise.resolve([{ ...request('live', Date.now() - 5_000, 'open'), ofPeer: false }]); },
    findRequests: () => { of.searches += 1; return Promise.resolve({ requests: [request('live', 0, 'open'), request('old', 0, 'ok')] }); },
    end: () => { of.status = { ledgerRevision: of.status.ledgerRevision + 1, running: 0 }; changed.fire(); },
  };
  return of;
}

describe('the Requests view', () => {
  it('asks only what runs while requests run, and searches the ledger again when one has ended', async t => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    let clock = 0;
    t.mock.method(performance, 'now', () => clock);
    const of = server();
    const view = new RequestsView(of as never, { of: () => undefined } as never);
    const nextSecond = async (): Promise<void> => {
      clock += 1000;
      t.mock.timers.tick(1000);
      await settle();
    };
    await view.show({ tool: 'http' });
    const [searches, looks] = [of.searches, of.looks];
    for (let second = 0; second < 5; second++) await nextSecond();
    assert.ok(of.looks >= looks + 4, 'the line of the request that runs stays live');
    assert.equal(of.searches, searches);
    of.end();
    await nextSecond();
    assert.equal(of.searches, searches + 1);
    view.dispose();
  });

  it('tells requests apart by the words of this window, else by those that the ledger keeps, and a filter says them', async () => {
    const of = server();
    const kept = { ...request('kept', 1, 'ok'), title: 'Fix the build', caller: { tool: 'codex', conversation: 'c-2' } };
    const own = { ...request('own', 2, 'ok'), title: 'Kept words', caller: { tool: 'vscode-chat', conversation: 'c-1' } };
    of.findRequests = () => Promise.resolve({ requests: [own, kept, request('bare', 0, 'ok')] });
    const view = new RequestsView(of as never, { of: (conversation: string) => (conversation === 'c-1' ? 'Typed here' : undefined) } as never);
    const titles = async (): Promise<unknown[]> => (await view.getChildren()).map(node => (node.kind === 'request' ? [node.request.id, node.title] : node.kind === 'condition' ? node.words : node.kind));
    assert.deepEqual(await titles(), [['live', undefined], ['own', 'Typed here'], ['kept', 'Fix the build'], ['bare', undefined]]);
    await view.show({ conversation: 'c-2' });
    assert.equal((await titles())[0], 'Conversation: Fix the build');
    view.dispose();
  });

  it('reads the ledger again when the titles in it were forgotten, although no request has come', async t => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    let clock = 0;
    t.mock.method(performance, 'now', () => clock);
    const of = server();
    let title: string | undefined = 'Fix the build';
    of.findRequests = () => Promise.resolve({ requests: [{ ...request('kept', 1, 'ok'), ...(title === undefined ? {} : { title }) }] });
    const view = new RequestsView(of as never, { of: () => undefined } as never);
    const shown = async (): Promise<unknown[]> => (await view.getChildren()).flatMap(node => (node.kind === 'request' && node.request.id === 'kept' ? [node.title] : []));
    assert.deepEqual(await shown(), ['Fix the build']);
    title = undefined;
    clock += 2000;
    t.mock.timers.tick(2000);
    await settle();
    assert.deepEqual(await shown(), ['Fix the build'], 'nothing else says that the ledger has changed');
    view.titlesForgotten();
    clock += 2000;
    t.mock.timers.tick(2000);
    await settle();
    assert.deepEqual(await shown(), [undefined]);
    view.dispose();
  });

  it('goes on with the time of a request that runs when it is shown again', async t => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    const of = server();
    const view = new RequestsView(of as never, { of: () => undefined } as never);
    const show = (globalThis as unknown as { show: (visible: boolean) => void }).show;
    await view.getChildren();
    show(false);
    for (let second = 0; second < 3; second++) {
      t.mock.timers.tick(1000);
      await settle();
    }
    const looks = of.looks;
    show(true);
    await settle();
    assert.equal(of.looks, looks + 1);
    t.mock.timers.tick(1000);
    await settle();
    assert.equal(of.looks, looks + 2);
    view.dispose();
  });
});

describe('a search of the ledger', () => {
  it('is made again when something has changed, and not before ten times as long as it took', async () => {
    let now = 0;
    let searches = 0;
    const kept = new KeptSearch<number>(() => now);
    const find = (question: string, state: string | undefined, isCancelled = false) => kept.find(question, state, () => {
      now += 2_000;
      return Promise.resolve(++searches);
    }, () => isCancelled);
    assert.deepEqual(await find('q', '1'), { found: 1, isOld: false });
    assert.deepEqual(await find('q', '1'), { found: 1, isOld: false });
    now += 19_999;
    assert.deepEqual(await find('q', '2'), { found: 1, isOld: true });
    now += 1;
    assert.deepEqual(await find('q', '2'), { found: 2, isOld: false });
    assert.deepEqual(await find('other', '2', true), { found: 3, isOld: false }, 'another question is answered at once');
    assert.deepEqual(await find('other', '2'), { found: 4, isOld: false }, 'what a cancelled search found is not kept');
    now += 20_000;
    assert.deepEqual(await find('other', undefined), { found: 5, isOld: false });
    kept.forget();
    assert.deepEqual(await find('other', '2'), { found: 6, isOld: false });
  });
});
