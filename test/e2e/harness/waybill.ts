import { DatabaseSync } from 'node:sqlite';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Receipt, RequestSummary, SpendReport } from '../../../server/api/receipt.ts';
import type { StatusSnapshot } from '../../../server/api/status.ts';
import type { EditorServer } from './editorServer.ts';
import type { RunningProcess } from './processTree.ts';
import { until } from './until.ts';
import type { Workbench } from './workbench.ts';

export const extensionId = 'waybill.waybill';

export interface ProviderChoice {
  /** As the first step of "Add Provider…" lists it. */
  provider: string;
  baseUrl: string;
  name: string;
  key: string;
  /** Chosen for the route in the last step. */
  model: string;
}

/** "Waybill: Add Provider…" from the palette, every step of it; resolves when the last notification has come. */
export async function addProvider(workbench: Workbench, { provider, baseUrl, name, key, model }: ProviderChoice): Promise<void> {
  await workbench.command('Waybill: Add Provider…');
  await step(workbench, 'Choose a provider', () => workbench.pick(provider));
  await step(workbench, 'Base URL', () => workbench.enter(baseUrl));
  await step(workbench, 'A short name', () => workbench.enter(name));
  await step(workbench, 'Paste a key', () => workbench.enter(key));
  await step(workbench, /model that|type a name/, () => workbench.pick(model));
  await until(`the notification that ${name} was added`, async () => (await workbench.notifications()).some((text) => text.includes(`${name}/${model}`)));
}

/** Does `act` once the open quick input says `saying`, in its placeholder or its message. */
async function step(workbench: Workbench, saying: string | RegExp, act: () => Promise<void>): Promise<void> {
  await until(`the step "${saying}"`, async () => {
    const placeholder = await workbench.quickInputBox().getAttribute('placeholder', { timeout: 500 }) ?? '';
    const text = `${placeholder}\n${await workbench.quickInput().innerText({ timeout: 500 })}`;
    return typeof saying === 'string' ? text.includes(saying) : saying.test(text);
  }, { timeoutMs: 20_000 });
  await act();
}

/**
 * Changes the user's settings.json as a person does: opens it, writes, saves and closes it. (VS Code in the browser does
 * not notice when another program changes that file.)
 */
export async function editSettings(workbench: Workbench, editor: EditorServer, change: (settings: Record<string, unknown>) => void): Promise<void> {
  const file = path.join(editor.userDataDir, 'User', 'settings.json');
  const settings = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  change(settings);
  const { page } = workbench;
  await workbench.command('Preferences: Open User Settings (JSON)');
  const text = page.locator('.monaco-editor[data-uri*="settings.json"]');
  await text.waitFor();
  await until('the editor to be empty', async () => {
    await text.locator('.view-lines').click();
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');
    return (await text.locator('.view-lines').innerText()).trim() === '';
  });
  // One line, so that the editor indents nothing.
  await page.keyboard.insertText(JSON.stringify(settings));
  await until('the settings to be saved', async () => {
    await page.keyboard.press('Control+S');
    return isDeepStrictEqual(JSON.parse(readFileSync(file, 'utf8')), settings);
  }, { everyMs: 200 });
  // With the editor's own defaults, settings are shown over the window, where Escape closes them once nothing else takes it.
  await until('the settings to be closed', async () => {
    if (await text.count() === 0) return true;
    if (await page.locator('.tab[data-resource-name="settings.json"]').count() > 0) await workbench.command('View: Close Editor');
    else await page.keyboard.press('Escape');
    return false;
  }, { everyMs: 500 });
}

/** The language servers of the editor's windows. */
export function serverProcesses(editor: EditorServer): RunningProcess[] {
  return editor.processes().filter(({ commandLine }) => commandLine.includes(extensionId) && commandLine.includes('server.js'));
}

/** The local HTTP endpoint, with the token from the extension's data folder. */
export class LocalEndpoint {
  readonly #url: string;
  readonly #tokenFile: string;

  constructor(editor: EditorServer, port: number) {
    this.#url = `http://127.0.0.1:${port}`;
    this.#tokenFile = path.join(editor.globalStorage(extensionId), 'token');
  }

  async status(): Promise<StatusSnapshot> {
    return await this.get('/waybill/status') as StatusSnapshot;
  }

  async spend(): Promise<SpendReport> {
    return await this.get('/waybill/spend?range=today') as SpendReport;
  }

  async exchanges(): Promise<RequestSummary[]> {
    return await this.get('/waybill/exchanges?limit=500') as RequestSummary[];
  }

  async receipt(id: string): Promise<Receipt> {
    return await this.get(`/waybill/exchanges/${encodeURIComponent(id)}`) as Receipt;
  }

  async get(route: string): Promise<unknown> {
    const response = await this.request(route);
    if (!response.ok) throw new Error(`${route} answered ${response.status}: ${await response.text()}`);
    return response.json();
  }

  /** One request with the token; a connection of its own, so that none outlives the window that answered. */
  async request(route: string, init: RequestInit = {}): Promise<Response> {
    const token = readFileSync(this.#tokenFile, 'utf8').trim();
    return fetch(this.#url + route, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}`, connection: 'close' } });
  }
}

/** The ledger file itself, read-only, beside the servers that write it. */
export function readLedger<Row>(editor: EditorServer, query: string): Row[] {
  const database = new DatabaseSync(path.join(editor.globalStorage(extensionId), 'ledger.db'), { readOnly: true });
  try {
    return database.prepare(query).all() as Row[];
  } finally {
    database.close();
  }
}
