/**
 * Takes a picture of each view in each theme, at full width and, in the editor area, at 300 pixels, for people to look at:
 * `npm run pictures`, after `npm run build` and `npm run package`. Arguments choose views and themes by name, and a language: `npm run pictures -- dashboard light vi`.
 * They are written to test/e2e/screenshots/views as `VIEW-THEME.png` and `VIEW-THEME-300.png`, those of Vietnamese to `views-vi` beside it.
 */
import { mkdirSync } from 'node:fs';
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

const language = process.argv.includes('vi') ? 'vi' : undefined;
const folder = path.join(places.screenshots, language === undefined ? 'views' : `views-${language}`);
mkdirSync(folder, { recursive: true });
const asked = process.argv.slice(2).filter((word) => word !== language);
const themes = Object.keys(colourThemes).filter((theme) => asked.includes(theme) || !asked.some((word) => word in colourThemes));
const wanted = asked.filter((word) => !(word in colourThemes));
const isWanted = (name) => wanted.length === 0 || wanted.some((word) => name.includes(word));
const narrowWidth = 300;
/** A window in which most pages fit without scrolling. */
const tall = { width: 1280, height: 1700 };

/** Commands whose first list is shown. */
const lists = [
  'Add Provider…', 'Import Keys…', 'Set Budget…', 'Edit Budgets…', 'New Route…', 'Edit Route…', 'Edit Provider…', 'Set Prices…', 'Filter Requests…', 'Cancel Request…', 'Compare Two Requests…',
  'Fire Drill…', 'Connect a Tool…', 'Reconcile Bill…', 'Show Savings…', 'Migration Report…', 'Test Provider…',
];

async function picture(window, name, part = window.page) {
  await window.page.mouse.move(640, 4);
  await part.screenshot({ path: path.join(folder, `${name}.png`), animations: 'disabled' });
  console.log(name);
}

/** In each theme. @param narrow also with an editor of 300 pixels @param again shows it once more where changing the theme closes it */
async function inEachTheme(window, name, { narrow = false, again, part } = {}) {
  for (const theme of themes) {
    await window.useColourTheme(theme);
    await again?.();
    if (again === undefined) await window.page.setViewportSize(tall);
    await picture(window, `${name}-${theme}`, part?.());
    // What was opened for the picture is closed.
    if (again !== undefined) await window.page.keyboard.press('Escape');
    if (narrow) {
      await window.narrow(narrowWidth, tall.height);
      await picture(window, `${name}-${theme}-${narrowWidth}`);
    }
    await window.wide();
  }
}

if (isWanted('welcome')) await takeWelcome();
await takeViews();

/** What stands in the views before there is anything. */
async function takeWelcome() {
  const scene = await Scene.set(undefined, language === undefined ? {} : { language });
  try {
    const window = await scene.openWindow('empty');
    await window.openViewContainer('Waybill');
    await window.view('Providers').locator('.welcome-view-content').waitFor();
    await window.command('Waybill: Open Spend Dashboard');
    await window.webviewFrame('dashboard', async (frame) => await frame.locator('main.dashboard .empty').count() > 0);
    await window.dismissNotifications();
    await inEachTheme(window, 'welcome', { narrow: true });
  } catch (error) {
    console.error(await scene.report('welcome'));
    throw error;
  } finally {
    await scene.end();
  }
}

async function takeViews() {
  const showcase = await Showcase.open(language);
  const { window, scene } = showcase;
  const trees = ['Providers', 'Routes', 'Requests'];
  try {
    await window.openViewContainer('Waybill');
    await window.dismissNotifications();
    for (const page of webviewPages.filter(isWanted)) {
      await showcase.pages[page]();
      await window.dismissNotifications();
      if (page === 'spend') for (const other of trees) await window.collapseView(other);
      await inEachTheme(window, page, page === 'spend' ? { part: () => window.page.locator('.part.sidebar') } : { narrow: true });
      await window.openViewContainer('Waybill');
    }
    for (const title of trees.filter(isWanted)) {
      await window.openViewContainer('Waybill');
      for (const other of [...trees, 'Spend'].filter((one) => one !== title)) await window.collapseView(other);
      const view = await window.expandView(title);
      await view.locator('.monaco-list-row').first().click();
      for (let row = 0; row < 12; row += 1) {
        await window.page.keyboard.press('ArrowRight');
        await window.page.keyboard.press('ArrowDown');
      }
      await inEachTheme(window, title, { part: () => window.page.locator('.part.sidebar') });
    }
    if (isWanted('status')) {
      await inEachTheme(window, 'status', { again: () => window.hoverStatusBarItem('1/3') });
    }
    if (isWanted('picker')) {
      const chat = new Chat(window);
      await chat.open();
      await inEachTheme(window, 'picker', { again: async () => {
        await window.page.locator('.interactive-session .model-picker-name').first().click();
        await window.page.locator('.action-widget:has(.chat-model-picker-dropdown)').first().waitFor();
      } });
    }
    if (isWanted('savings')) {
      await window.command('Waybill: Show Savings…');
      await window.pick('Always the First Target');
      await window.pick('Last 7 Days');
      await window.webviewFrame('of the report', async (frame) => await frame.locator('h1', { hasText: /./ }).count() > 0);
      await window.dismissNotifications();
      await inEachTheme(window, 'savings', { narrow: true });
    }
    if (isWanted('walkthrough')) {
      await window.command('Welcome: Open Walkthrough...');
      await window.pick('Get Started with Waybill');
      await window.page.getByText(window.text('Add a key')).first().waitFor();
      await inEachTheme(window, 'walkthrough', { narrow: true });
    }
    for (const title of lists.filter((one) => isWanted(`list ${one}`))) {
      await inEachTheme(window, `list-${title.toLowerCase().replace(/[^a-z]+/g, '-').replace(/-$/, '')}`, { again: async () => {
        await window.command(`Waybill: ${title}`);
        await until('the list', async () => !(await window.quickInputBox().inputValue()).startsWith('>'), { timeoutMs: 5_000 }).catch(() => undefined);
      }, part: () => window.page.locator('.monaco-workbench') });
    }
  } catch (error) {
    console.error(await scene.report('views'));
    throw error;
  } finally {
    await showcase.end();
  }
}
