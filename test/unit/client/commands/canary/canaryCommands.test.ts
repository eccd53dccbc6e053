import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { describe, it } from 'node:test';
import type { CanaryParams, CanaryPhase, CanaryResult } from '../../../../../server/api/canary.ts';
import { NextStep } from '../../../../../client/base/errors.ts';
import type { CommandServices } from '../../../../../client/commands/services.ts';
import type { Routes } from '../../../../../client/settings/settingsEdits.ts';

/** An editor in which one button is pressed, or none. */
const editor = 'data:text/javascript,export const window = { showInformationMessage: async message => { globalThis.shownMessage = message; return globalThis.pressedButton; } }; export const commands = {}; export const QuickPickItemKind = { Separator: -1 };';

const hooks = registerHooks({ resolve: (name, context, next) => (name === 'vscode' ? { url: editor, shortCircuit: true } : next(name, context)) });
const { adoptCanary, canaryReport, pauseCanary, promoteCanary, rollBackCanary, startCanary } = await import('../../../../../client/commands/canary/canaryCommands.ts');
hooks.deregister();

/** Routes with canaries in given phases, and what was asked of the server. */
class Canaries {
  routes: Routes = { best: { targets: ['old/m', 'older/m'], weights: { 'old/m': 3 }, strategy: 'weighted', canary: { targets: ['new/m'] } }, plain: { targets: ['old/m'] } };
  readonly asked: CanaryParams[] = [];
  answer: CanaryResult = { canaries: [] };
  readonly services: CommandServices;

  constructor(phases: Readonly<Record<string, CanaryPhase>>) {
    const canaries = Object.entries(phases).map(([route, phase]) => ({ route, phase }));
    const settings = (): { routes: Routes } => ({ routes: this.routes });
    this.services = {
      configuration: {
        get settings() { return settings(); },
        changeRoutes: (change: (routes: Routes) => Routes) => { this.routes = change(this.routes); return Promise.resolve(); },
      },
      server: { status: { canaries }, canary: (params: CanaryParams) => { this.asked.push(params); return Promise.resolve(this.answer); } },
    } as unknown as CommandServices;
  }
}

function press(button: string | undefined): void {
  Object.assign(globalThis, { pressedButton: button });
}

describe('commands of a canary', () => {
  it('ask the server for what they say, on the only route that they can be about', async () => {
    press(undefined);
    const of = new Canaries({ best: 'running', plain: 'rolled-back' });
    await promoteCanary(of.services, {});
    await pauseCanary(of.services, {});
    await rollBackCanary(of.services, {});
    await startCanary(of.services, { route: 'best' });
    assert.deepEqual(of.asked.map(({ action, route }) => `${action} ${String(route)}`), ['promote best', 'pause best', 'rollback best', 'start best']);
  });

  it('say what the server refused, and where nothing is there to act on', async () => {
    const of = new Canaries({ best: 'rolled-back' });
    of.answer = { refused: 'The canary is rolled back already.' };
    await assert.rejects(rollBackCanary(of.services, { route: 'best' }), { name: 'UserError', message: 'The canary is rolled back already.' });
    await assert.rejects(pauseCanary(of.services, {}), (error: unknown) => error instanceof NextStep && error.actions[0]?.command === 'waybill.startCanary');
    of.routes = {};
    await assert.rejects(startCanary(of.services, {}), { message: 'A canary needs a route first.' });
  });

  it('show the report of the route', async () => {
    const shown: string[] = [];
    await canaryReport(new Canaries({ best: 'promoted' }).services, {}, route => { shown.push(route); return Promise.resolve(); });
    assert.deepEqual(shown, ['best']);
  });
});

describe('a canary that is made the targets of its route', () => {
  it('leaves the settings, its targets stay, and all of it can be undone', async () => {
    const of = new Canaries({ best: 'promoted' });
    const before = structuredClone(of.routes);
    press(undefined);
    await adoptCanary(of.services, {});
    assert.deepEqual(of.routes, { best: { targets: ['new/m'], strategy: 'weighted' }, plain: { targets: ['old/m'] } });
    of.routes = structuredClone(before);
    press('Undo');
    await adoptCanary(of.services, { route: 'best' });
    assert.deepEqual(of.routes, before);
  });

  it('has all its stages behind it, and is written in the settings', async () => {
    const running = new Canaries({ best: 'running' });
    await assert.rejects(adoptCanary(running.services, {}), { message: 'No canary has finished its last stage; promote it first.' });
    await assert.rejects(adoptCanary(running.services, { route: 'best' }), /has not finished its last stage; promote it first\.$/);
    const elsewhere = new Canaries({ filed: 'promoted' });
    await assert.rejects(adoptCanary(elsewhere.services, {}), /^UserError: The canary of "filed" is not in the settings; in the rules file, give the route the canary's `targets` and remove its `canary`\.$/);
  });
});
