import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Chat } from './harness/chat.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { until } from './harness/until.ts';
import type { Workbench } from './harness/workbench.ts';

/** Keys as other tools leave them on a machine: one in a variable, one in a file, and a login that cannot be used. */
const variableKey = 'sk-north-5f1c8d24e7a94b60';
const fileKey = 'sk-ant-south-9b7e3a61c2d84f05';
const pastedKeys = ['sk-ant-api03-AbCdEfGhIjKlMnOpQr5t', 'gsk_AbCdEfGhIjKl9p'];
const loginToken = 'eyJhbGciOiJub25lIn0.loginloginlogin';

describe('keys that are on the machine already', () => {
  let scene: Scene;
  let window: Workbench;
  let chat: Chat;
  tellInOrder(() => scene);

  before(async () => {
    scene = await Scene.set(undefined, { environment: sandbox => ({ OPENAI_API_KEY: variableKey, OPENAI_BASE_URL: sandbox.first.url }) });
    plant('.continue/config.yaml', `name: Local\nmodels:\n  - name: South\n    provider: anthropic\n    model: sandbox-messages\n    apiKey: ${fileKey}\n    apiBase: ${scene.sandbox.second.url}\n`);
    plant('.codex/auth.json', JSON.stringify({ OPENAI_API_KEY: null, tokens: { access_token: loginToken, refresh_token: loginToken } }));
    window = await scene.openWindow('alpha');
    chat = new Chat(window);
  });
  after(async () => { await scene?.end(); });

  it('are looked for in the places that the user agrees to', async () => {
    await window.command('Waybill: Import Keys…');
    await until('the places', async () => /Environment of the editor[^]*Codex[^]*~\/\.codex\/auth\.json[^]*Continue[^]*Model servers/.test(await window.quickInputText()));
    await window.screenshot('import-places');
    await window.page.keyboard.press('Enter');
  });

  it('are listed with their last four characters, and logins with the reason why they stay', async () => {
    const text = await until('the keys', async () => {
      const shown = await window.quickInputText();
      return /…4b60/.test(shown) ? shown : undefined;
    });
    assert.match(text, /OPENAI_API_KEY …4b60/);
    assert.match(text, /South: apiKey …4f05/);
    assert.match(text, /ChatGPT login, which works in Codex only/);
    for (const secret of [variableKey, fileKey, loginToken]) assert.ok(!text.includes(secret.slice(0, -4)));
    await window.screenshot('import-keys');
    await window.page.keyboard.press('Enter');
  });

  it('are tried and stored, and become routes that the user agrees to', async () => {
    const text = await until('the proposal', async () => {
      const shown = await window.quickInputText();
      return /Choose the routes|models that run on this machine/.test(shown) ? shown : undefined;
    }, { timeoutMs: 30_000 });
    assert.match(text, /openai-compatible\/sandbox-chat → anthropic-compatible\/sandbox-messages/);
    assert.equal(settings()['waybill.routes'], undefined, 'nothing is written before');
    await window.screenshot('import-routes');
    await window.page.keyboard.press('Enter');
    await until('the route', () => settings()['waybill.routes'] !== undefined);
    assert.deepEqual(settings()['waybill.routes'], { local: { targets: ['openai-compatible/sandbox-chat', 'anthropic-compatible/sandbox-messages'] } });
    for (const secret of [variableKey, fileKey, loginToken]) assert.ok(!JSON.stringify(settings()).includes(secret));
  });

  it('answer in the chat', async () => {
    await window.dismissNotifications();
    await chat.open();
    await chat.chooseModel('local');
    assert.match(await chat.ask('hello'), /sandbox-a answers your prompt: "hello"/);
  });

  it('are known as stored when they are looked for again, and nothing changes', async () => {
    const before = JSON.stringify(settings());
    await window.command('Waybill: Import Keys…');
    await until('the places', async () => /Environment of the editor/.test(await window.quickInputText()));
    await window.page.keyboard.press('Enter');
    await until('what is held', async () => /stored already, as "OPENAI_API_KEY" of openai-compatible/.test(await window.quickInputText()));
    await window.screenshot('import-again');
    await window.page.keyboard.press('Escape');
    assert.equal(JSON.stringify(settings()), before);
  });

  it('can be pasted into the box that asks for a provider, which they leave at once', async () => {
    await window.command('Waybill: Add Provider…');
    await until('the box', async () => await window.quickInputBox().getAttribute('placeholder') === 'Choose a provider, or paste a key');
    await window.page.keyboard.insertText(pastedKeys.join('\n'));
    const text = await until('what they are for', async () => {
      const shown = await window.quickInputText();
      return /Add Both/.test(shown) ? shown : undefined;
    });
    assert.match(text, /Add Both ?\s*Anthropic …Qr5t, Groq …Kl9p/);
    assert.equal(await window.quickInputBox().inputValue(), '');
    await window.screenshot('import-pasted');
    await window.page.keyboard.press('Escape');
  });

  it('are in no log', () => {
    for (const [file, text] of scene.editor.logs()) for (const secret of [variableKey, fileKey, loginToken, ...pastedKeys]) assert.ok(!text.includes(secret), file);
  });

  function plant(file: string, text: string): void {
    mkdirSync(path.dirname(path.join(scene.editor.home, file)), { recursive: true });
    writeFileSync(path.join(scene.editor.home, file), text);
  }

  function settings(): Record<string, unknown> {
    return JSON.parse(readFileSync(path.join(scene.editor.userDataDir, 'User', 'settings.json'), 'utf8')) as Record<string, unknown>;
  }
});
