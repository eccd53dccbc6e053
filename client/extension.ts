import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { escapedLog } from './base/escapedLog.ts';
import { ChatAccess } from './chat/chatAccess.ts';
import { editorChat } from './chat/chatHost.ts';
import { ChatProvider } from './chat/chatProvider.ts';
import { addProvider } from './commands/addProvider.ts';
import { connectTool, disconnectTool } from './commands/connectTool.ts';
import type { ToolPlace } from './commands/connectTool.ts';
import { checkHealth, removeProvider, setEnabled, testProvider } from './commands/endpointCommands.ts';
import { addKey, removeKey, renameKey, replaceKey, testKey } from './commands/keyCommands.ts';
import { registerCommands } from './commands/register.ts';
import { addToRoute, editRoute, newRoute, removeRoute } from './commands/routeCommands.ts';
import { chooseLocalEndpointPort, copyLocalEndpointToken, copyLocalEndpointUrl, retryLocalEndpoint } from './commands/localEndpointCommands.ts';
import { restartServer } from './commands/serverCommands.ts';
import type { CommandServices } from './commands/services.ts';
import { ShownChanges } from './commands/shownChanges.ts';
import { Configuration } from './settings/configuration.ts';
import { ContextKeys } from './status/contextKeys.ts';
import { DrillReportView } from './views/drill/drillReportView.ts';
import { DrillTree } from './views/drill/drillTree.ts';
import { fireDrill, stopFireDrill } from './commands/fireDrill.ts';
import { KeyStore } from './keys/keyStore.ts';
import { Notifications } from './notices/notifications.ts';
import { realTimers } from './server/connection.ts';
import { ServerProcess } from './server/serverProcess.ts';
import { StatusBar } from './status/statusBar.ts';
import { ProvidersTree } from './views/providers/providersTree.ts';
import { ReceiptView } from './views/receipt/receiptView.ts';
import { RequestsView } from './views/requests/requestsView.ts';
import { SpendView } from './views/spend/spendView.ts';
import { WalkthroughProgress } from './views/walkthrough/walkthroughProgress.ts';

/** What has to end in order when the window closes, and waits for it. */
const endings: (() => Promise<void>)[] = [];

/** Builds the extension and returns; the server starts in the background. */
export function activate(context: vscode.ExtensionContext): void {
  const log = escapedLog(vscode.window.createOutputChannel('Switchyard', { log: true }));
  const keys = new KeyStore(context.secrets, () => Date.now(), () => randomUUID());
  const configuration = new Configuration(keys);
  const server = new ServerProcess({
    connect: async listener => {
      // Loaded when it is needed: it is most of the bundle, and activation does not wait for it.
      const { connectLanguageServer } = await import('./server/languageClient.ts');
      return connectLanguageServer({
        module: vscode.Uri.joinPath(context.extensionUri, 'dist', 'server.js').fsPath,
        dataDir: context.globalStorageUri,
        log,
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
  const walkthrough = new WalkthroughProgress(server, context.globalState);
  const chat = new ChatProvider(server, configuration, context.globalState);

  context.subscriptions.push(
    log, keys, configuration, server, chat,
    chat.register() ?? noChatProviders(log),
    configuration.onDidChangeServerPart(() => { void server.configure(); }),
    new ContextKeys(server, configuration),
    new StatusBar(server, configuration),
    new ProvidersTree(server, configuration),
    new SpendView(context.extensionUri, server, () => { void walkthrough.spendSeen(); }),
    new RequestsView(server),
    new ReceiptView(context.extensionUri, server),
    new DrillTree(server),
    drillReport,
    walkthrough,
    new Notifications(server, configuration, keys, log),
    registerCommands({
      'switchyard.addProvider': () => addProvider(services),
      'switchyard.removeProvider': target => removeProvider(services, target),
      'switchyard.testProvider': target => testProvider(services, target),
      'switchyard.enableProvider': target => setEnabled(services, target, true),
      'switchyard.disableProvider': target => setEnabled(services, target, false),
      'switchyard.addKey': target => addKey(services, target),
      'switchyard.renameKey': target => renameKey(services, target),
      'switchyard.replaceKey': target => replaceKey(services, target),
      'switchyard.testKey': target => testKey(services, target),
      'switchyard.removeKey': target => removeKey(services, target),
      'switchyard.newRoute': () => newRoute(services),
      'switchyard.editRoute': () => editRoute(services),
      'switchyard.removeRoute': () => removeRoute(services),
      'switchyard.addToRoute': target => addToRoute(services, target),
      'switchyard.checkHealth': target => checkHealth(services, target),
      'switchyard.fireDrill': target => fireDrill(services, target),
      'switchyard.stopFireDrill': () => stopFireDrill(services),
      'switchyard.fireDrillReport': () => { drillReport.open(); },
      'switchyard.openChat': () => services.chatAccess.openChat(),
      'switchyard.allowChatWithoutSignIn': () => services.chatAccess.allowByCommand(),
      'switchyard.open': async () => { await vscode.commands.executeCommand('switchyard.providers.focus'); },
      'switchyard.openSettings': async () => { await vscode.commands.executeCommand('workbench.action.openSettings', `@ext:${context.extension.id}`); },
      'switchyard.showLog': () => { log.show(true); },
      'switchyard.restartServer': () => restartServer(services),
      'switchyard.copyLocalEndpointUrl': () => copyLocalEndpointUrl(services),
      'switchyard.copyLocalEndpointToken': () => copyLocalEndpointToken(services),
      'switchyard.chooseLocalEndpointPort': () => chooseLocalEndpointPort(services),
      'switchyard.retryLocalEndpoint': () => retryLocalEndpoint(services),
      'switchyard.connectTool': () => connectTool(services, toolPlace),
      'switchyard.disconnectTool': () => disconnectTool(services, toolPlace),
      'switchyard.writeChange': () => { toolPlace.changes.answer(true); },
      'switchyard.discardChange': () => { toolPlace.changes.answer(false); },
    }, log),
  );
  server.start();
}

/** Ends the server; VS Code waits a few seconds for it. */
export async function deactivate(): Promise<void> {
  await Promise.all(endings.splice(0).map(end => end()));
}

function noChatProviders(log: vscode.LogOutputChannel): vscode.Disposable {
  log.warn('This editor has no language model providers: chat cannot use Switchyard, but the local endpoint, the sidebar and the records work.');
  return { dispose: () => undefined };
}
