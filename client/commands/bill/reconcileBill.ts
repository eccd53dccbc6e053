import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { billKeys, type BillColumns, type BillReport, type BillSource, type ReconcileResult } from '../../../server/api/bill.ts';
import { UserError } from '../../base/errors.ts';
import type { CommandTarget } from '../commandTable.ts';
import { chooseEndpoint } from '../input/pickers.ts';
import { askChoice, askText, valueOf } from '../input/quickInput.ts';
import { billPeriods, type BillPeriod } from './reconcileSteps.ts';
import type { CommandServices } from '../services.ts';

const title = t('Reconcile Bill');
const largestFileBytes = 16 * 1024 * 1024;

/** "Reconcile Bill…": asks for a provider, days and where its figures come from, and shows them beside the ledger. */
export async function reconcileBill(services: CommandServices, target: CommandTarget, show: (report: BillReport) => Promise<void>): Promise<void> {
  const endpoint = await chooseEndpoint(services, target, title);
  if (endpoint === undefined) return;
  const period = valueOf(await askChoice<BillPeriod>({ title, step: 1, totalSteps: 3, placeholder: t('Which days? Bills count them in UTC'), items: billPeriods(Date.now()).map(one => ({ label: one.label, description: one.description, value: one })) }));
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
    title, step: 2, totalSteps: 3, placeholder: t('Where are the figures of {0}?', providerName),
    items: [
      { label: t('$(cloud) Ask {0}', providerName), description: t('needs {0}', key.name), detail: t('The key is used for this one call, sent to the provider only, and kept nowhere.'), value: 'api' },
      { label: t('$(file) Read a File…'), description: t('CSV, or JSON records of OpenRouter'), detail: t('An export of the provider\'s console. It stays on this machine.'), value: 'file' },
    ],
  }));
  if (kind === undefined) return undefined;
  if (kind === 'file' || key === undefined) return readFile();
  const adminKey = valueOf(await askText({
    title, step: 3, totalSteps: 3, placeholder: key.prefix === undefined ? t('Key') : t('Key, such as {0}…', key.prefix), password: true,
    prompt: t('Paste {0} of {1}. It is used once and kept nowhere', key.name, providerName),
    problem: text => (text === '' ? t('Paste the key.') : key.prefix !== undefined && !text.startsWith(key.prefix) ? t('This is not {0}: a key for requests cannot read costs.', key.name) : undefined),
    link: { tooltip: t('Make one'), url: key.url },
  }));
  return adminKey === undefined ? undefined : { kind: 'api', adminKey };
}

async function readFile(): Promise<BillSource | undefined> {
  const files = await vscode.window.showOpenDialog({ title: t('Choose the Bill'), openLabel: t('Read'), filters: { [t('CSV or JSON')]: ['csv', 'tsv', 'txt', 'json'] } });
  const file = files?.[0];
  if (file === undefined) return undefined;
  const { size } = await vscode.workspace.fs.stat(file);
  if (size > largestFileBytes) throw new UserError(t('The file is larger than 16 MB: export a shorter time.'));
  return { kind: 'file', text: new TextDecoder().decode(await vscode.workspace.fs.readFile(file)) };
}

function run({ server }: CommandServices, endpoint: string, { fromDay, toDay }: BillPeriod, source: BillSource): Thenable<ReconcileResult | undefined> {
  return vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: t('Comparing the bill with the ledger…'), cancellable: true }, async (_progress, token) => {
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
  const questions: Record<keyof BillColumns, string> = {
    day: t('Which column of the file holds the day?'), model: t('Which column of the file holds the model?'), cost: t('Which column of the file holds the cost in US dollars?'),
  };
  const column = valueOf(await askChoice<string>({ title, step: 3, totalSteps: 3, placeholder: questions[missing], items: result.columns.map(name => ({ label: name, value: name })) }));
  return column === undefined ? undefined : { ...source, columns: { ...source.columns, [missing]: column } };
}
