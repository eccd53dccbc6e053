import * as vscode from 'vscode';
import type { Configuration } from '../settings/configuration.ts';

/**
 * Offers Waybill's read-only tools to the editor's agents, where the user switched that on: the editor starts `server.js mcp` by
 * itself when an agent needs it. Undefined where the editor has no such offers.
 */
export function registerAgentTools(configuration: Configuration, context: Pick<vscode.ExtensionContext, 'extensionUri' | 'globalStorageUri' | 'extension'>): vscode.Disposable | undefined {
  const host: { registerMcpServerDefinitionProvider?: typeof vscode.lm.registerMcpServerDefinitionProvider } | undefined = vscode.lm;
  if (host?.registerMcpServerDefinitionProvider === undefined) return undefined;
  const changed = new vscode.EventEmitter<void>();
  let offered = configuration.settings.agentTools;
  const { version } = context.extension.packageJSON as { version: string };
  return vscode.Disposable.from(
    changed,
    configuration.onDidChange(() => {
      if (configuration.settings.agentTools === offered) return;
      offered = configuration.settings.agentTools;
      changed.fire();
    }),
    host.registerMcpServerDefinitionProvider('waybill.tools', {
      onDidChangeMcpServerDefinitions: changed.event,
      provideMcpServerDefinitions: () => (configuration.settings.agentTools ? [new vscode.McpStdioServerDefinition(
        'Waybill', process.execPath, [vscode.Uri.joinPath(context.extensionUri, 'dist', 'server.js').fsPath, 'mcp', '--data', context.globalStorageUri.fsPath],
        // The editor's own program runs as Node.
        { ELECTRON_RUN_AS_NODE: '1' }, version,
      )] : []),
    }),
  );
}
