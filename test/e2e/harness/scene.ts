import path from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { afterEach, beforeEach } from 'node:test';
import type { TestContext } from 'node:test';
import { freePort } from '../../support/freePort.ts';
import { launchBrowser } from './browser.ts';
import { EditorServer } from './editorServer.ts';
import { Sandbox } from './sandbox.ts';
import { LocalEndpoint, extensionId } from './waybill.ts';
import { Workbench } from './workbench.ts';

/** An editor with the extension, a browser to see it in, two providers to ask, and the windows opened so far. */
export class Scene {
  readonly editor: EditorServer;
  readonly sandbox: Sandbox;
  readonly browser: BrowserContext;
  readonly endpoint: LocalEndpoint;
  /** Where the windows' local endpoint is to listen. */
  readonly port: number;
  readonly windows: Workbench[] = [];

  private constructor(editor: EditorServer, sandbox: Sandbox, browser: BrowserContext, port: number) {
    this.editor = editor;
    this.sandbox = sandbox;
    this.browser = browser;
    this.port = port;
    this.endpoint = new LocalEndpoint(editor, port);
  }

  /** `settings` may depend on where the providers are; `defaults` leaves the editor's own settings alone; `environment` and `language` are the editor's; `otherExtension` is a folder with an extension beside ours. */
  static async set(settings: (sandbox: Sandbox) => Record<string, unknown> = () => ({}), { defaults = false, environment = () => ({}), language, otherExtension }: { defaults?: boolean; environment?: (sandbox: Sandbox) => Record<string, string>; language?: string; otherExtension?: string } = {}): Promise<Scene> {
    const sandbox = await Sandbox.start();
    let editor: EditorServer | undefined;
    try {
      const port = await freePort();
      editor = await EditorServer.start({ defaults, ...(language === undefined ? {} : { language }), ...(otherExtension === undefined ? {} : { otherExtension }), environment: environment(sandbox), settings: { 'waybill.localEndpoint.port': port, ...settings(sandbox) } });
      return new Scene(editor, sandbox, await launchBrowser(path.join(editor.home, 'browser-profile')), port);
    } catch (error) {
      await editor?.stop();
      await sandbox.stop();
      throw error;
    }
  }

  /** Opens a window on a new folder of that name, or an empty one, and waits for the extension's status bar item. */
  async openWindow(folderName?: string): Promise<Workbench> {
    const workbench = await Workbench.open(this.browser, this.editor, folderName === undefined ? undefined : this.editor.makeWorkspace(folderName));
    this.windows.push(workbench);
    await workbench.statusBarItem('Waybill').waitFor({ timeout: 30_000 });
    return workbench;
  }

  async closeWindow(workbench: Workbench): Promise<void> {
    this.windows.splice(this.windows.indexOf(workbench), 1);
    await workbench.close();
  }

  /** Everything needed to understand a failure: a picture of every window, and the end of the logs that matter. */
  async report(name: string): Promise<string> {
    const safeName = name.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 60);
    for (const [index, workbench] of this.windows.entries()) {
      await workbench.screenshot(`failure-${safeName}-${index + 1}`).catch(() => undefined);
    }
    const consoles = this.windows.map(({ consoleLines }, index) => `--- browser console of window ${index + 1}\n${consoleLines.slice(-10).join('\n')}`);
    const wanted = new RegExp(`${extensionId}|remoteexthost\\.log`);
    const logs = [...this.editor.logs()].filter(([file]) => wanted.test(file))
      .map(([file, text]) => `--- ${file}\n${text.split('\n').filter((line) => !/ExtensionService#_doActivate/.test(line)).slice(-60).join('\n')}`);
    return [...consoles, ...logs].join('\n');
  }

  async end(): Promise<void> {
    await this.browser.close().catch(() => undefined);
    await this.editor.stop();
    await this.sandbox.stop();
  }
}

/**
 * For tests that are the chapters of one story: after one failed, the next ones fail at once instead of waiting for
 * what cannot come, and the scene is reported once.
 */
export function tellInOrder(scene: () => Scene | undefined): void {
  let broken: string | undefined;
  beforeEach(() => {
    if (broken === undefined) return;
    const error = new Error(`not reached: "${broken}" failed before`);
    error.stack = error.message;
    throw error;
  });
  afterEach(async (context) => {
    // `passed` is in Node 24, and not yet in its types.
    const { name, passed } = context as TestContext & { passed: boolean };
    if (passed || broken !== undefined) return;
    broken = name;
    console.error(await scene()?.report(name));
  });
}
