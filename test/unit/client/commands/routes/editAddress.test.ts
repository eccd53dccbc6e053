import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { describe, it } from 'node:test';
import type { TestEndpointResult } from '../../../../../server/api/messages.ts';
import type { EndpointSettings } from '../../../../../server/api/settings.ts';
import type { CommandServices } from '../../../../../client/commands/services.ts';
import type { Endpoints } from '../../../../../client/settings/settingsEdits.ts';

/** An editor whose boxes and dialogs are answered in order from `answers`: a text, the label of an item or a button, or undefined, which leaves. */
const editor = `data:text/javascript,${encodeURIComponent(`
export const answers = []; export const shown = [];
export class ThemeIcon {}
export const QuickInputButtons = {}; export const QuickPickItemKind = {}; export const InputBoxValidationSeverity = {}; export const ProgressLocation = {};
const box = () => { const on = {}; const made = { onDidAccept: run => { on.accept = run; }, onDidHide: run => { on.hide = run; }, onDidChangeValue() {}, onDidTriggerButton() {}, onDidTriggerItemButton() {}, onDidChangeSelection() {}, onDidChangeActive() {}, dispose() {}, show() { queueMicrotask(() => {
  const answer = answers.shift(); shown.push(made.prompt ?? made.items.map(({ label }) => label).join());
  if (answer === undefined) return on.hide();
  if (made.items === undefined) made.value = answer; else made.selectedItems = made.activeItems = made.items.filter(({ label }) => label === answer);
  on.accept();
}); } }; return made; };
export const window = { createInputBox: box, createQuickPick: () => Object.assign(box(), { items: [], value: '' }), withProgress: (options, run) => run({}, { isCancellationRequested: false }),
  showWarningMessage: async message => { shown.push(message); return answers.shift(); }, showInformationMessage: async message => { shown.push(message); } };`)}`;
const hooks = registerHooks({ resolve: (name, context, next) => (name === 'vscode' ? { url: editor, shortCircuit: true } : next(name, context)) });
const { addressText, editAddress, withAddress } = await import('../../../../../client/commands/routes/editAddress.ts');
const { answers, shown } = await import(editor) as { answers: (string | undefined)[]; shown: string[] };
hooks.deregister();

const openai = { name: 'OpenAI', baseUrl: 'https://api.openai.com/v1' };
const regional = { name: 'Qwen', regions: [{ id: 'cn', name: 'China', baseUrl: 'https://cn.example/v1' }, { id: 'intl', name: 'International', baseUrl: 'https://intl.example/v1' }] };

/** Edits the address of "north". @returns its settings afterwards, and the addresses that were tried */
async function edited(settings: EndpointSettings, offer: Parameters<typeof editAddress>[2], given: (string | undefined)[], results: Partial<TestEndpointResult>[] = [], keyCount = 0): Promise<{ settings: EndpointSettings | undefined; tried: EndpointSettings[] }> {
  let endpoints: Endpoints = { north: settings };
  const tried: EndpointSettings[] = [];
  answers.splice(0, answers.length, ...given);
  shown.length = 0;
  const services = {
    configuration: { get settings() { return { endpoints }; }, changeEndpoints: (change: (all: Endpoints) => Endpoints) => { endpoints = change(endpoints); return Promise.resolve(); } },
    server: { testEndpoint: ({ settings: one }: { settings: EndpointSettings }) => { tried.push(one); return Promise.resolve({ ok: true, message: 'north answers.', models: [], ...results.shift() }); } },
    keys: { list: () => Promise.resolve(Array.from({ length: keyCount }, (_, index) => ({ id: String(index) }))) },
  } as unknown as CommandServices;
  await editAddress(services, { name: 'north', settings }, offer);
  return { settings: endpoints['north'], tried };
}

