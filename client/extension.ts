import './base/language.ts';
import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { escapedLog } from './base/escapedLog.ts';
import { ChatAccess } from './chat/chatAccess.ts';
import { editorChat } from './chat/chatHost.ts';
import { registerAgentTools } from './chat/agentTools.ts';
import { ChatProvider } from './chat/chatProvider.ts';
import { ConversationTitles } from './chat/conversationTitles.ts';
import { ConnectionUpkeep } from './commands/connectionUpkeep.ts';
import type { ToolPlace } from './commands/connectTool.ts';
import { RulesCodeLenses, rulesSelector as rulesDocuments } from './commands/rules/rulesDocuments.ts';
import { registerCommands } from './commands/register.ts';
import type { CommandServices } from './commands/services.ts';
import { ShownChanges } from './commands/shownChanges.ts';
import { Configuration } from './settings/configuration.ts';
import { ContextKeys } from './status/contextKeys.ts';
import { BillView } from './views/bill/billView.ts';
import { LiveReport } from './views/reports/liveReport.ts';
import { DrillReportView } from './views/drill/drillReportView.ts';
import { DrillTree } from './views/drill/drillTree.ts';
import { RuleTexts } from './views/rules/ruleTexts.ts';
import { KeyStore } from './keys/keyStore.ts';
import { offerToForgetTitles } from './notices/keptTitlesOffer.ts';
import { Notifications } from './notices/notifications.ts';
import { realTimers } from './server/connection.ts';
import { forkServer } from './server/serverChild.ts';
import { ServerProcess } from './server/serverProcess.ts';
import { StatusBar } from './status/statusBar.ts';
import { ProvidersTree } from './views/providers/providersTree.ts';
import { RoutesTree } from './views/routes/routesTree.ts';
import { ReceiptView } from './views/receipt/receiptView.ts';
import { RequestsView } from './views/requests/requestsView.ts';
import { ReportDocuments } from './views/reports/reportDocuments.ts';
import { DashboardView } from './views/dashboard/dashboardView.ts';
import { SpendView } from './views/spend/spendView.ts';
import { WalkthroughProgress } from './views/walkthrough/walkthroughProgress.ts';

/** What has to end in order when the window closes, and waits for it. */
const endings: (() => Promise<void>)[] = [];

/** Builds the extension and returns; the server starts in the background. */
export function activate(context: vscode.ExtensionContext): void {
  const log = escapedLog(vscode.window.createOutputChannel('Waybill', { log: true }));
  const keys = new KeyStore(context.secrets, () => Date.now(), () => randomUUID());
  const configuration = new Configuration(keys);
  const server = new ServerProcess({
    connect: async listener => {
      const started = forkServer(vscode.Uri.joinPath(context.extensionUri, 'dist', 'server.js').fsPath, context.globalStorageUri.fsPath);
      // The library is half of the extension's code; it is loaded while the server starts up.
      const { connectLanguageServer } = await import('./server/languageClient.ts');
      return connectLanguageServer({ server: started, dataDir: context.globalStorageUri, log, documents: rulesDocuments }, listener);
    },
    readConfiguration: () => configuration.serverConfiguration(),
    log,
    timers: realTimers,
  });
  endings.push(() => server.stop());
  const services: CommandServices = { server, configuration, keys, log, chatAccess: new ChatAccess(editorChat, context.globalState) };
  const toolPlace: ToolPlace = {
    storageFolder: context.globalStorageUri.fsPath,
    changes: new ShownChanges(),
    awayFromWindow: vscode.env.remoteName !== undefined && context.extension.extensionKind === vscode.ExtensionKind.UI,
  };
  const drillReport = new DrillReportView(context.extensionUri, server);
  const canaryReports = new LiveReport(server, { scheme: 'waybill-canary', title: t('Canary'), markdown: async route => (await commandCode()).canaryMarkdown(server, route) });
  const shadowReports = new LiveReport(server, { scheme: 'waybill-shadow', title: t('Shadow'), markdown: async route => (await commandCode()).shadowMarkdown(server, route) });
  const ruleTexts = new RuleTexts();
  const bill = new BillView(context.extensionUri);
  const reports = new ReportDocuments();
  const walkthrough = new WalkthroughProgress(server, context.globalState);
  const titles = new ConversationTitles();
  const chat = new ChatProvider(server, configuration, context.globalState, titles);
  const requests = new RequestsView(server, titles);
  const dashboard = new DashboardView(context.extensionUri, server, titles, () => { void walkthrough.spendSeen(); });

  context.subscriptions.push(
    log, keys, configuration, server, chat,
    chat.register() ?? noChatProviders(log),
    configuration.onDidChangeServerPart(() => { void server.configure(); }),
    new ContextKeys(server, configuration),
    new StatusBar(server, configuration),
    new ProvidersTree(server, configuration),
    new RoutesTree(server, configuration),
    dashboard,
    new SpendView(context.extensionUri, server, () => { void walkthrough.spendSeen(); }),
    requests,
    registerAgentTools(server, configuration, context) ?? { dispose: () => undefined },
    new ReceiptView(context.extensionUri, server),
    new DrillTree(server),
    drillReport,
    canaryReports,
    shadowReports,
    ruleTexts,
    new RulesCodeLenses(),
    bill,
    reports,
    walkthrough,
    new ConnectionUpkeep(services, toolPlace),
    new Notifications(server, configuration, keys, log),
    offerToForgetTitles(server, configuration),
    registerCommands(async () => {
      const { commandHandlers } = await commandCode();
      return commandHandlers({ services, toolPlace, extensionId: context.extension.id, memory: context.globalState, chat, titles, requests, dashboard, drillReport, bill, canaryReports, shadowReports, reports, ruleTexts });
    }, log),
  );
  // Starting a process takes some milliseconds, and nothing of the above depends on it.
  setImmediate(() => { server.start(); });
}

/** Ends the server; VS Code waits a few seconds for it. */
export async function deactivate(): Promise<void> {
  await Promise.all(endings.splice(0).map(end => end()));
}

/** What commands do, and the reports they show: a window in which nobody runs a command never loads it. */
function commandCode(): Promise<typeof import('./commandHandlers.ts')> {
  return import('./commandHandlers.ts');
}

function noChatProviders(log: vscode.LogOutputChannel): vscode.Disposable {
  log.warn('This editor has no language model providers: chat cannot use Waybill, but the local endpoint, the sidebar and the records work.');
  return { dispose: () => undefined };
}
