import * as vscode from 'vscode';
import { billKeys, type BillColumns, type BillReport, type BillSource, type ReconcileResult } from '../../../server/api/bill.ts';
import { UserError } from '../../base/errors.ts';
import type { CommandTarget } from '../commandTable.ts';
import { chooseEndpoint } from '../input/pickers.ts';
import { askChoice, askText, valueOf } from '../input/quickInput.ts';
import { billPeriods, type BillPeriod } from './reconcileSteps.ts';
import type { CommandServices } from '../services.ts';

const title = 'Reconcile Bill';
const largestFileBytes = 16 * 1024 * 1024;

/** "Reconcile Bill…": asks for a provider, days and where its figures come from, and shows them beside the ledger. */
export async function reconcileBill(services: CommandServices, target: CommandTarget, show: (report: BillReport) => Promise<void>): Promise<void> {
  const endpoint = await chooseEndpoint(services, target, title);
  if (endpoint === undefined) return;
  const period = valueOf(await askChoice<BillPeriod>({ title, step: 1, totalSteps: 3, placeholder: 'Which days? Bills count them in UTC', items: billPeriods(Date.now()).map(one => ({ label: one.label, description: one.description, value: one })) }));
  if (period === undefined) return;
  const status = services.server.status?.endpoints.find(({ name }) => name === endpoint.name);
  let source = await chooseSource(status?.provider ?? endpoint.settings.provider, status?.providerName ?? endpoint.name);
  while (source !== undefined) {
    const result = await run(services, endpoint.name, period, source);
    if (result === undefined) return;
    if ('report' in result) return show(result.report);
    source = await withColumn(source, result);
    if (source === undefined) throw new UserError(result.problem);
  }
}

async function chooseSource(provider: string, providerName: string): Promise<BillSource | undefined> {
  const key = billKeys[provider];
  const kind = key === undefined ? 'file' : valueOf(await askChoice<BillSource['kind']>({
    title, step: 2, totalSteps: 3, placeholder: `Where are the figures of ${providerName}?`,
    items: [
      { label: `$(cloud) Ask ${providerName}`, description: `needs ${key.name}`, detail: 'The key is used for this one call, sent to the provider only, and kept nowhere.', value: 'api' },
      { label: '$(file) Read a File…', description: 'CSV, or JSON records of OpenRouter', detail: 'An export of the provider\'s console. It stays on this machine.', value: 'file' },
    ],
  }));
  if (kind === undefined) return undefined;
  if (kind === 'file' || key === undefined) return readFile();
  const adminKey = valueOf(await askText({
    title, step: 3, totalSteps: 3, placeholder: key.prefix === undefined ? 'Key' : `Key, such as ${key.prefix}…`, password: true,
    prompt: `Paste ${key.name} of ${providerName}. It is used once and kept nowhere`,
    problem: text => (text === '' ? 'Paste the key.' : key.prefix !== undefined && !text.startsWith(key.prefix) ? `This is not ${key.name}: a key for requests cannot read costs.` : undefined),
    link: { tooltip: 'Make one', url: key.url },
  }));
  return adminKey === undefined ? undefined : { kind: 'api', adminKey };
}

async function readFile(): Promise<BillSource | undefined> {
  const files = await vscode.window.showOpenDialog({ title: 'Choose the Bill', openLabel: 'Read', filters: { 'CSV or JSON': ['csv', 'tsv', 'txt', 'json'] } });
  const file = files?.[0];
  if (file === undefined) return undefined;
  const { size } = await vscode.workspace.fs.stat(file);
  if (size > largestFileBytes) throw new UserError('The file is larger than 16 MB: export a shorter time.');
  return { kind: 'file', text: new TextDecoder().decode(await vscode.workspace.fs.readFile(file)) };
}

function run({ server }: CommandServices, endpoint: string, { fromDay, toDay }: BillPeriod, source: BillSource): Thenable<ReconcileResult | undefined> {
  return vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: 'Comparing the bill with the ledger…', cancellable: true }, async (_progress, token) => {
    try {
      return await server.reconcile({ endpoint, fromDay, toDay, source }, token);
    } catch (error) {
      if (token.isCancellationRequested) return undefined;
      throw error;
    }
  });
}

/** A file with a column named by the user, where that is what was missing. */
async function withColumn(source: BillSource, result: ReconcileResult): Promise<BillSource | undefined> {
  if (source.kind !== 'file' || 'report' in result || result.missing === undefined || result.columns === undefined) return undefined;
  const { missing } = result;
  const words: Record<keyof BillColumns, string> = { day: 'the day', model: 'the model', cost: 'the cost in US dollars' };
  const column = valueOf(await askChoice<string>({ title, step: 3, totalSteps: 3, placeholder: `Which column of the file holds ${words[missing]}?`, items: result.columns.map(name => ({ label: name, value: name })) }));
  return column === undefined ? undefined : { ...source, columns: { ...source.columns, [missing]: column } };
}
