import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { describe, it } from 'node:test';
import type { CommandServices } from '../../../../../client/commands/services.ts';
import type { Routes } from '../../../../../client/settings/settingsEdits.ts';

/** An editor that shows nothing: every message is dismissed. */
const editor = 'data:text/javascript,export const window = { showInformationMessage: async () => globalThis.pressedButton }; export const commands = {}; export const QuickPickItemKind = { Separator: -1 };';

const hooks = registerHooks({ resolve: (name, context, next) => (name === 'vscode' ? { url: editor, shortCircuit: true } : next(name, context)) });
const { addRouteTarget, editPolicyOfLine, moveTarget, removeTarget, tierTarget, weighTarget } = await import('../../../../../client/commands/routes/lineCommands.ts');
hooks.deregister();

/** The user's routes, and what the commands made of them. */
class KeptRoutes {
  routes: Routes;

  constructor(routes: Routes) {
    this.routes = routes;
  }

  get services(): CommandServices {
    const changeRoutes = (change: (routes: Routes) => Routes): Promise<void> => {
      this.routes = change(this.routes);
      return Promise.resolve();
    };
    return { configuration: { settings: { routes: this.routes }, changeRoutes } } as unknown as CommandServices;
  }

  targets(route = 'best'): readonly string[] {
    return this.routes[route]?.targets ?? [];
  }
}

function kept(): KeptRoutes {
  return new KeptRoutes({ best: { targets: ['a/m', 'b/m', 'c/m'], strategy: 'weighted', weights: { 'b/m': 3 } }, lone: { targets: ['a/m'] } });
}

function press(button: string | undefined): void {
  Object.assign(globalThis, { pressedButton: button });
}

describe('commands of a line of the Routes view', () => {
  it('move a target up and down, and leave it at the ends of its route', async () => {
    const of = kept();
    await moveTarget(of.services, { route: 'best', target: 'b/m' }, -1);
    assert.deepEqual(of.targets(), ['b/m', 'a/m', 'c/m']);
    await moveTarget(of.services, { route: 'best', target: 'a/m' }, 1);
    assert.deepEqual(of.targets(), ['b/m', 'c/m', 'a/m']);
    await moveTarget(of.services, { route: 'best', target: 'a/m' }, 1);
    await moveTarget(of.services, { route: 'best', target: 'b/m' }, -1);
    assert.deepEqual(of.targets(), ['b/m', 'c/m', 'a/m']);
  });

  it('remove a target with its weight, and put both back when that is undone', async () => {
    const of = kept();
    const before = structuredClone(of.routes);
    press(undefined);
    await removeTarget(of.services, { route: 'best', target: 'b/m' });
    assert.deepEqual([of.targets(), of.routes['best']?.weights ?? {}], [['a/m', 'c/m'], {}]);
    const undone = kept();
    press('Undo');
    await removeTarget(undone.services, { route: 'best', target: 'b/m' });
    assert.deepEqual(undone.routes, before);
  });

  it('keep the only target of a route', async () => {
    const of = kept();
    await assert.rejects(removeTarget(of.services, { route: 'lone', target: 'a/m' }), { name: 'UserError', message: 'a/m is the only target of the route "lone". Add another one first, or remove the route.' });
    assert.deepEqual(of.targets('lone'), ['a/m']);
  });

  it('refuse in one sentence what is not there any more, and what was called without a line', async () => {
    const { services } = kept();
    for (const command of [(line: object): Promise<void> => moveTarget(services, line, 1), (line: object): Promise<void> => weighTarget(services, line), (line: object): Promise<void> => tierTarget(services, line), (line: object): Promise<void> => removeTarget(services, line)]) {
      await assert.rejects(command({ route: 'best', target: 'gone/m' }), { message: 'This target is not in the route "best" any more.' });
      await assert.rejects(command({ route: 'gone', target: 'a/m' }), { message: 'There is no route "gone" in the settings any more.' });
      await assert.rejects(command({}), { message: 'Choose a route in the Routes view, or run "Waybill: Edit Route…".' });
      await assert.rejects(command({ route: 'best' }), { message: 'This target is not in the route "best" any more.' });
    }
    await assert.rejects(addRouteTarget(services, {}), { message: /^Choose a route/ });
    await assert.rejects(editPolicyOfLine(services, { route: 'gone', policy: 'hedge' }), { message: /^There is no route "gone"/ });
    for (const policy of [{}, { policy: 'nonsense' }, { policy: 'toString' }]) await assert.rejects(editPolicyOfLine(services, { route: 'best', ...policy }), { message: 'Choose a policy in the Routes view, or run "Waybill: Edit Route…".' });
  });
});
