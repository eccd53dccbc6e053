import './base/language.ts';
import { reportMarkdown } from '../server/api/canary.ts';
import { dryRunMarkdown } from '../server/api/rules/dryRun.ts';
import { shadowMarkdown } from '../server/api/shadow.ts';
import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { readSpendFilter } from '../server/api/reports/dashboard.ts';
import { escapedLog } from './base/escapedLog.ts';
import { ChatAccess } from './chat/chatAccess.ts';
import { editorChat } from './chat/chatHost.ts';
import { registerAgentTools } from './chat/agentTools.ts';
import { ChatProvider } from './chat/chatProvider.ts';
import { ConversationTitles } from './chat/conversationTitles.ts';
import { addProvider } from './commands/addProvider.ts';
import { editToolAccess } from './commands/access/editToolAccess.ts';
import { checkTools } from './commands/checkTools.ts';
import { ConnectionUpkeep } from './commands/connectionUpkeep.ts';
import { connectTool, disconnectTool } from './commands/connectTool.ts';
import type { ToolPlace } from './commands/connectTool.ts';
import { checkHealth, removeProvider, setEnabled, testProvider } from './commands/endpointCommands.ts';
import { showIncidents } from './commands/health/showIncidents.ts';
import { pauseEndpoint, probeNow, resetBreaker, resumeEndpoint } from './commands/health/endpointOrders.ts';
import { addKey, removeKey, renameKey, replaceKey, testKey } from './commands/keyCommands.ts';
import { blockExtension } from './commands/budgets/blockExtension.ts';
import { allowBudget, editBudgets, setBudget } from './commands/budgets/budgetCommands.ts';
import { shadowReport, startShadow, stopShadow } from './commands/shadow/shadowCommands.ts';
import { editKeyPool } from './commands/keyPool/editKeyPool.ts';
import { clearResponseCache } from './commands/cache/clearResponseCache.ts';
import { adoptCanary, canaryReport, pauseCanary, promoteCanary, rollBackCanary, startCanary } from './commands/canary/canaryCommands.ts';
import { dryRun } from './commands/rules/dryRun.ts';
import { RulesCodeLenses, rulesSelector as rulesDocuments } from './commands/rules/rulesDocuments.ts';
import { rulesHistory } from './commands/rules/rulesHistory.ts';
import { reconcileBill } from './commands/bill/reconcileBill.ts';
import { migrationReport } from './commands/reports/migrationReport.ts';
import { showCacheReport } from './commands/reports/cacheReport.ts';
import { showSavings, type ReportPlace } from './commands/reports/showSavings.ts';
import { registerCommands } from './commands/register.ts';
import { filterRequests } from './commands/requests/filterRequests.ts';
import { cancelRequest, clearRequestFilter, compareRequests, copyRequestId, lastChatReceipt, showOnly } from './commands/requests/requestCommands.ts';
import { why } from './commands/requests/why.ts';
import { addRouteTarget, editPolicyOfLine, moveTarget, openRouteSettings, removeTarget, tierTarget, weighTarget } from './commands/routes/lineCommands.ts';
import { tryRoute } from './commands/routes/tryRoute.ts';
import { editProvider } from './commands/routes/editProvider.ts';
import { addToRoute, editRoute, newRoute, removeRoute } from './commands/routes/routeCommands.ts';
import { chooseLocalEndpointPort, copyLocalEndpointToken, copyLocalEndpointUrl, retryLocalEndpoint } from './commands/localEndpointCommands.ts';
import { restartServer } from './commands/serverCommands.ts';
import type { CommandServices } from './commands/services.ts';
import { ShownChanges } from './commands/shownChanges.ts';
import { Configuration } from './settings/configuration.ts';
import { ContextKeys } from './status/contextKeys.ts';
import { BillView } from './views/bill/billView.ts';
import { LiveReport } from './views/reports/liveReport.ts';
import { DrillReportView } from './views/drill/drillReportView.ts';
import { DrillTree } from './views/drill/drillTree.ts';
import { fireDrill, stopFireDrill } from './commands/fireDrill.ts';
import { importKeys } from './commands/firstRun/importKeys.ts';
import { removeSimulated, tryWithoutKeys } from './commands/firstRun/tryWithoutKeys.ts';
import { RuleTexts } from './views/rules/ruleTexts.ts';
import { KeyStore } from './keys/keyStore.ts';
import { Notifications } from './notices/notifications.ts';
import { realTimers } from './server/connection.ts';
import { ServerProcess } from './server/serverProcess.ts';
import { StatusBar } from './status/statusBar.ts';
import { ProvidersTree } from './views/providers/providersTree.ts';
import { RoutesTree } from './views/routes/routesTree.ts';
import { ReceiptView } from './views/receipt/receiptView.ts';
import { RequestsView } from './views/requests/requestsView.ts';
import { ReportDocuments, saveReport } from './views/reports/reportDocuments.ts';
import { DashboardView } from './views/dashboard/dashboardView.ts';
import { spendPeriods } from './views/spend/spendRange.ts';
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
      // Loaded when it is needed: it is most of the bundle, and activation does not wait for it.
      const { connectLanguageServer } = await import('./server/languageClient.ts');
      return connectLanguageServer({
        module: vscode.Uri.joinPath(context.extensionUri, 'dist', 'server.js').fsPath,
        dataDir: context.globalStorageUri,
        log, documents: rulesDocuments,
      }, listener);
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
  const canaryReports = new LiveReport(server, {
    scheme: 'waybill-canary', title: t('Canary'),
    async markdown(route) {
      const result = await server.canary({ action: 'status', route });
      return 'refused' in result ? `${result.refused}\n` : result.canaries.map(reportMarkdown).join('\n');
    },
  });
  const shadowReports = new LiveReport(server, {
    scheme: 'waybill-shadow', title: t('Shadow'),
    async markdown(route) {
      const result = await server.shadow({ action: 'status', route });
      return 'refused' in result ? `${result.refused}\n` : result.shadows.map(shadowMarkdown).join('\n');
    },
  });
  const ruleTexts = new RuleTexts();
  const bill = new BillView(context.extensionUri);
  const reports = new ReportDocuments();
  const reportPlace: ReportPlace = { show: (name, markdown) => reports.show(name, markdown), save: saveReport };
  const walkthrough = new WalkthroughProgress(server, context.globalState);
  const titles = new ConversationTitles();
  const chat = new ChatProvider(server, configuration, context.globalState, titles);
  const requests = new RequestsView(server, titles);
  const dashboard = new DashboardView(context.extensionUri, server, () => { void walkthrough.spendSeen(); });

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
    registerAgentTools(configuration, context) ?? { dispose: () => undefined },
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
    registerCommands({
      'waybill.addProvider': () => addProvider(services),
      'waybill.importKeys': () => importKeys(services, toolPlace.awayFromWindow),
      'waybill.tryWithoutKeys': () => tryWithoutKeys(services, context.globalState),
      'waybill.removeSimulated': () => removeSimulated(services, context.globalState),
      'waybill.removeProvider': target => removeProvider(services, target),
      'waybill.testProvider': target => testProvider(services, target),
      'waybill.editProvider': target => editProvider(services, target),
      'waybill.enableProvider': target => setEnabled(services, target, true),
      'waybill.disableProvider': target => setEnabled(services, target, false),
      'waybill.addKey': target => addKey(services, target),
      'waybill.renameKey': target => renameKey(services, target),
      'waybill.editKeyPool': target => editKeyPool(services, target),
      'waybill.replaceKey': target => replaceKey(services, target),
      'waybill.testKey': target => testKey(services, target),
      'waybill.removeKey': target => removeKey(services, target),
      'waybill.newRoute': () => newRoute(services),
      'waybill.editRoute': target => editRoute(services, target),
      'waybill.removeRoute': target => removeRoute(services, target),
      'waybill.addToRoute': target => addToRoute(services, target),
      'waybill.tryRoute': target => tryRoute(services, target),
      'waybill.openRouteSettings': () => openRouteSettings(),
      'waybill.addRouteTarget': target => addRouteTarget(services, target),
      'waybill.moveTargetUp': target => moveTarget(services, target, -1),
      'waybill.moveTargetDown': target => moveTarget(services, target, 1),
      'waybill.weighTarget': target => weighTarget(services, target),
      'waybill.tierTarget': target => tierTarget(services, target),
      'waybill.removeTarget': target => removeTarget(services, target),
      'waybill.editRoutePolicy': target => editPolicyOfLine(services, target),
      'waybill.why': target => why(services, target),
      'waybill.filterRequests': target => filterRequests(services, target, requests, titles),
      'waybill.clearRequestFilter': target => clearRequestFilter(target, requests),
      'waybill.cancelRequest': target => cancelRequest(services, target),
      'waybill.compareRequests': target => compareRequests(services, target, requests, report => reports.show(`${t('Two requests')}.md`, report)),
      'waybill.copyRequestId': target => copyRequestId(target),
      'waybill.showOnlyTool': target => showOnly(services, target, requests, 'tool'),
      'waybill.showOnlyConversation': target => showOnly(services, target, requests, 'conversation'),
      'waybill.showOnlyModel': target => showOnly(services, target, requests, 'model'),
      'waybill.lastChatReceipt': () => lastChatReceipt(services, chat),
      'waybill.checkHealth': target => checkHealth(services, target),
      'waybill.pauseEndpoint': target => pauseEndpoint(services, target),
      'waybill.resumeEndpoint': target => resumeEndpoint(services, target),
      'waybill.probeNow': target => probeNow(services, target),
      'waybill.resetBreaker': target => resetBreaker(services, target),
      'waybill.showIncidents': target => showIncidents(services, target, reportPlace),
      'waybill.fireDrill': target => fireDrill(services, target),
      'waybill.stopFireDrill': () => stopFireDrill(services),
      'waybill.fireDrillReport': () => { drillReport.open(); },
      'waybill.clearResponseCache': target => clearResponseCache(services, target),
      'waybill.startCanary': target => startCanary(services, target),
      'waybill.promoteCanary': target => promoteCanary(services, target),
      'waybill.pauseCanary': target => pauseCanary(services, target),
      'waybill.rollBackCanary': target => rollBackCanary(services, target),
      'waybill.adoptCanary': target => adoptCanary(services, target),
      'waybill.canaryReport': target => canaryReport(services, target, route => canaryReports.show(route)),
      'waybill.startShadow': target => startShadow(services, target),
      'waybill.stopShadow': target => stopShadow(services, target),
      'waybill.shadowReport': target => shadowReport(services, target, route => shadowReports.show(route)),
      'waybill.setBudget': () => setBudget(services),
      'waybill.editBudgets': () => editBudgets(services),
      'waybill.allowBudget': () => allowBudget(services),
      'waybill.blockExtension': () => blockExtension(services),
      'waybill.dryRun': target => dryRun(services, target, report => reports.show(`${t('Dry run')}.md`, dryRunMarkdown(report))),
      'waybill.rulesHistory': () => rulesHistory(services, (title, name, version, now) => ruleTexts.compare(title, name, version, now)),
      'waybill.reconcileBill': target => reconcileBill(services, target, report => bill.show(report)),
      'waybill.migrationReport': target => migrationReport(services, reportPlace, target.range, readSpendFilter(target.filter)),
      'waybill.cacheReport': () => showCacheReport(services, reportPlace),
      'waybill.showSavings': target => showSavings(services, reportPlace, target.range, readSpendFilter(target.filter)),
      'waybill.openSpendDashboard': target => dashboard.open(spendPeriods.find(period => period === target.period)),
      'waybill.openChat': () => services.chatAccess.openChat(),
      'waybill.allowChatWithoutSignIn': () => services.chatAccess.allowByCommand(),
      'waybill.open': async () => { await vscode.commands.executeCommand('waybill.providers.focus'); },
      'waybill.openSettings': async () => { await vscode.commands.executeCommand('workbench.action.openSettings', `@ext:${context.extension.id}`); },
      'waybill.showLog': () => { log.show(true); },
      'waybill.restartServer': () => restartServer(services),
      'waybill.copyLocalEndpointUrl': () => copyLocalEndpointUrl(services),
      'waybill.copyLocalEndpointToken': () => copyLocalEndpointToken(services),
      'waybill.chooseLocalEndpointPort': () => chooseLocalEndpointPort(services),
      'waybill.retryLocalEndpoint': () => retryLocalEndpoint(services),
      'waybill.connectTool': () => connectTool(services, toolPlace),
      'waybill.disconnectTool': () => disconnectTool(services, toolPlace),
      'waybill.editToolAccess': () => editToolAccess(services),
      'waybill.checkTools': () => checkTools(services, toolPlace),
      'waybill.writeChange': () => { toolPlace.changes.answer(true); },
      'waybill.discardChange': () => { toolPlace.changes.answer(false); },
    }, log),
  );
  server.start();
}

/** Ends the server; VS Code waits a few seconds for it. */
export async function deactivate(): Promise<void> {
  await Promise.all(endings.splice(0).map(end => end()));
}

function noChatProviders(log: vscode.LogOutputChannel): vscode.Disposable {
  log.warn('This editor has no language model providers: chat cannot use Waybill, but the local endpoint, the sidebar and the records work.');
  return { dispose: () => undefined };
}
