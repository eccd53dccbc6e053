import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Chat } from './harness/chat.ts';
import type { Sandbox } from './harness/sandbox.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { until } from './harness/until.ts';
import { editSettings } from './harness/waybill.ts';
import type { Workbench } from './harness/workbench.ts';

interface Answers { tools: { name: string; description: string; inputSchema?: { properties?: object } }[]; answers: { texts?: string[]; error?: string }[] }

const names = ['waybill_health', 'waybill_remaining', 'waybill_spend', 'waybill_suggest', 'waybill_why'];

describe('the tools for agents', () => {
  let scene: Scene;
  let window: Workbench;
  tellInOrder(() => scene);

  before(async () => {
    scene = await Scene.set(settings, { otherExtension: path.join(import.meta.dirname, 'harness', 'toolCaller') });
    window = await scene.openWindow('alpha');
    await window.statusBarItem('1 of 1 provider up').waitFor();
  });
  after(async () => { await scene?.end(); });

  // `lm.tools` has what extensions contribute, whatever their `when` says: the editor looks at that when it offers tools to an agent.
  it('answer nothing before the setting is on', async () => {
    const { answers } = await call([{ name: 'waybill_spend', input: {} }]);
    assert.notEqual(answers[0]?.error, undefined);
  });

  it("answer without a reload once it is on, and are in the editor's list once each with what the model reads", async () => {
    await editSettings(window, scene.editor, (settings) => { settings['waybill.agentTools.enabled'] = true; });
    const tools = await until('the tools', async () => {
      const { tools: listed, answers } = await call([{ name: 'waybill_health', input: {} }]);
      return answers[0]?.texts !== undefined && listed;
    }, { timeoutMs: 30_000 });
    assert.deepEqual(ours(tools), names);
    const why = tools.find(({ name }) => name === 'waybill_why');
    assert.match(why?.description ?? '', /Nothing of a prompt is shown/);
    assert.deepEqual(Object.keys(why?.inputSchema?.properties ?? {}), ['request', 'failed', 'tool', 'conversation']);
  });

  it('answer what an agent asks', async () => {
    const chat = new Chat(window);
    await chat.open();
    await chat.chooseModel('default');
    assert.match(await chat.ask('hello from alpha'), /sandbox-a answers/);
    const [spend, health, left, why, suggested, wrong, unknown] = (await call([
      { name: 'waybill_spend', input: { by: 'endpoint' } }, { name: 'waybill_health', input: {} }, { name: 'waybill_remaining', input: {} }, { name: 'waybill_why', input: {} },
      { name: 'waybill_suggest', input: { task: 'Rename a variable' } }, { name: 'waybill_suggest', input: { task: ' ' } }, { name: 'waybill_why', input: { request: 'wb_none' } },
    ])).answers;
    assert.match(textOf(spend), /^Spend today: \$0\.\d+ for \d+ requests?\.\n- north: /);
    assert.match(textOf(health), /^Endpoints:\n- north \(.*\): healthy/);
    assert.match(textOf(left), /^Spent today: \$0\.\d+/);
    assert.match(textOf(why), /^Request \S+ of vscode-chat for default, .*: ok, /);
    assert.doesNotMatch(textOf(why), /hello from alpha/);
    assert.match(textOf(suggested), /- default \(route\): ~\$0\.\d+, answered by north\/sandbox-chat/);
    assert.match(wrong?.error ?? '', /Give task: a sentence about what is to be done\./);
    assert.match(unknown?.error ?? '', /There is no request of that id\./);
  });

  it('are offered where a person looks for tools', async () => {
    await window.page.locator('.interactive-input-part .monaco-editor').first().click();
    await window.page.keyboard.type('#waybill');
    const offered = window.page.locator('.suggest-widget .monaco-list-row');
    await until('the completions', async () => (await offered.allInnerTexts()).filter(text => /waybill/i.test(text)).length >= names.length);
    await window.screenshot('agent-tools-completions');
    await window.page.keyboard.press('Escape');
  });

  function textOf(answer: Answers['answers'][number] | undefined): string {
    assert.ok(answer?.texts !== undefined, JSON.stringify(answer));
    return answer.texts.join('\n');
  }

  async function call(calls: { name: string; input: object }[]): Promise<Answers> {
    const folder = path.join(scene.editor.home, 'workspaces', 'alpha');
    const file = path.join(folder, 'answers.json');
    rmSync(file, { force: true });
    writeFileSync(path.join(folder, 'calls.json'), JSON.stringify(calls));
    await window.command('Call Tools of Extensions');
    await until('the answers', () => existsSync(file));
    return JSON.parse(readFileSync(file, 'utf8')) as Answers;
  }
});

function ours(tools: Answers['tools']): string[] {
  return tools.map(({ name }) => name).filter(name => /waybill/i.test(name)).sort();
}

function settings({ first }: Sandbox): Record<string, unknown> {
  return {
    'waybill.endpoints': { north: { provider: 'sandbox', baseUrl: first.url, models: { 'sandbox-chat': { prices: { inputPerMTok: 2, outputPerMTok: 8 } } } } },
    'waybill.routes': { default: { targets: ['north/sandbox-chat'] } },
  };
}
