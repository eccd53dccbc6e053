import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { BrowserContext, Frame, Locator, Page } from 'playwright-core';
import type { EditorServer } from './editorServer.ts';
import { places } from './places.ts';
import { textsIn } from './texts.ts';
import { until } from './until.ts';
import { usualSize } from './browser.ts';

/** The editor's own themes, each with the class that it gives the workbench. */
export const colourThemes = {
  dark: { name: 'Dark Modern', shade: 'vs-dark' },
  light: { name: 'Light Modern', shade: 'vs' },
  highContrast: { name: 'Dark High Contrast', shade: 'hc-black' },
  highContrastLight: { name: 'Light High Contrast', shade: 'hc-light' },
} as const;
export type ColourTheme = keyof typeof colourThemes;

/** One window of the editor: the page and what a person does in it. */
export class Workbench {
  readonly page: Page;
  /** What the window wrote to the browser's console, warnings and errors only. */
  readonly consoleLines: string[] = [];

  /** A text of the extension in the language of the window; see textsIn. */
  readonly text: (english: string) => string;

  private constructor(page: Page, language: string | undefined) {
    this.page = page;
    this.text = textsIn(language);
    page.on('console', (message) => {
      if (['warning', 'error'].includes(message.type())) this.consoleLines.push(`${message.type()}: ${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => { this.consoleLines.push(`exception: ${error.stack ?? error.message}`); });
  }

  /** Opens a folder, or no folder, in a window of its own; resolves when the workbench is drawn. */
  static async open(browser: BrowserContext, editor: EditorServer, folder?: string): Promise<Workbench> {
    const blank = browser.pages().find((page) => page.url() === 'about:blank');
    const page = blank ?? await browser.newPage();
    page.setDefaultTimeout(15_000);
    const workbench = new Workbench(page, editor.language);
    // The page of the editor takes its language from here, where a language pack would have put it.
    if (editor.language !== undefined) await page.addInitScript((language) => { Object.assign(globalThis, { _VSCODE_NLS_LANGUAGE: language }); }, editor.language);
    // Drawn is what counts: on a busy machine the first load of the workbench takes long, and its `load` event longer.
    await page.goto(`${editor.url}/?${folder === undefined ? 'ew=true' : `folder=${encodeURIComponent(folder)}`}`, { waitUntil: 'commit', timeout: 60_000 });
    await workbench.#drawn();
    return workbench;
  }

  async reload(): Promise<void> {
    await this.page.reload({ waitUntil: 'commit', timeout: 60_000 });
    await this.#drawn();
  }

  /** Closes the window; the editor ends its extension host some time later. */
  async close(): Promise<void> {
    await this.page.close({ runBeforeUnload: false });
  }

  async #drawn(): Promise<void> {
    await this.page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
    await this.page.locator('.statusbar-item').first().waitFor({ timeout: 60_000 });
  }

  /** Runs a command by its title in the palette, as in `Waybill: Add Provider…`. */
  async command(english: string): Promise<void> {
    const title = this.text(english);
    const row = this.quickInputRow(title);
    await until(`the palette to offer "${title}"`, async () => {
      await this.page.bringToFront();
      await this.page.keyboard.press('F1');
      await until('the palette', async () => (await this.quickInputBox().inputValue({ timeout: 500 })).startsWith('>'), { timeoutMs: 2_000 });
      await this.quickInputBox().fill(`>${title}`, { timeout: 500 });
      await row.first().waitFor({ timeout: 3_000 });
      // The palette closes when something else takes the focus: it is opened again then.
      await row.first().click({ timeout: 2_000 });
      return true;
    }, { timeoutMs: 30_000 });
  }

  quickInput(): Locator {
    return this.page.locator('.quick-input-widget:visible');
  }

  quickInputBox(): Locator {
    return this.quickInput().locator('.quick-input-filter input, .quick-input-box input').first();
  }

  /** Rows of an open quick pick whose label is exactly `label`. */
  quickInputRow(label: string): Locator {
    return this.quickInput().locator('.monaco-list-row').filter({ has: this.page.locator('.quick-input-list-label, .label-name', { hasText: exactly(label) }) });
  }

  /** Chooses a row of an open quick pick, filtering by its label first. */
  async pick(label: string): Promise<void> {
    await this.quickInput().waitFor();
    await this.quickInputBox().fill(this.text(label));
    await this.quickInputRow(this.text(label)).first().click();
  }

  /** Types into an open input box and accepts it. */
  async enter(text: string): Promise<void> {
    await this.quickInput().waitFor();
    await this.quickInputBox().fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** Types into an open box for keys and accepts it. The list or palette that led there may be open until then. */
  async enterKey(key: string): Promise<void> {
    await this.quickInput().locator('input[type="password"]').waitFor();
    await this.enter(key);
  }

  /** What the open quick input says: title, message and rows. */
  async quickInputText(): Promise<string> {
    return (await this.quickInput().innerText()).trim();
  }

  /** The status bar item whose text or accessible name contains `text`. */
  statusBarItem(text: string): Locator {
    return this.page.locator('.statusbar-item').filter({ hasText: text }).or(this.page.locator(`.statusbar-item[aria-label*=${JSON.stringify(text)}]`)).first();
  }

  /** Opens a container of the activity bar by its title. */
  async openViewContainer(title: string): Promise<void> {
    const tab = this.page.locator(`.activitybar .action-item:has(a.action-label[aria-label^=${JSON.stringify(title)}])`).first();
    await tab.waitFor();
    if (!(await tab.getAttribute('class'))?.includes('checked')) await tab.click();
    await this.page.locator('.part.sidebar .composite.title').filter({ hasText: title }).first().waitFor();
  }

  /** A view of the open container by its title: header and body. */
  view(title: string): Locator {
    return this.page.locator('.part.sidebar .pane').filter({ has: this.page.locator('.pane-header .title', { hasText: exactly(this.text(title)) }) }).first();
  }

  async expandView(title: string): Promise<Locator> {
    const view = this.view(title);
    const header = view.locator('.pane-header');
    await header.waitFor();
    if (await header.getAttribute('aria-expanded') === 'false') await header.click();
    return view;
  }

  async collapseView(title: string): Promise<void> {
    const header = this.view(title).locator('.pane-header');
    if (await header.getAttribute('aria-expanded') === 'true') await header.click();
  }

  /** The rows of a tree view as a person reads them: label, then description. */
  async treeRows(viewTitle: string): Promise<string[]> {
    // All at one moment: a row that is asked for by itself may be gone by then, and would be waited for.
    const rows = await this.view(viewTitle).locator('.monaco-list-row').allInnerTexts();
    return rows.map((row) => row.replace(/\s+/g, ' ').trim());
  }

  treeRow(viewTitle: string, label: string): Locator {
    return this.view(viewTitle).locator('.monaco-list-row').filter({ hasText: label }).first();
  }

  /** The inner frame of the webview whose document answers `matches`; webviews are two frames deep. */
  async webviewFrame(what: string, matches: (frame: Frame) => Promise<boolean>): Promise<Frame> {
    return until(`the webview ${what}`, async () => {
      for (const frame of this.page.frames()) {
        if (frame.isDetached() || !frame.url().includes('fake.html')) continue;
        if (await matches(frame).catch(() => false)) return frame;
      }
      return undefined;
    });
  }

  /** Texts of the notifications now shown. */
  async notifications(): Promise<string[]> {
    return this.page.locator('.notification-toast .notification-list-item-message, .notifications-center .notification-list-item-message').allInnerTexts();
  }

  async dismissNotifications(): Promise<void> {
    await this.command('Notifications: Clear All Notifications');
    await until('the notifications to go', async () => (await this.notifications()).length === 0);
  }

  /** Keeps the pointer on the item until its tooltip is shown. */
  async hoverStatusBarItem(text: string): Promise<void> {
    await this.statusBarItem(text).hover();
    await this.page.locator('.monaco-hover:visible').first().waitFor();
  }

  async screenshot(name: string, part?: Locator): Promise<void> {
    mkdirSync(places.screenshots, { recursive: true });
    // The pointer moves away from what it would highlight, unless an item is hovered on purpose.
    if (await this.page.locator('.monaco-hover:visible').count() === 0) await this.page.mouse.move(640, 4);
    // Transitions are finished first: a theme fades in.
    const options = { path: path.join(places.screenshots, `${name}.png`), animations: 'disabled' as const };
    await (part === undefined ? this.page.screenshot(options) : part.screenshot(options));
  }

  async useColourTheme(theme: ColourTheme): Promise<void> {
    const { name, shade } = colourThemes[theme];
    await this.command('Preferences: Color Theme');
    await this.pick(name);
    await this.page.locator(`.monaco-workbench.${shade}`).waitFor();
  }

  /** Makes the window so wide that an editor without the bars at its sides has this width, in pixels; see `wide`. */
  async narrow(width: number, height = usualSize.height): Promise<void> {
    for (const bar of ['.part.sidebar', '.part.auxiliarybar'] as const) {
      if (await this.page.locator(bar).isVisible()) await this.command(bar === '.part.sidebar' ? 'View: Toggle Primary Side Bar Visibility' : 'View: Toggle Secondary Side Bar Visibility');
    }
    const outside = await this.page.evaluate(() => innerWidth - (document.querySelector('.part.editor')?.getBoundingClientRect().width ?? innerWidth));
    await this.page.setViewportSize({ width: width + outside, height });
  }

  /** Undoes `narrow`, but for the bars. */
  async wide(): Promise<void> {
    await this.page.setViewportSize(usualSize);
  }
}

function exactly(text: string): RegExp {
  return new RegExp(`^\\s*${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*$`, 'i');
}
