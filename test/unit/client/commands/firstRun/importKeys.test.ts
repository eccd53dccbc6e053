import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { describe, it } from 'node:test';
import type { CommandServices } from '../../../../../client/commands/services.ts';
import type { FoundKey } from '../../../../../client/connect/keys/foundKey.ts';
import { KeyStore } from '../../../../../client/keys/keyStore.ts';
import type { Endpoints } from '../../../../../client/settings/settingsEdits.ts';
import { providerOffers } from '../../../../../server/catalog/offers.ts';
import { InMemorySecrets } from '../../fakes.ts';

/** An editor in which work with progress runs at once, and lists are left as they are shown; `chosenAtFirst` has what was chosen in the last one. */
const lists = 'export let chosenAtFirst; const createQuickPick = () => { let left; const pick = { onDidHide: run => { left = run; }, onDidAccept() {}, onDidTriggerButton() {}, onDidChangeSelection() {}, dispose() {}, show() { chosenAtFirst = pick.selectedItems; left(); } }; return pick; };';
const editor = 'data:text/javascript,' + lists + 'export const window = { createQuickPick, withProgress: async (options, run) => run({}, { isCancellationRequested: false }) }; export const ProgressLocation = {}; export const QuickPickItemKind = {}; export const commands = {};';

const hooks = registerHooks({ resolve: (name, context, next) => (name === 'vscode' ? { url: editor, shortCircuit: true } : next(name, context)) });
const { importChosen, importFound } = await import('../../../../../client/commands/firstRun/importKeys.ts');
const shown = await import(editor) as { chosenAtFirst: readonly { value: FoundKey }[] };
hooks.deregister();

const offers = providerOffers();
const found: FoundKey = { place: 'Environment of the editor', source: 'GROQ_API_KEY', provider: 'groq', secret: 'gsk_AbCdEfGh9f3c' };

/** The settings and keys of one machine. `meanwhile` runs while keys are tried. */
class Machine {
  endpoints: Endpoints = {};
  readonly keys = new KeyStore(new InMemorySecrets(), () => 1, () => String(++this.#ids));
  readonly said: string[] = [];
  meanwhile: () => Promise<void> = () => Promise.resolve();
  writeFails = false;
  #ids = 0;

  get services(): CommandServices {
    const endpoints = (): Endpoints => this.endpoints;
    return {
      keys: this.keys,
      configuration: {
        get settings() { return { endpoints: endpoints(), routes: {} }; },
        changeEndpoints: (change: (all: Endpoints) => Endpoints) => {
          if (this.writeFails) return Promise.reject(new Error('settings.json has errors'));
          this.endpoints = change(this.endpoints);
          return Promise.resolve();
        },
      },
      server: { testEndpoint: () => this.meanwhile().then(() => ({ ok: true, message: '', models: [] })), proposeRoutes: () => Promise.resolve([]) },
      chatAccess: { informWithChat: (text: string) => { this.said.push(text); return Promise.resolve(); } },
    } as unknown as CommandServices;
  }

  async secrets(endpoint: string): Promise<string[]> {
    return (await this.keys.stored(endpoint)).map(({ secret }) => secret);
  }
}

describe('keys that are imported', () => {
  it('are not chosen at first where a workspace alone holds them, or where they are stored', async () => {
    const of = new Machine();
    of.endpoints = { groq: { provider: 'groq' } };
    await of.keys.add('groq', found.secret);
    const fresh: FoundKey = { ...found, secret: 'gsk_ZyXwVuTs1a2b' };
    await importFound(of.services, offers, { keys: [found, fresh, { ...fresh, secret: 'gsk_MnOpQrSt5e6f', ofWorkspace: true }], notTaken: [] });
    assert.deepEqual(shown.chosenAtFirst.map(({ value }) => value), [fresh]);
  });

  it('leave a provider of the same name alone that another window adds meanwhile', async () => {
    const of = new Machine();
    of.meanwhile = async () => {
      of.endpoints = { groq: { provider: 'groq', baseUrl: 'https://proxy.example' } };
      await of.keys.add('groq', 'key of the other window');
    };
    await importChosen(of.services, offers, [found]);
    assert.deepEqual(of.endpoints, { 'groq': { provider: 'groq', baseUrl: 'https://proxy.example' }, 'groq-2': { provider: 'groq' } });
    assert.deepEqual([await of.secrets('groq'), await of.secrets('groq-2')], [['key of the other window'], [found.secret]]);
  });

  it('go to the provider that another window adds meanwhile, where it leads to the same place', async () => {
    for (const theirs of ['key of the other window', found.secret]) {
      const of = new Machine();
      of.meanwhile = async () => {
        of.endpoints = { groq: { provider: 'groq', priority: 3 } };
        await of.keys.add('groq', theirs);
      };
      await importChosen(of.services, offers, [found]);
      assert.deepEqual(of.endpoints, { groq: { provider: 'groq', priority: 3 } });
      assert.deepEqual(await of.secrets('groq'), [...new Set([theirs, found.secret])]);
    }
  });

  it('can be imported again where a provider was deleted in settings.json, and its key was left over', async () => {
    const of = new Machine();
    await of.keys.add('groq', found.secret);
    await importChosen(of.services, offers, [found]);
    assert.deepEqual([of.endpoints, await of.secrets('groq'), of.said.length], [{ groq: { provider: 'groq' } }, [found.secret], 1]);
  });

  it('are not stored where the settings cannot be written, and a second run stores them', async () => {
    const of = new Machine();
    of.writeFails = true;
    await assert.rejects(importChosen(of.services, offers, [found]), /settings\.json has errors/);
    assert.deepEqual(await of.keys.endpoints(), []);
    of.writeFails = false;
    await importChosen(of.services, offers, [found]);
    assert.deepEqual([of.endpoints, await of.secrets('groq')], [{ groq: { provider: 'groq' } }, [found.secret]]);
  });
});
