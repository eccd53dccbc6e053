import type { Locator } from 'playwright-core';
import { until } from './until.ts';
import type { Workbench } from './workbench.ts';

const answerTimeoutMs = 40_000;

/** VS Code's own chat in agent mode, as a person uses it. */
export class Chat {
  readonly #workbench: Workbench;

  constructor(workbench: Workbench) {
    this.#workbench = workbench;
  }

  async open(): Promise<void> {
    await this.#workbench.command('Chat: Open Chat (Agent)');
    await this.#input().waitFor();
  }

  /** The names in the model picker, searched by `text`. Leaves the picker closed. */
  async offeredModels(text: string): Promise<string[]> {
    const picker = await this.#openPicker();
    await picker.locator('input.action-list-filter-input').fill(text);
    const rows = await picker.locator('.monaco-list-row.action').allInnerTexts();
    await this.#workbench.page.keyboard.press('Escape');
    await picker.waitFor({ state: 'hidden' });
    return rows.map((row) => row.replace(/\s+/g, ' ').trim());
  }

  /** Picks a model by the name its row begins with, searching for it as a person does; waits until it is offered. */
  async chooseModel(name: string): Promise<void> {
    const { page } = this.#workbench;
    await until(`the model picker to offer ${name}`, async () => {
      const picker = await this.#openPicker();
      await picker.locator('input.action-list-filter-input').fill(name, { timeout: 2_000 });
      const row = picker.locator('.monaco-list-row.action').filter({ has: page.locator('.title', { hasText: name }) }).first();
      try {
        await row.click({ timeout: 2_000 });
        return true;
      } catch (error) {
        await page.keyboard.press('Escape');
        throw error;
      }
    }, { timeoutMs: 30_000, everyMs: 250 });
    await until(`the chat to use ${name}`, async () => (await this.#modelButton().innerText()).includes(name));
  }

  /** Sends a message and returns the answer's text once the turn is over. */
  async ask(text: string): Promise<string> {
    await this.send(text);
    return this.answerTo(text);
  }

  async send(text: string): Promise<void> {
    const { page } = this.#workbench;
    // After a reload VS Code puts a message that failed back into the input, sooner or later: it is replaced.
    await until('the message to be in the input', async () => {
      await this.#input().click();
      await page.keyboard.press('Control+A');
      await page.keyboard.insertText(text);
      const written = await this.#input().locator('.view-lines').innerText();
      return withoutSpaces(written) === withoutSpaces(text);
    }, { everyMs: 200 });
    await page.locator('.interactive-session .chat-submit-button:not(.disabled)').first().waitFor();
    await page.keyboard.press('Enter');
    await this.#requestRow(text).waitFor();
  }

  /** The answer to a message sent before; an error the chat shows is part of its text. */
  async answerTo(text: string): Promise<string> {
    return until(`the answer to "${text}"`, async () => {
      // The answer to this message is the first response below it.
      const top = await this.#requestRow(text).getAttribute('data-index', { timeout: 1_000 });
      const row = this.#session().locator(`.monaco-list-row[data-index="${Number(top) + 1}"]`);
      const response = row.locator('.interactive-response');
      if (await response.count() === 0 || (await response.getAttribute('class'))?.includes('chat-response-loading')) return undefined;
      const words = (await response.locator('.value').innerText()).trim();
      return words === '' ? undefined : words;
    }, { timeoutMs: answerTimeoutMs });
  }

  /** The panel, for a picture. */
  panel(): Locator {
    return this.#workbench.page.locator('.part.auxiliarybar');
  }

  /** The name on the model button. */
  async chosenModel(): Promise<string> {
    return (await this.#modelButton().innerText()).trim();
  }

  async #openPicker(): Promise<Locator> {
    const picker = this.#workbench.page.locator('.action-widget:has(.chat-model-picker-dropdown)').first();
    if (!await picker.isVisible()) {
      await this.#modelButton().click({ timeout: 5_000 });
      await picker.waitFor({ timeout: 5_000 });
    }
    return picker;
  }

  #session(): Locator {
    return this.#workbench.page.locator('.interactive-session').first();
  }

  #modelButton(): Locator {
    return this.#session().locator('.model-picker-name').first();
  }

  #input(): Locator {
    return this.#session().locator('.interactive-input-part .monaco-editor').first();
  }

  #requestRow(text: string): Locator {
    return this.#session().locator(`.monaco-list-row.request[aria-label=${JSON.stringify(text)}]`).last();
  }
}

/** The input wraps long lines, and shows spaces as another kind of space. */
function withoutSpaces(text: string): string {
  return text.replace(/\s+/g, '');
}
