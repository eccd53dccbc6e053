import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import type { AgentToolName } from '../../server/api/agents/agentTools.ts';
import type { WaybillServer } from '../server/waybillServer.ts';
import type { Configuration } from '../settings/configuration.ts';

/** The tools for the editor's agents, with what the chat shows while one runs. */
const shownWhileItRuns: Readonly<Record<AgentToolName, string>> = {
  waybill_spend: t('Asking Waybill what was spent'),
  waybill_health: t('Asking Waybill which providers answer'),
  waybill_remaining: t('Asking Waybill what money is left'),
  waybill_why: t('Asking Waybill why a request went where it went'),
  waybill_suggest: t('Asking Waybill where this could go for less'),
};

/** What of `vscode.lm` an editor may lack. */
type AgentHost = Partial<Pick<typeof vscode.lm, 'registerTool' | 'registerMcpServerDefinitionProvider'>> | undefined;

/**
 * Offers Waybill's read-only tools to the editor's agents, while the user has that switched on: as tools of the extension and, only where
 * the editor has no such tools, as a server of the Model Context Protocol. An agent that gets both would see each tool twice.
 * Undefined where the editor has neither.
 */
export function registerAgentTools(server: Pick<WaybillServer, 'agentTool'>, configuration: Pick<Configuration, 'settings' | 'onDidChange'>, context: Pick<vscode.ExtensionContext, 'extensionUri' | 'globalStorageUri' | 'extension'>): vscode.Disposable | undefined {
  const host: AgentHost = vscode.lm;
  const registerTool = host?.registerTool;
  if (registerTool !== undefined) return whileSwitchedOn(configuration, () => (Object.keys(shownWhileItRuns) as AgentToolName[]).map(name => registerTool(name, toolOf(server, name))));
  return host?.registerMcpServerDefinitionProvider === undefined ? undefined : offerServer(host.registerMcpServerDefinitionProvider, configuration, context);
}

function whileSwitchedOn(configuration: Pick<Configuration, 'settings' | 'onDidChange'>, register: () => vscode.Disposable[]): vscode.Disposable {
  let registered: vscode.Disposable[] = [];
  const end = (): void => { for (const one of registered.splice(0)) one.dispose(); };
  const follow = (): void => {
    if (configuration.settings.agentTools === registered.length > 0) return;
    end();
    if (configuration.settings.agentTools) registered = register();
  };
  follow();
  return vscode.Disposable.from(configuration.onDidChange(follow), { dispose: end });
}

/** A tool that the server runs. It changes nothing, so the editor is not told to ask before it. */
function toolOf(server: Pick<WaybillServer, 'agentTool'>, name: AgentToolName): vscode.LanguageModelTool<object> {
  return {
    prepareInvocation: () => ({ invocationMessage: shownWhileItRuns[name] }),
    async invoke({ input }, token) {
      const { text, isError } = await answerOf(server, name, input, token);
      // The editor passes the sentence of an error on to the model.
      if (isError === true) throw new Error(text);
      return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
    },
  };
}

async function answerOf(server: Pick<WaybillServer, 'agentTool'>, name: AgentToolName, input: object, token: vscode.CancellationToken): ReturnType<WaybillServer['agentTool']> {
  try {
    const answer = await server.agentTool({ name, input }, token);
    if (!token.isCancellationRequested) return answer;
  } catch (error) {
    if (!token.isCancellationRequested) throw error;
  }
  throw new vscode.CancellationError();
}

/** The editor starts `server.js mcp` by itself when an agent needs it. */
function offerServer(register: typeof vscode.lm.registerMcpServerDefinitionProvider, configuration: Pick<Configuration, 'settings' | 'onDidChange'>, context: Pick<vscode.ExtensionContext, 'extensionUri' | 'globalStorageUri' | 'extension'>): vscode.Disposable {
  // An editor that has tools of extensions is not told of this server, and so does not wait for it.
  void vscode.commands.executeCommand('setContext', 'waybill.offersMcpServer', true);
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
    register('waybill.tools', {
      onDidChangeMcpServerDefinitions: changed.event,
      provideMcpServerDefinitions: () => (configuration.settings.agentTools ? [new vscode.McpStdioServerDefinition(
        'Waybill', process.execPath, [vscode.Uri.joinPath(context.extensionUri, 'dist', 'server.js').fsPath, 'mcp', '--data', context.globalStorageUri.fsPath],
        // The editor's own program runs as Node.
        { ELECTRON_RUN_AS_NODE: '1' }, version,
      )] : []),
    }),
  );
}
