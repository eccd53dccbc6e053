import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { commandTarget, commandTitles, viewCommandTitles } from '../../../client/commands/commandTable.ts';
import { settingDefaults, shownModelsChoices, statusBarChoices } from '../../../client/settings/settings.ts';
import { readManifest } from '../support/manifest.ts';

interface Manifest {
  engines: { vscode: string };
  main: string;
  extensionKind: string[];
  activationEvents: string[];
  categories: string[];
  keywords: string[];
  capabilities: { untrustedWorkspaces: { supported: string; description: string; restrictedConfigurations: string[] }; virtualWorkspaces: boolean };
  devDependencies: Record<string, string>;
  contributes: {
    commands: { command: string; title: string; category: string }[];
    menus: Record<string, { command: string; when?: string }[]>;
    views: { waybill: { id: string }[] };
    viewsWelcome: { view: string; contents: string; when?: string }[];
    keybindings: { command: string; key: string; when: string }[];
    configuration: { properties: Record<string, { default?: unknown; scope?: string; enum?: string[]; markdownDescription?: string; description?: string }> };
    languageModelChatProviders: { vendor: string; managementCommand?: string }[];
  };
}

const root = new URL('../../../', import.meta.url);
const manifest = readManifest<Manifest>();
const allTitles: Record<string, string> = { ...commandTitles, ...viewCommandTitles };

describe('package.json', () => {
  it('contributes exactly the commands of the table, with their titles', () => {
    assert.deepEqual(Object.fromEntries(manifest.contributes.commands.map(entry => [entry.command, entry.title])), allTitles);
    for (const entry of manifest.contributes.commands) assert.equal(entry.category, 'Waybill', entry.command);
  });

  it('has commands in menus and welcome texts that exist', () => {
    for (const entry of Object.values(manifest.contributes.menus).flat()) assert.ok(entry.command in allTitles, entry.command);
    for (const { contents } of manifest.contributes.viewsWelcome) {
      for (const [, command] of contents.matchAll(/\(command:(waybill\.[^)?]+)/g)) assert.ok((command ?? '') in allTitles, command);
    }
    for (const { managementCommand } of manifest.contributes.languageModelChatProviders) assert.ok((managementCommand ?? '') in allTitles);
  });

  it('has the defaults that the code has', () => {
    const { properties } = manifest.contributes.configuration;
    assert.deepEqual(Object.keys(properties).sort(), Object.keys(settingDefaults).map(name => `waybill.${name}`).sort());
    for (const [name, value] of Object.entries(settingDefaults)) assert.deepEqual(properties[`waybill.${name}`]?.default, value, name);
    assert.deepEqual(properties['waybill.statusBar.show']?.enum, statusBarChoices);
    assert.deepEqual(properties['waybill.models.show']?.enum, shownModelsChoices);
  });

  it('lets no workspace change a setting', () => {
    for (const [name, setting] of Object.entries(manifest.contributes.configuration.properties)) {
      assert.equal(setting.scope, 'application', name);
      assert.ok((setting.markdownDescription ?? setting.description ?? '') !== '', name);
      assert.ok(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations.includes(name), name);
    }
    assert.equal(manifest.capabilities.untrustedWorkspaces.supported, 'limited');
    assert.equal(manifest.capabilities.virtualWorkspaces, true);
  });

  it('runs where the keys are, and starts without being waited for', () => {
    assert.deepEqual(manifest.extensionKind, ['ui', 'workspace']);
    assert.ok(manifest.activationEvents.includes('onStartupFinished'));
    assert.ok(!manifest.activationEvents.includes('*'));
    assert.equal(manifest.main, './dist/client.js');
    assert.ok(manifest.keywords.length <= 30);
  });

  it('is compiled against the oldest editor it says it runs in', () => {
    const types = JSON.parse(readFileSync(new URL('node_modules/@types/vscode/package.json', root), 'utf8')) as { version: string };
    const minor = (version: string): string => version.replace(/^[^\d]*/, '').split('.').slice(0, 2).join('.');
    assert.equal(minor(types.version), minor(manifest.engines.vscode));
  });

  it('takes a key only where one of its own lists has the focus', () => {
    const [enter, ...others] = manifest.contributes.keybindings;
    assert.deepEqual(others, []);
    assert.deepEqual([enter?.command, enter?.key], ['waybill.enterReceipt', 'enter']);
    assert.match(enter?.when ?? '', /^listFocus && !inputFocus && focusedView =~ /);
    const lists = new RegExp(/=~ \/(.+)\/$/.exec(enter?.when ?? '')?.[1] ?? '$^');
    assert.deepEqual(manifest.contributes.views.waybill.map(view => view.id).filter(id => lists.test(id)), ['waybill.drill', 'waybill.requests']);
  });

  it('has for each view and state one text with a next step', () => {
    const holds = (when: string | undefined, state: string): boolean => when === undefined || when.split(' || ').some(one => one === `waybill.state == ${state}`);
    for (const view of ['waybill.providers', 'waybill.routes', 'waybill.requests', 'waybill.drill']) {
      for (const state of ['empty', 'starting', 'ready', 'failed']) {
        const shown = manifest.contributes.viewsWelcome.filter(entry => entry.view === view && holds(entry.when, state));
        // The Providers view says above its lines that the server is starting.
        assert.equal(shown.length, view === 'waybill.providers' && state === 'starting' ? 0 : 1, `${view} ${state}`);
        for (const { contents } of shown) assert.match(contents, /^\[[^\]]+\]\(command:[\w.]+\)$/m, `${view} ${state} has no button`);
      }
    }
  });

  it('shows the views in the order of use', () => {
    assert.deepEqual(manifest.contributes.views.waybill.map(view => view.id), ['waybill.drill', 'waybill.providers', 'waybill.routes', 'waybill.spend', 'waybill.requests']);
  });
});

describe('commandTarget', () => {
  it('reads a line of the tree, a name, or nothing', () => {
    assert.deepEqual(commandTarget({ endpoint: 'openai', keyId: '1', label: 'x' }), { endpoint: 'openai', keyId: '1' });
    assert.deepEqual(commandTarget({ endpoint: 'openai', model: 'm' }), { endpoint: 'openai', model: 'm' });
    assert.deepEqual(commandTarget('openai'), { endpoint: 'openai' });
    assert.deepEqual(commandTarget({ fromDay: '2026-11-01', toDay: '2026-11-20' }), { range: { fromDay: '2026-11-01', toDay: '2026-11-20' } });
    assert.deepEqual(commandTarget({ kind: 'condition', part: 'tool', id: 'x' }), { condition: 'tool' });
    assert.deepEqual(commandTarget({ kind: 'request', request: { id: 'wb_1' } }), { request: 'wb_1' });
    assert.deepEqual(commandTarget({ filter: { tool: 'codex', minCostMicroUsd: 5 } }), { filter: { tool: 'codex', minCostMicroUsd: 5 } });
    assert.deepEqual(commandTarget({ filter: { minCostMicroUsd: 'much' } }), {});
    assert.deepEqual(commandTarget({ period: 'week' }), { period: 'week' });
    for (const nothing of [undefined, null, 7, {}, { endpoint: 3 }]) assert.deepEqual(commandTarget(nothing), {});
  });
});
