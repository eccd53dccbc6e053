import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { reportMarkdown as canaryReportMarkdown } from '../server/api/canary.ts';
import { dryRunMarkdown } from '../server/api/rules/dryRun.ts';
import { readSpendFilter } from '../server/api/reports/dashboard.ts';
import { shadowMarkdown as shadowReportMarkdown } from '../server/api/shadow.ts';
import type { ChatProvider } from './chat/chatProvider.ts';
import type { ConversationTitles } from './chat/conversationTitles.ts';
import { editToolAccess } from './commands/access/editToolAccess.ts';
import { addProvider } from './commands/addProvider.ts';
import { reconcileBill } from './commands/bill/reconcileBill.ts';
import { blockExtension } from './commands/budgets/blockExtension.ts';
import { allowBudget, editBudgets, setBudget } from './commands/budgets/budgetCommands.ts';
import { clearResponseCache } from './commands/cache/clearResponseCache.ts';
import { adoptCanary, canaryReport, pauseCanary, promoteCanary, rollBackCanary, startCanary } from './commands/canary/canaryCommands.ts';
import { checkTools } from './commands/checkTools.ts';
import { connectTool, disconnectTool } from './commands/connectTool.ts';
import type { ToolPlace } from './commands/connectTool.ts';
import { checkHealth, removeProvider, setEnabled, testProvider } from './commands/endpointCommands.ts';
import { fireDrill, stopFireDrill } from './commands/fireDrill.ts';
import { importKeys } from './commands/firstRun/importKeys.ts';
import { removeSimulated, tryWithoutKeys } from './commands/firstRun/tryWithoutKeys.ts';
import { pauseEndpoint, probeNow, resetBreaker, resumeEndpoint } from './commands/health/endpointOrders.ts';
import { showIncidents } from './commands/health/showIncidents.ts';
import { addKey, removeKey, renameKey, replaceKey, testKey } from './commands/keyCommands.ts';
import { editKeyPool } from './commands/keyPool/editKeyPool.ts';
import { chooseLocalEndpointPort, copyLocalEndpointToken, copyLocalEndpointUrl, retryLocalEndpoint } from './commands/localEndpointCommands.ts';
import { showCacheReport } from './commands/reports/cacheReport.ts';
import { migrationReport } from './commands/reports/migrationReport.ts';
import { showSavings, type ReportPlace } from './commands/reports/showSavings.ts';
import { forgetTitles } from './commands/requests/forgetTitles.ts';
import { filterRequests } from './commands/requests/filterRequests.ts';
import { cancelRequest, clearRequestFilter, compareRequests, copyRequestId, lastChatReceipt, showOnly } from './commands/requests/requestCommands.ts';
import { why } from './commands/requests/why.ts';
import { editProvider } from './commands/routes/editProvider.ts';
import { addRouteTarget, editPolicyOfLine, moveTarget, openRouteSettings, removeTarget, tierTarget, weighTarget } from './commands/routes/lineCommands.ts';
import { setPrices } from './commands/prices/setPrices.ts';
import { addToRoute, editRoute, newRoute, removeRoute } from './commands/routes/routeCommands.ts';
import { tryRoute } from './commands/routes/tryRoute.ts';
import { dryRun } from './commands/rules/dryRun.ts';
import { rulesHistory } from './commands/rules/rulesHistory.ts';
import { restartServer } from './commands/serverCommands.ts';
import type { CommandServices } from './commands/services.ts';
import { shadowReport, startShadow, stopShadow } from './commands/shadow/shadowCommands.ts';
import type { CommandHandlers } from './commands/commandTable.ts';
import type { WaybillServer } from './server/waybillServer.ts';
import type { BillView } from './views/bill/billView.ts';
import type { DashboardView } from './views/dashboard/dashboardView.ts';
import type { DrillReportView } from './views/drill/drillReportView.ts';
import type { LiveReport } from './views/reports/liveReport.ts';
import { saveReport, type ReportDocuments } from './views/reports/reportDocuments.ts';
import type { RequestsView } from './views/requests/requestsView.ts';
import type { RuleTexts } from './views/rules/ruleTexts.ts';
import { spendPeriods } from './views/spend/spendRange.ts';

/** What the commands work with, and the views they open. */
export interface CommandParts {
  services: CommandServices;
  toolPlace: ToolPlace;
  /** Of the extension, such as `waybill.waybill`. */
  extensionId: string;
  memory: vscode.Memento;
  chat: ChatProvider;
  titles: ConversationTitles;
  requests: RequestsView;
  dashboard: DashboardView;
  drillReport: DrillReportView;
  bill: BillView;
  canaryReports: LiveReport;
  shadowReports: LiveReport;
  reports: ReportDocuments;
  ruleTexts: RuleTexts;
}

/** What each command does. The file is loaded when the first command runs: most windows of an editor run none. */
export function commandHandlers({ services, toolPlace, extensionId, memory, chat, titles, requests, dashboard, drillReport, bill, canaryReports, shadowReports, reports, ruleTexts }: CommandParts): CommandHandlers {
  const reportPlace: ReportPlace = { show: (name, markdown) => reports.show(name, markdown), save: saveReport };
  return {
    'waybill.addProvider': () => addProvider(services),
    'waybill.importKeys': () => importKeys(services, toolPlace.awayFromWindow),
    'waybill.tryWithoutKeys': () => tryWithoutKeys(services, memory),
    'waybill.removeSimulated': () => removeSimulated(services, memory),
    'waybill.removeProvider': target => removeProvider(services, target),
    'waybill.testProvider': target => testProvider(services, target),
    'waybill.editProvider': target => editProvider(services, target),
    'waybill.setPrices': target => setPrices(services, target),
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
    'waybill.forgetTitles': () => forgetTitles(services, requests),
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
    'waybill.getStarted': async () => { await vscode.commands.executeCommand('workbench.action.openWalkthrough', `${extensionId}#waybill.start`, false); },
    'waybill.openChat': () => services.chatAccess.openChat(),
    'waybill.allowChatWithoutSignIn': () => services.chatAccess.allowByCommand(),
    'waybill.open': async () => { await vscode.commands.executeCommand('waybill.providers.focus'); },
    'waybill.openSettings': async () => { await vscode.commands.executeCommand('workbench.action.openSettings', `@ext:${extensionId}`); },
    'waybill.showLog': () => { services.log.show(true); },
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
  };
}

/** The canaries of a route, as the server has them now. */
export async function canaryMarkdown(server: Pick<WaybillServer, 'canary'>, route: string): Promise<string> {
  const result = await server.canary({ action: 'status', route });
  return 'refused' in result ? `${result.refused}\n` : result.canaries.map(canaryReportMarkdown).join('\n');
}

/** The shadows of a route, as the server has them now. */
export async function shadowMarkdown(server: Pick<WaybillServer, 'shadow'>, route: string): Promise<string> {
  const result = await server.shadow({ action: 'status', route });
  return 'refused' in result ? `${result.refused}\n` : result.shadows.map(shadowReportMarkdown).join('\n');
}
