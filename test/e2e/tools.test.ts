import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Sandbox } from './harness/sandbox.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { until } from './harness/until.ts';
import type { Workbench } from './harness/workbench.ts';

const codexBefore = '# mine\nmodel = "gpt-5.4" # the good one\n\n[tui]\nnotifications = true\n';
const ownKey = 'AIzaSyD-this-is-a-key-of-my-own-00';

describe('connecting tools', () => {
  let scene: Scene;
  let window: Workbench;
  let codexFile: string;
  let claudeFile: string;
  let token: string;
  tellInOrder(() => scene);

  before(async () => {
    scene = await Scene.set(settings);
    codexFile = path.join(scene.editor.home, '.codex', 'config.toml');
    claudeFile = path.join(scene.editor.home, '.claude', 'settings.json');
    mkdirSync(path.dirname(codexFile), { recursive: true });
    writeFileSync(codexFile, codexBefore);
    mkdirSync(path.join(scene.editor.home, '.gemini'));
    writeFileSync(path.join(scene.editor.home, '.gemini', '.env'), `GEMINI_API_KEY=${ownKey}\n`);
    window = await scene.openWindow('alpha');
    await window.statusBarItem('1 of 1 provider up').waitFor();
  });
  after(async () => { await scene?.end(); });

  it('shows the change before it is written, without the token', async () => {
    await begin('Codex');
    await asked('Write ~/.codex/config.toml?');
    const diff = window.page.locator('.monaco-diff-editor');
    await diff.waitFor();
    await until('the change', async () => /model_provider[\s\S]*experimental_bearer_token/.test((await diff.innerText()).replaceAll('\u00A0', ' ')));
    assert.match(await diff.innerText(), /waybill-•+/);
    assert.equal(readFileSync(codexFile, 'utf8'), codexBefore, 'nothing is written yet');
    await window.screenshot('connect-tool');
  });

  it('writes nothing when the answer is no, and closes what it showed', async () => {
    await window.page.locator('.notification-toast').getByText('Cancel', { exact: true }).click();
    await window.page.locator('.monaco-diff-editor').waitFor({ state: 'detached' });
    assert.equal(readFileSync(codexFile, 'utf8'), codexBefore);
    assert.ok(!existsSync(path.join(scene.editor.globalStorage('waybill.waybill'), 'tokens', 'codex')));
  });

  it('writes the change, with a token whose spend is a line of its own', async () => {
    await begin('Codex');
    await asked('Write ~/.codex/config.toml?');
    await answer('Write').click();
    await until('the message', async () => (await window.notifications()).some(text => text.startsWith('Codex uses "default"')));
    const written = readFileSync(codexFile, 'utf8');
    assert.match(written, /^# mine\nmodel = "default" # the good one\nmodel_provider = "waybill"\n/);
    const url = /base_url = "(.*)\/v1"/.exec(written)?.[1];
    assert.equal(url, `http://127.0.0.1:${String(scene.port)}`);
    token = /experimental_bearer_token = "(.*)"/.exec(written)?.[1] ?? '';
    assert.equal(await ask(), 200);
    await until('the line in the ledger', async () => (await scene.endpoint.exchanges()).some(({ caller }) => caller.tool === 'codex'));
    await window.dismissNotifications();
  });

  it('shows several files of one tool together, and no key of the user\'s', async () => {
    await begin('Gemini CLI');
    await asked('Write ~/.gemini/.env and ~/.gemini/settings.json?');
    await until('both changes', async () => await window.page.locator('.multiDiffEntry').count() === 2);
    assert.ok(!(await window.page.locator('.part.editor').innerText()).includes(ownKey));
    await window.screenshot('connect-tool-files');
    await window.page.locator('.editor-actions a[aria-label^="Discard This Change"]').click();
    await window.page.locator('.multiDiffEntry').first().waitFor({ state: 'detached' });
  });

  it('gives back every byte, and the token ends', async () => {
    await window.command('Waybill: Disconnect a Tool…');
    await window.pick('Codex');
    await asked('Restore ~/.codex/config.toml?');
    await answer('Restore').click();
    await until('the message', async () => (await window.notifications()).some(text => text.includes('configured as before')));
    assert.equal(readFileSync(codexFile, 'utf8'), codexBefore);
    assert.equal(await ask(), 401);
    await window.command('Waybill: Disconnect a Tool…');
    await until('the sentence', async () => (await window.notifications()).some(text => text.startsWith('No tool is connected.')));
  });

  it('gives single kinds of work of Claude Code routes of their own', async () => {
    await begin('Claude Code');
    await until('the question', async () => /used for everything/.test(await window.quickInputBox().getAttribute('placeholder', { timeout: 500 }) ?? ''));
    await window.screenshot('connect-roles');
    await window.pick('Choose for Opus, Sonnet, Haiku and subagents…');
    for (const [index, choice] of ['As the rest: default', 'As the rest: default', 'small', 'As the rest: default'].entries()) {
      await until('the next role', async () => (await window.page.locator('.quick-input-title').innerText()).includes(['Opus', 'Sonnet', 'Haiku', 'Subagents'][index] ?? ''));
      if (index === 2) await window.screenshot('connect-haiku');
      await window.pick(choice);
    }
    await asked('Write ~/.claude/settings.json?');
    await window.screenshot('connect-claude-code');
    await answer('Write').click();
    await until('the message', async () => (await window.notifications()).some(text => text.startsWith('Claude Code uses "default"')));
    const { env } = JSON.parse(readFileSync(claudeFile, 'utf8')) as { env: Record<string, string> };
    assert.deepEqual([env.ANTHROPIC_DEFAULT_OPUS_MODEL, env.ANTHROPIC_DEFAULT_HAIKU_MODEL, env.ENABLE_TOOL_SEARCH], ['waybill/default', 'small', 'true']);
    assert.equal(env.CLAUDE_CODE_MAX_CONTEXT_TOKENS, '100000');
    await window.dismissNotifications();
  });

  it('says of a connection that is well that it is, and mends one that is not', async () => {
    await window.command('Waybill: Check Connected Tools');
    await until('the sentence', async () => (await window.notifications()).some(text => text.startsWith('Claude Code reaches Waybill at http://127.0.0.1')));
    await window.screenshot('check-tools-well');
    await window.dismissNotifications();
    writeFileSync(claudeFile, readFileSync(claudeFile, 'utf8').replace('"ENABLE_TOOL_SEARCH": "true"', '"ENABLE_TOOL_SEARCH": "false"'));
    await window.command('Waybill: Check Connected Tools');
    await until('the sentence', async () => (await window.notifications()).some(text => text.includes('ENABLE_TOOL_SEARCH in ~/.claude/settings.json is no longer as Waybill wrote it')));
    await window.screenshot('check-tools-changed');
    await answer('Write It Again…').click();
    await asked('Write ~/.claude/settings.json?');
    await answer('Write').click();
    await until('the file', async () => readFileSync(claudeFile, 'utf8').includes('"ENABLE_TOOL_SEARCH": "true"'));
    await window.dismissNotifications();
  });

  it('says in one sentence what is wrong with a file, and leaves it', async () => {
    writeFileSync(codexFile, 'model = = "x"\n');
    await begin('Codex');
    await until('the sentence', async () => (await window.notifications()).some(text => /config\.toml is not valid TOML \(line 1\); nothing was changed\./.test(text)));
    assert.equal(readFileSync(codexFile, 'utf8'), 'model = = "x"\n');
  });

  async function begin(tool: string): Promise<void> {
    await window.command('Waybill: Connect a Tool…');
    await window.pick(tool);
    await until('the routes', async () => /route or model/.test(await window.quickInputBox().getAttribute('placeholder', { timeout: 500 }) ?? ''));
    await window.pick('default');
  }

  async function asked(question: string): Promise<void> {
    await until(`the question "${question}"`, async () => (await window.notifications()).some(text => text.includes(question)));
  }

  function answer(text: string) {
    return window.page.locator('.notification-toast a').getByText(text, { exact: true });
  }

  async function ask(): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${String(scene.port)}/v1/chat/completions`, {
      method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'default', messages: [{ role: 'user', content: 'hello' }] }),
    });
    await response.arrayBuffer();
    return response.status;
  }
});

function settings({ first }: Sandbox): Record<string, unknown> {
  return {
    'waybill.endpoints': { north: { provider: 'sandbox', baseUrl: first.url, models: { 'sandbox-chat': { contextWindow: 100_000, prices: { inputPerMTok: 2, outputPerMTok: 8 } } } } },
    'waybill.routes': { default: { targets: ['north/sandbox-chat'] }, small: { targets: ['north/sandbox-chat'] } },
  };
}
