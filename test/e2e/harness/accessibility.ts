import axe from 'axe-core';
import type { AxeResults } from 'axe-core';
import type { Frame } from 'playwright-core';
import { until } from './until.ts';

/**
 * What axe-core finds in the document of a webview as it is shown now and calls serious or critical, one line for each rule.
 * @param behind the part of the window that shines through the webview
 */
export async function seriousFaults(frame: Frame, behind: 'editor' | 'sideBar'): Promise<string[]> {
  await until('the page to be drawn', async () => await frame.locator('[aria-busy="true"]').count() === 0);
  // Colours are judged as they are after every transition.
  await frame.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => undefined))));
  // axe-core sees this document alone, and takes what is behind it for white.
  await frame.evaluate(colour => { document.documentElement.style.background = colour; }, `var(--vscode-${behind}-background)`);
  await frame.evaluate(axe.source);
  const { violations } = await frame.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })');
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, impact, nodes }) => (
    `${id} (${String(impact)}): ${nodes.slice(0, 4).map(({ html, failureSummary = '' }) => `${html.slice(0, 160)} ${failureSummary.split('\n').slice(1).join(' ')}`).join(' | ')}`
  ));
}

/** Texts that stand out of the page at its right, where nobody can scroll to them. */
export async function cutOff(frame: Frame): Promise<string[]> {
  return frame.evaluate(() => {
    const scrolls = (element: Element | null): boolean => element !== null && element !== document.body && (['auto', 'scroll'].includes(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    return [...document.querySelectorAll('main *')]
      .filter((element) => element.closest('.for-screen-readers') === null && element.getBoundingClientRect().right > innerWidth + 1 && !scrolls(element))
      .map((element) => element.textContent.trim()).filter((text) => text !== '');
  });
}
