/**
 * Takes a picture of each view in each theme, at full width and, in the editor area, at 300 pixels, in English and in Vietnamese, for people to
 * look at: `npm run pictures`, after `npm run build` and `npm run package`. Arguments choose views and themes by name, and a language:
 * `npm run pictures -- dashboard light vi`. They are written to test/e2e/screenshots/views and views-vi as `VIEW-THEME.png` and `VIEW-THEME-300.png`.
 * A view that cannot be shown is named at the end, and the others are taken all the same.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { install } from './install.mjs';

console.log(install());
// The harness needs what install.mjs brings.
const { webviewPages } = await import('../../client/views/shared/webviewPages.ts');
const { Chat } = await import('./harness/chat.ts');
const { places } = await import('./harness/places.ts');
const { Scene } = await import('./harness/scene.ts');
const { Showcase } = await import('./harness/showcase.ts');
const { until } = await import('./harness/until.ts');
const { colourThemes } = await import('./harness/workbench.ts');

const everyLanguage = ['en', 'vi'];
const asked = process.argv.slice(2).filter((word) => !everyLanguage.includes(word));
const languages = everyLanguage.filter((one) => process.argv.includes(one) || !everyLanguage.some((word) => process.argv.includes(word)));
const themes = Object.keys(colourThemes).filter((theme) => asked.includes(theme) || !asked.some((word) => word in colourThemes));
const wanted = asked.filter((word) => !(word in colourThemes));
const isWanted = (name) => wanted.length === 0 || wanted.some((word) => name.includes(word));
const narrowWidth = 300;
/** A window in which most pages fit without scrolling. */
const tall = { width: 1280, height: 1700 };
const trees = ['Providers', 'Routes', 'Requests'];

/** Commands whose first list is shown, each with the rows, counted from 0, that lead to another list. */
const lists = [
  ['Add Provider…'], ['Import Keys…'], ['Test Provider…'], ['Edit Provider…'], ['Edit Provider…', 0], ['Set Prices…'], ['Set Prices…', 1], ['Edit Key Pool…'], ['Edit Key Pool…', 0],
  ['New Route…'], ['Edit Route…'], ['Edit Route…', 0], ['Edit Route…', 1], ['Dry Run of a Request…'], ['Start Canary…'], ['Start Shadow…'],
  ['Set Budget…'], ['Set Budget…', 0], ['Edit Budgets…'], ['Edit Budgets…', 1], ['Allow More of a Budget…'],
  ['Filter Requests…'], ['Cancel Request…'], ['Compare Two Requests…'], ['Why Did It Go There?…'], ['Open Receipt…'],
  ['Show Incidents…'], ['Show Incidents…', 0], ['Pause Endpoint…'], ['Pause Endpoint…', 1], ['Fire Drill…'], ['Fire Drill…', 1],
  ['Connect a Tool…'], ['Connect a Tool…', 0], ['Edit Tool Access…'], ['Edit Tool Access…', 0],
  ['Reconcile Bill…'], ['Show Savings…'], ['Migration Report…'], ['Show Cache Report…'],
];

const missing = [];

/** The pictures of one language. */
class Pictures {
  #language;
  #folder;
  #window;

  constructor(language) {
    this.#language = language;
    this.#folder = path.join(places.screenshots, language === 'en' ? 'views' : `views-${language}`);
    mkdirSync(this.#folder, { recursive: true });
  }

  async take() {
    if (isWanted('welcome')) await this.#welcome();
    if (wanted.length === 0 || wanted.some((word) => word !== 'welcome')) await this.#views();
  }

  /** What the editor asks for its language. */
  get #asked() {
    return this.#language === 'en' ? undefined : this.#language;
  }

