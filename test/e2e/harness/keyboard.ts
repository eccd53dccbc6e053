import { until } from './until.ts';
import type { Workbench } from './workbench.ts';

/** A person who uses no mouse: the palette, the keys of quick inputs, and the keys for notifications and lists. */
export class Keyboard {
  readonly #workbench: Workbench;
  #inputs = 0;

  constructor(workbench: Workbench) {
    this.#workbench = workbench;
  }

  /** How many commands, answers and notifications it was used for. */
  get inputs(): number {
    return this.#inputs;
  }

  /** Runs a command by its title in the palette. */
  async command(title: string): Promise<void> {
    this.#inputs += 1;
    const { page } = this.#workbench;
    await until(`the palette to offer "${title}"`, async () => {
      await page.keyboard.press('F1');
      await until('the palette', async () => await this.#workbench.quickInput().locator('input:focus').count() > 0 && (await this.#workbench.quickInputBox().inputValue({ timeout: 500 })).startsWith('>'), { timeoutMs: 2_000 });
      await page.keyboard.press('Control+A');
      await page.keyboard.type(`>${title}`);
      await until('its row', async () => this.#isFocused(title), { timeoutMs: 3_000 });
      return true;
    }, { timeoutMs: 30_000 });
    await page.keyboard.press('Enter');
  }

  /** Types an answer into the quick input that says `saying`, and accepts it; without text, what is there. */
  async answer(saying: string, text?: string): Promise<void> {
    this.#inputs += 1;
    const { page } = this.#workbench;
    await until(`the step "${saying}"`, async () => {
      const placeholder = await this.#workbench.quickInputBox().getAttribute('placeholder', { timeout: 500 }) ?? '';
      return `${placeholder}\n${await this.#workbench.quickInput().innerText({ timeout: 500 })}`.includes(saying);
    }, { timeoutMs: 20_000 });
    if (text !== undefined) {
      await page.keyboard.press('Control+A');
      await page.keyboard.type(text);
      const rows = await this.#workbench.quickInput().locator('.monaco-list-row').count();
      if (rows > 0) await until(`the row "${text}"`, async () => this.#isFocused(text));
    }
    await page.keyboard.press('Enter');
  }

  /** Presses the first button of the notification that says `saying`. */
  async acceptNotification(saying: string): Promise<void> {
    await until(`the notification "${saying}"`, async () => (await this.#workbench.notifications()).some((text) => text.includes(saying)), { timeoutMs: 20_000 });
    // Its key means something else while an editor has the keyboard.
    await this.command('Notifications: Accept Notification Primary Action');
  }

  /** Enter would choose the row with this label. */
  async #isFocused(label: string): Promise<boolean> {
    return await this.#workbench.quickInputRow(label).and(this.#workbench.page.locator('.focused')).count() > 0;
  }
}