describe('the address of a provider', () => {
  const settings: EndpointSettings = { provider: 'openai', baseUrl: 'https://old.example/v1', headers: { team: 'a' }, models: { m: {} } };
  const { baseUrl: _, ...elsewhere } = settings;

  it('is tried with the keys that are there, and then stored; what else is written stays', async () => {
    const { settings: after, tried } = await edited(settings, openai, ['new.example/v1/']);
    assert.deepEqual(tried, [{ ...elsewhere, baseUrl: 'https://new.example/v1' }]);
    assert.deepEqual(after, { ...elsewhere, baseUrl: 'https://new.example/v1' });
    assert.match(shown[0] ?? '', /keys of north are sent there from now on/);
    assert.equal(shown.at(-1), 'north answers.');
  });

  it('is the one at which the provider was found', async () => {
    assert.equal((await edited(settings, openai, ['https://new.example'], [{ baseUrl: 'https://new.example/v1' }])).settings?.baseUrl, 'https://new.example/v1');
  });

  it('is the usual one where the box is empty, and may not be empty where there is none', async () => {
    assert.deepEqual((await edited(settings, openai, [''])).settings, elsewhere);
  });

  it('is not stored when the test fails, unless the user wants it', async () => {
    const failed = { ok: false, message: 'Nothing answers there.' };
    assert.deepEqual((await edited(settings, openai, ['https://new.example', undefined], [failed])).settings, settings);
    assert.deepEqual((await edited(settings, openai, ['https://new.example', 'Try Again', undefined], [failed, failed])).tried.length, 2);
    assert.equal((await edited(settings, openai, ['https://wrong.example', 'Edit Base URL', 'https://right.example'], [failed, {}])).settings?.baseUrl, 'https://right.example');
    assert.equal((await edited(settings, openai, ['https://new.example', 'Save Anyway'], [failed])).settings?.baseUrl, 'https://new.example');
  });

  it('is not tried when nothing changes or the user leaves', async () => {
    for (const given of ['https://old.example/v1', undefined]) assert.deepEqual(await edited(settings, openai, [given]), { settings, tried: [] });
  });

  it('gets the keys only when the user says so', async () => {
    const { tried } = await edited(settings, openai, ['https://new.example', undefined, undefined], [], 1);
    assert.deepEqual(tried, [], 'nothing is sent there before');
    assert.deepEqual(shown.filter(text => text.endsWith('?')), ['Send the keys of north to https://new.example?']);
    assert.equal((await edited(settings, openai, ['https://new.example', 'Send Them There'], [], 1)).settings?.baseUrl, 'https://new.example');
    const again = await edited(settings, openai, ['https://new.example', 'Send Them There', 'Edit Base URL', 'https://new.example/v2'], [{ ok: false }, {}], 1);
    assert.deepEqual(again.tried.map(one => one.baseUrl), ['https://new.example', 'https://new.example/v2'], 'a host is asked about once');
  });

  it('is shown with the host that is connected to, where letters look like others', async () => {
    await edited(settings, openai, ['https://api.\u043epenai.com/v1', undefined, undefined], [], 2);
    assert.ok(shown.includes('Send the keys of north to https://api.xn--penai-iye.com?'), shown.join());
    await edited(settings, openai, ['http://api.openai.com/v1', undefined, undefined], [], 2);
    assert.ok(shown.includes('Send the keys of north to http://api.openai.com?'), shown.join());
  });

  it('gets the keys without a question where it is one of the provider itself, or the same host', async () => {
    for (const given of ['', 'https://api.openai.com/v1/', 'https://old.example/v2']) assert.equal((await edited(settings, openai, [given], [], 1)).tried.length, 1, given);
    assert.equal((await edited({ provider: 'qwen', region: 'cn' }, regional, ['International'], [], 1)).tried.length, 1);
    assert.equal((await edited({ provider: 'qwen', region: 'cn' }, regional, ['$(edit) Another Address…', 'https://intl.example/v2'], [], 1)).tried.length, 1);
  });

  it('is a region where the provider has several, or another address', async () => {
    assert.deepEqual((await edited({ provider: 'qwen', region: 'cn' }, regional, ['International'])).settings, { provider: 'qwen', region: 'intl' });
    assert.deepEqual((await edited({ provider: 'qwen', region: 'cn' }, regional, ['$(edit) Another Address…', 'https://own.example'])).settings, { provider: 'qwen', baseUrl: 'https://own.example' });
    assert.deepEqual([addressText({ region: 'cn' }, regional), addressText({ baseUrl: 'https://own.example' }, regional), addressText({}, openai)], ['China', 'https://own.example', 'https://api.openai.com/v1']);
    assert.deepEqual(withAddress({ provider: 'qwen', region: 'cn', enabled: false }, {}), { provider: 'qwen', enabled: false });
  });
});