  /** What stands in the views before there is anything. */
  async #welcome() {
    const scene = await Scene.set(undefined, this.#asked === undefined ? {} : { language: this.#asked });
    try {
      this.#window = await scene.openWindow('empty');
      const window = this.#window;
      await this.#picturesOf('welcome', async () => {
        await window.openViewContainer('Waybill');
        await window.view('Providers').locator('.welcome-view-content').waitFor();
        await window.command('Waybill: Open Spend Dashboard');
        await window.webviewFrame('dashboard', async (frame) => await frame.locator('main.dashboard .empty').count() > 0);
        await window.dismissNotifications();
        await this.#inEachTheme('welcome', { narrow: true });
      }, scene);
    } finally {
      await scene.end();
    }
  }

  async #views() {
    const showcase = await Showcase.open(this.#asked);
    const { window, scene } = showcase;
    this.#window = window;
    const take = (name, pictures) => this.#picturesOf(name, pictures, scene);
    try {
      await window.openViewContainer('Waybill');
      await window.dismissNotifications();
      for (const page of webviewPages) {
        await take(page, async () => {
          await showcase.pages[page]();
          await window.dismissNotifications();
          if (page === 'spend') for (const other of trees) await window.collapseView(other);
          await this.#inEachTheme(page, page === 'spend' ? { part: () => window.page.locator('.part.sidebar') } : { narrow: true });
          await window.openViewContainer('Waybill');
        });
      }
      for (const title of trees) await take(title, () => this.#tree(title));
      await take('hover', async () => {
        await window.openViewContainer('Waybill');
        await window.expandView('Providers');
        await this.#inEachTheme('hover', { again: async () => {
          await window.treeRow('Providers', 'north').hover();
          await window.page.locator('.monaco-hover:visible').first().waitFor();
        } });
      });
      await take('status', () => this.#inEachTheme('status', { again: () => window.hoverStatusBarItem('1/3') }));
      await take('picker', async () => {
        await new Chat(window).open();
        await this.#inEachTheme('picker', { again: async () => {
          await window.page.locator('.interactive-session .model-picker-name').first().click();
          await window.page.locator('.action-widget:has(.chat-model-picker-dropdown)').first().waitFor();
        } });
      });
      await take('notifications', async () => {
        await window.dismissNotifications();
        await window.command('Waybill: Check Health Now');
        await window.page.locator('.notification-toast').filter({ hasText: 'north' }).first().waitFor();
        await window.command('Notifications: Show Notifications');
        await this.#inEachTheme('notifications');
        await window.dismissNotifications();
      });
      await take('savings', () => this.#document('savings', async () => {
        await window.command('Waybill: Show Savings…');
        await window.pick('Always the First Target');
        await window.pick('Last 7 Days');
      }));
      await take('incidents', () => this.#document('incidents', async () => {
        await window.command('Waybill: Show Incidents…');
        await this.#row(/./).last().click();
      }));
      await take('comparison', () => this.#document('comparison', async () => {
        await window.command('Waybill: Compare Two Requests…');
        await this.#choose(0);
        await this.#choose(1);
      }));
      await take('walkthrough', async () => {
        await window.command('Welcome: Open Walkthrough...');
        await window.pick('Get Started with Waybill');
        await window.page.getByText(window.text('Add a key')).first().waitFor();
        await this.#inEachTheme('walkthrough', { narrow: true });
      });
      await take('settings', async () => {
        await window.command('Waybill: Open Settings');
        await window.page.locator('.settings-editor .setting-item').first().waitFor();
        await this.#inEachTheme('settings', { narrow: true });
      });
      await window.command('View: Close All Editors');
      await take('tool access', () => this.#connectTool(scene));
      for (const [title, ...rows] of lists) {
        const name = ['list', title.toLowerCase().replace(/[^a-z]+/g, '-').replace(/-$/, ''), ...rows].join('-');
        if (wanted.length > 0 && !isWanted(`list ${title}`)) continue;
        await this.#always(name, () => this.#inEachTheme(name, { again: () => this.#open(title, rows), part: () => window.page.locator('.monaco-workbench') }), scene);
      }
      await take('drill', () => this.#drill());
    } finally {
      await showcase.end();
    }
  }

  async #tree(title) {
    const window = this.#window;
    await window.openViewContainer('Waybill');
    for (const other of [...trees, 'Spend'].filter((one) => one !== title)) await window.collapseView(other);
    const view = await window.expandView(title);
    await view.locator('.monaco-list-row').first().click();
    for (let row = 0; row < 12; row += 1) {
      await window.page.keyboard.press('ArrowRight');
      await window.page.keyboard.press('ArrowDown');
    }
    await this.#inEachTheme(title, { part: () => window.page.locator('.part.sidebar') });
  }

  /** A report that is shown as Markdown. */
  async #document(name, open) {
    const window = this.#window;
    await window.command('View: Close All Editors');
    await open();
    await window.webviewFrame(name, async (frame) => await frame.locator('h1', { hasText: /./ }).count() > 0);
    await window.dismissNotifications();
    await this.#inEachTheme(name, { narrow: true });
  }

  /** Connects a tool, so that its access can be edited. */
  async #connectTool(scene) {
    const window = this.#window;
    const folder = path.join(scene.editor.home, '.codex');
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'config.toml'), 'model = "gpt-5.4"\n');
    await this.#open('Connect a Tool…', []);
    await window.pick('Codex');
    await window.pick('default');
    const question = window.page.locator('.notification-toast').filter({ hasText: 'config.toml' }).first();
    await question.waitFor();
    await this.#inEachTheme('change');
    await question.locator('.monaco-button').first().click();
    await question.waitFor({ state: 'hidden' });
    await window.command('View: Close All Editors');
    await window.dismissNotifications();
  }

  /** The question before a fire drill, and the view while it runs. */
  async #drill() {
    const window = this.#window;
    await this.#open('Fire Drill…', [1, 0, 0]);
    const start = window.page.locator('.monaco-dialog-box .monaco-button').last();
    await start.waitFor();
    await this.#picture(`drill-question-${themes[0]}`);
    await start.click();
    await window.openViewContainer('Waybill');
    await window.view('Fire Drill').waitFor();
    await this.#inEachTheme('drill', { part: () => window.page.locator('.part.sidebar') });
    await window.command('Waybill: Stop Fire Drill');
  }

  /** Opens the list of a command, and chooses rows of it and of those that follow. */
  async #open(title, rows) {
    const window = this.#window;
    await window.command(`Waybill: ${title}`);
    await until('the list', async () => !(await window.quickInputBox().inputValue()).startsWith('>'), { timeoutMs: 5_000 }).catch(() => undefined);
    for (const row of rows) await this.#choose(row);
  }

  #row(text) {
    return this.#window.quickInput().locator('.monaco-list-row').filter({ hasText: text });
  }

  /** Chooses a row of the open list; resolves when another list, a box or nothing is open. */
  async #choose(index) {
    const window = this.#window;
    await this.#row(/./).nth(index).waitFor();
    const shown = async () => (await window.quickInput().count() === 0 ? '' : `${await window.quickInputText()} ${await window.quickInputBox().getAttribute('placeholder')}`);
    const before = await shown();
    await this.#row(/./).nth(index).click();
    await until('what follows', async () => await shown() !== before, { timeoutMs: 5_000 });
  }

  async #picturesOf(name, pictures, scene) {
    if (isWanted(name)) await this.#always(name, pictures, scene);
  }

  async #always(name, pictures, scene) {
    try {
      await pictures();
    } catch (error) {
      missing.push(`${name} (${this.#language})`);
      console.error(error, await scene.report(name));
    }
    for (let press = 0; press < 2; press += 1) await this.#window.page.keyboard.press('Escape');
    await this.#window.wide();
  }

  async #picture(name, part = this.#window.page) {
    // A tooltip stays where it is asked for.
    if (await this.#window.page.locator('.monaco-hover:visible').count() === 0) await this.#window.page.mouse.move(640, 4);
    await part.screenshot({ path: path.join(this.#folder, `${name}.png`), animations: 'disabled' });
    console.log(`${this.#language} ${name}`);
  }

  /** In each theme. @param narrow also with an editor of 300 pixels @param again shows it once more where changing the theme closes it */
  async #inEachTheme(name, { narrow = false, again, part } = {}) {
    const window = this.#window;
    for (const theme of themes) {
      await window.useColourTheme(theme);
      await again?.();
      if (again === undefined) await window.page.setViewportSize(tall);
      await this.#picture(`${name}-${theme}`, part?.());
      // What was opened for the picture is closed.
      if (again !== undefined) {
        await until('the list to close', async () => {
          await window.page.keyboard.press('Escape');
          return await window.quickInput().count() === 0 && await window.page.locator('.action-widget:visible').count() === 0;
        });
        await window.page.mouse.move(640, 4);
      }
      if (narrow) {
        await window.narrow(narrowWidth, tall.height);
        await this.#picture(`${name}-${theme}-${narrowWidth}`);
      }
      await window.wide();
    }
  }
}

for (const language of languages) await new Pictures(language).take();
if (missing.length > 0) console.error(`Not taken: ${missing.join(', ')}`);
process.exitCode = missing.length > 0 ? 1 : 0;
