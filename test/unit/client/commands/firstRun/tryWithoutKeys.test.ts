import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { describe, it } from 'node:test';
import type { EndpointOrder } from '../../../../../server/api/endpoints/pause.ts';
import type { RequestFilter } from '../../../../../server/api/reports/requestFilter.ts';
import type { CommandServices } from '../../../../../client/commands/services.ts';
import { Emitter } from '../../../../../client/base/emitter.ts';
import { KeyStore } from '../../../../../client/keys/keyStore.ts';
import type { Endpoints, Routes } from '../../../../../client/settings/settingsEdits.ts';
import { InMemorySecrets, settle } from '../../fakes.ts';

/** An editor that keeps what it tells, and whose dialogs are answered with their last button. */
const editor = `data:text/javascript,
globalThis.told = [];
const tell = async (message, ...rest) => { globalThis.told.push(message); return rest[0]?.modal ? rest.at(-1) : undefined; };
export const window = { withProgress: async (options, run) => run({}, {}), showInformationMessage: tell, showWarningMessage: tell };
export const ProgressLocation = {}; export const QuickPickItemKind = {}; export const commands = {};`.replaceAll('\n', '');

const hooks = registerHooks({ resolve: (name, context, next) => (name === 'vscode' ? { url: editor, shortCircuit: true } : next(name, context)) });
const { removeSimulated, tryWithoutKeys } = await import('../../../../../client/commands/firstRun/tryWithoutKeys.ts');
const { removeProvider } = await import('../../../../../client/commands/endpointCommands.ts');
hooks.deregister();

/** What the editor has told since the last look. */
function told(): string[] {
  return (globalThis as unknown as { told: string[] }).told.splice(0);
}

/** A window with a server, as far as these commands see them. */
class Desk {
  endpoints: Endpoints = {};
  routes: Routes = {};
  readonly keys = new KeyStore(new InMemorySecrets(), () => 1, () => 'id');
  readonly memory = { get: () => undefined, update: () => Promise.resolve() } as never;
  readonly changed = new Emitter<void>();
  readonly paused = new Set<string>();
  readonly searched: RequestFilter[] = [];
  /** Routes that have answered. */
  readonly answered: string[] = [];
  revision = 1;
  serverAnswers = true;

  get services(): CommandServices {
    const settings = (): unknown => ({ endpoints: this.endpoints, routes: this.routes });
    const status = (): unknown => ({ ledgerRevision: this.revision, endpoints: [], offered: Object.keys(this.routes).map(name => ({ id: name, kind: 'route', requestedModel: name })) });
    return {
      keys: this.keys,
      configuration: {
        get settings() { return settings(); },
        emptySettings: () => ({}),
        changeEndpoints: (change: (all: Endpoints) => Endpoints | undefined) => { this.endpoints = change(this.endpoints) ?? {}; return Promise.resolve(); },
        changeRoutes: (change: (all: Routes) => Routes | undefined) => { this.routes = change(this.routes) ?? {}; return Promise.resolve(); },
      },
      server: {
        get status() { return status(); },
        onDidChangeStatus: this.changed.event,
        findRequests: ({ filter }: { filter: RequestFilter }) => {
          this.searched.push(filter);
          return Promise.resolve({ requests: this.answered.filter(route => route === filter.route).map(id => ({ id })) });
        },
        endpoint: ({ action, endpoint }: EndpointOrder) => {
          if (!this.serverAnswers) return Promise.reject(new Error('The server has ended.'));
          if (this.endpoints[endpoint] === undefined) return Promise.resolve({ refused: 'There is no such endpoint.' });
          return Promise.resolve(action === 'resume' && this.paused.delete(endpoint) ? { endpoints: [], message: '' } : { refused: 'It is not paused.' });
        },
      },
      chatAccess: { state: () => Promise.resolve('allowed'), openChat: () => Promise.resolve() },
    } as unknown as CommandServices;
  }

  /** A request of a route is answered, and the server tells its status. */
  async answer(route: string): Promise<void> {
    this.answered.push(route);
    this.revision += 1;
    this.changed.fire();
    await settle();
  }
}

describe('"Try It Without Keys"', () => {
  it('says that a simulated provider answered when its route did, and not when another did', async () => {
    const of = new Desk();
    const done = tryWithoutKeys(of.services, of.memory);
    await settle();
    const [route = assert.fail()] = Object.keys(of.routes);
    await of.answer('best');
    assert.deepEqual(told(), []);
    await of.answer(route);
    await done;
    assert.match(told().join(), /^A simulated provider answered/);
    assert.ok(of.searched.every(({ outcome, fromMs }) => outcome === 'ok' && fromMs !== undefined));
  });
});

describe('the pause of a provider', () => {
  it('ends when the provider is removed', async () => {
    const of = new Desk();
    of.endpoints = { work: { provider: 'groq' } };
    of.paused.add('work');
    await removeProvider(of.services, { endpoint: 'work' });
    assert.deepEqual([of.endpoints, [...of.paused]], [{}, []]);
    assert.deepEqual(told().slice(1), ['Removed work. Undo brings it back without its pause.']);
  });

  it('ends when the simulated providers are removed', async () => {
    const of = new Desk();
    const done = tryWithoutKeys(of.services, of.memory);
    await settle();
    const names = Object.keys(of.endpoints);
    for (const name of names) of.paused.add(name);
    await removeSimulated(of.services, of.memory);
    assert.deepEqual([names.length, of.endpoints, [...of.paused]], [2, {}, []]);
    await of.answer('simulated');
    await done;
    told();
  });

  it('does not keep a provider from being removed while the server does not answer', async () => {
    const of = new Desk();
    of.endpoints = { work: { provider: 'groq' } };
    of.serverAnswers = false;
    await removeProvider(of.services, { endpoint: 'work' });
    assert.deepEqual([of.endpoints, told().slice(1)], [{}, ['Removed work.']]);
  });
});
