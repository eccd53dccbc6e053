import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { NextStep } from '../../../../client/base/errors.ts';
import { ChatAccess } from '../../../../client/chat/chatAccess.ts';
import type { ChatHost, ChatStart } from '../../../../client/chat/chatAccess.ts';

/** VS Code as it is installed, without a signed-in account; its user presses what the test says. */
class FakeEditor implements ChatHost {
  value: unknown = undefined;
  accounts: Record<string, number> = { github: 0 };
  commands = ['workbench.action.chat.open', 'workbench.action.chat.triggerSetupAnonymousWithoutDialog'];
  /** What is pressed in dialogs and notifications; undefined closes them. */
  presses: string | undefined;
  readonly shown: { message: string; buttons: string[] }[] = [];
  opened = 0;
  refusesToWrite = false;
  started: ChatStart | undefined;

  setting(): unknown { return this.value; }
  accountCount(provider: string): Promise<number> {
    const count = this.accounts[provider];
    return count === undefined ? Promise.reject(new Error('no such provider')) : Promise.resolve(count);
  }
  commandIds(): Promise<string[]> { return Promise.resolve(this.commands); }
  allow(): Promise<void> {
    if (this.refusesToWrite) return Promise.reject(new NextStep('The setting could not be written.'));
    this.value = true;
    return Promise.resolve();
  }
  openChat(start?: ChatStart): Promise<void> {
    this.opened++;
    this.started = start;
    return Promise.resolve();
  }
  inform(message: string, ...buttons: string[]): Promise<string | undefined> {
    this.shown.push({ message, buttons });
    return Promise.resolve(this.presses !== undefined && buttons.includes(this.presses) ? this.presses : undefined);
  }
  ask(message: string, detail: string, ...answers: [string, string]): Promise<string> {
    this.shown.push({ message: `${message} ${detail}`, buttons: answers });
    return Promise.resolve(this.presses !== undefined && answers.includes(this.presses) ? this.presses : answers[1]);
  }
}

/** Global state that outlives a window. */
class FakeMemento {
  readonly values = new Map<string, unknown>();
  keys(): string[] { return [...this.values.keys()]; }
  get<T>(key: string): T | undefined { return this.values.get(key) as T | undefined; }
  update(key: string, value: unknown): Promise<void> {
    this.values.set(key, value);
    return Promise.resolve();
  }
}

describe('the chat of an editor with default settings', () => {
  let editor: FakeEditor;
  let memory: FakeMemento;
  let access: ChatAccess;
  beforeEach(() => {
    editor = new FakeEditor();
    memory = new FakeMemento();
    access = new ChatAccess(editor, memory as never);
  });

  it('is known to ask for a sign-in, unless the setting or an account says otherwise', async () => {
    assert.equal(await access.state(), 'asks-for-sign-in');
    editor.accounts = { 'github-enterprise': 1 };
    assert.equal(await access.state(), 'signed-in');
    editor.accounts = {};
    assert.equal(await access.state(), 'asks-for-sign-in');
    editor.value = true;
    assert.equal(await access.state(), 'allowed');
    editor.value = false;
    editor.commands = ['workbench.action.chat.open'];
    assert.equal(await access.state(), 'no-setting');
  });

  it('is offered with one click after a provider was added, says what is set, and opens', async () => {
    editor.presses = 'Allow';
    await access.informWithChat('north answers.');
    const [offer] = editor.shown;
    assert.match(offer?.message ?? '', /^north answers\. .*GitHub sign-in.*chat\.allowAnonymousAccess/);
    assert.deepEqual(offer?.buttons, ['Allow', 'Not Now']);
    assert.deepEqual([editor.value, editor.opened], [true, 1]);
    await access.informWithChat('south answers.');
    assert.deepEqual(editor.shown[1], { message: 'south answers.', buttons: ['Open Chat'] });
  });

  it('is offered before the chat is opened, and opens also when the offer is declined', async () => {
    await access.openChat();
    assert.equal(editor.shown.length, 1);
    assert.deepEqual([editor.value, editor.opened], [undefined, 1]);
  });

  it('begins with what was chosen and typed for the user, also after the offer', async () => {
    const start = { modelId: 'route:simulated', prompt: 'Who answers?' };
    await access.openChat(start);
    assert.deepEqual([editor.shown.length, editor.started], [1, start]);
  });

  it('is not changed without consent, and a declined offer is made again by the command only', async () => {
    editor.presses = 'Not Now';
    await access.informWithChat('north answers.');
    assert.equal(editor.value, undefined);
    const later = new ChatAccess(editor, memory as never);
    await later.openChat();
    await later.informWithChat('south answers.');
    assert.deepEqual(editor.shown.slice(1), [{ message: 'south answers.', buttons: ['Open Chat'] }]);
    editor.presses = 'Allow';
    await later.allowByCommand();
    assert.equal(editor.value, true);
  });

  it('is offered again when the notification was only closed', async () => {
    await access.informWithChat('north answers.');
    await access.informWithChat('south answers.');
    assert.deepEqual(editor.shown.map(({ buttons }) => buttons[0]), ['Allow', 'Allow']);
  });

  it('does not open, and nothing is remembered, when the setting cannot be written', async () => {
    editor.presses = 'Allow';
    editor.refusesToWrite = true;
    await assert.rejects(access.openChat(), NextStep);
    assert.equal(editor.opened, 0);
    assert.deepEqual(memory.keys(), []);
  });

  it('of an editor without such a setting gets another way shown, and no offer by itself', async () => {
    editor.commands = [];
    await assert.rejects(access.allowByCommand(), (error: unknown) => error instanceof NextStep && error.actions[0]?.command === 'waybill.connectTool');
    await access.openChat();
    assert.deepEqual([editor.shown.length, editor.opened], [0, 1]);
  });

  it('needs no change where an account is signed in, and the command says so', async () => {
    editor.accounts = { github: 1 };
    await access.allowByCommand();
    assert.match(editor.shown[0]?.message ?? '', /signed in/);
    assert.equal(editor.value, undefined);
  });
});
