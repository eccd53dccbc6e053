import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { webviewPages, type WebviewPage } from '../../client/views/shared/webviewPages.ts';
import { cutOff, seriousFaults } from './harness/accessibility.ts';
import { places } from './harness/places.ts';
import { Showcase } from './harness/showcase.ts';
import { colourThemes, type ColourTheme } from './harness/workbench.ts';

const themes = Object.keys(colourThemes) as ColourTheme[];
/** Themes in which pages are looked at in 300 pixels too: contrast themes alone have lines of their own. */
const narrowThemes: readonly ColourTheme[] = ['dark', 'highContrast'];
/** Where each page is shown: the view of the sidebar that it is, or the type of its panel in the editor area. */
const whereShown: Record<WebviewPage, { view: string } | { panel: string }> = {
  spend: { view: 'waybill.spend' }, dashboard: { panel: 'waybill.spendDashboard' }, receipt: { panel: 'waybill.receipt' },
  drillReport: { panel: 'waybill.drillReport' }, bill: { panel: 'waybill.bill' },
};

describe('what axe-core finds in the pages', () => {
  let showcase: Showcase;
  before(async () => { showcase = await Showcase.open(); });
  after(async () => { await showcase?.end(); });

  it('looks at every page that package.json names', () => {
    const { activationEvents, contributes } = JSON.parse(readFileSync(path.join(places.repository, 'package.json'), 'utf8')) as { activationEvents: string[]; contributes: { views: Record<string, { id: string; type?: string }[]> } };
    const named = [
      ...activationEvents.flatMap(event => (event.startsWith('onWebviewPanel:') ? [event.slice('onWebviewPanel:'.length)] : [])),
      ...Object.values(contributes.views).flat().filter(({ type }) => type === 'webview').map(({ id }) => id),
    ];
    const known = webviewPages.map(page => Object.values(whereShown[page])[0]);
    assert.deepEqual(named.filter(name => !known.includes(name)), []);
  });

  for (const page of webviewPages) {
    it(`is nothing serious in ${page}, in each theme and at 300 pixels`, async () => {
      const { window } = showcase;
      const frame = await showcase.pages[page]();
      await window.dismissNotifications();
      const inEditor = 'panel' in whereShown[page];
      const found: string[] = [];
      for (const theme of themes) {
        await window.wide();
        await window.useColourTheme(theme);
        found.push(...(await seriousFaults(frame, inEditor ? 'editor' : 'sideBar')).map(fault => `${theme}: ${fault}`));
        found.push(...(await cutOff(frame)).map(text => `${theme}: cut off: ${text}`));
        await window.screenshot(`axe-${page}-${theme}`);
        if (!inEditor || !narrowThemes.includes(theme)) continue;
        await window.narrow(300);
        found.push(...(await seriousFaults(frame, 'editor')).map(fault => `${theme}, 300 pixels: ${fault}`));
        found.push(...(await cutOff(frame)).map(text => `${theme}, 300 pixels: cut off: ${text}`));
        if (await frame.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1)) found.push(`${theme}: the page is wider than 300 pixels`);
        await window.screenshot(`axe-${page}-${theme}-300`);
      }
      await window.wide();
      assert.deepEqual(found, []);
    });
  }


});
