import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Chat } from './harness/chat.ts';
import type { Sandbox } from './harness/sandbox.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { until } from './harness/until.ts';
import type { Workbench } from './harness/workbench.ts';

/** A model whose price makes one message of the chat pass the cap, and two of them pass it after a dollar more. */
const settings = ({ first }: Sandbox): Record<string, unknown> => ({
  'waybill.endpoints': {
    north: { provider: 'sandbox', protocol: 'openai-chat', baseUrl: first.url, probe: { enabled: false }, models: { 'sandbox-chat': { contextWindow: 100_000, prices: { inputPerMTok: 50, outputPerMTok: 50 } } } },
  },
  'waybill.routes': { capped: { targets: ['north/sandbox-chat'], caps: { conversationUsd: 0.01, whenReached: 'ask' } } },
});

describe('a cap that asks, in the chat', () => {
  let scene: Scene;
  let window: Workbench;
  let chat: Chat;
  tellInOrder(() => scene);

  const asked = (): Promise<string> => until('the question', async () => (await window.notifications()).find(text => text.includes('The turn waits for your answer.')), { timeoutMs: 60_000 });
  const press = (button: RegExp): Promise<void> => window.page.locator('.notification-toast .monaco-button').filter({ hasText: button }).first().click();

  before(async () => {
    scene = await Scene.set(settings);
    window = await scene.openWindow('alpha');
    chat = new Chat(window);
    await chat.open();
    await chat.chooseModel('capped');
  });
  after(async () => { await scene?.end(); });

  it('holds the turn, and sends nothing before the answer', async () => {
    await chat.send('hello waybill');
    assert.match(await asked(), /^north\/sandbox-chat is expected to cost \$[0-9.]+, and \$0\.010 is left of the cap of this conversation on route "capped" \(\$0\.010\)\. The turn waits for your answer\.$/);
    assert.deepEqual(await scene.sandbox.first.turns(), []);
    await window.screenshot('caps-question');
  });

  it('goes on with the turn once more is allowed', async () => {
    await press(/^Allow \$\d+ More$/);
    assert.match(await chat.answerTo('hello waybill'), /sandbox-a answers your prompt: "hello waybill"/);
    await window.screenshot('caps-allowed', chat.panel());
  });

  it('ends the next turn with one sentence when the reader stops it', async () => {
    await chat.send('hello again');
    await asked();
    await press(/^Stop$/);
    assert.match(await chat.answerTo('hello again'), /The cap of this conversation on route "capped" .* is reached/);
    await window.screenshot('caps-stopped', chat.panel());
  });
});
