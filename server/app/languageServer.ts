import { resolve } from 'node:path';
import { createConnection, ProposedFeatures, TextDocumentSyncKind, type InitializeParams, type InitializeResult } from 'vscode-languageserver/node';
import type { InitializationOptions } from '../api/messages.ts';
import type { LanguageServerCommand } from './commandLine/command.ts';
import { Guard } from '../base/guarded.ts';
import { findProvider, providers } from '../catalog/providers.ts';
import { watchConfigFile } from '../config/watchConfigFile.ts';
import { loadYamlConfig } from '../config/yamlFile.ts';
import { LspServer } from '../inbound/lsp/lspServer.ts';
import type { CompiledParts } from './compiledParts.ts';
import { defaultDataDir } from './defaultDataDir.ts';
import { endWithinMs, expectEnd } from './endWatch.ts';
import { createRouterProcess, keepVersion, type RouterProcess } from './routerProcess.ts';
import { installLastDefence, quietWriter } from './lastDefence.ts';
import { ParentWatch } from './parentWatch.ts';
import { SimulatedProviders } from './simulated/simulation.ts';
import { supportedProtocols } from '../protocols/registry.ts';

/**
 * Runs as a language server. The transport (Node IPC or stdio) is read from the command line by the library. The data
 * folder and, for other editors, a configuration file come with `initialize`.
 */
export function runLanguageServer(command: LanguageServerCommand, instanceId: string, parts?: CompiledParts): void {
  const connection = createConnection(ProposedFeatures.all);
  let routerProcess: RouterProcess | undefined;
  let lspServer: LspServer | undefined;
  const simulation = new SimulatedProviders();
  // Libraries write to standard output too; a closed reader must not end the server.
  quietWriter(process.stdout);
  const writeError = quietWriter(process.stderr);
  // Before `initialize` there is no log that the editor shows.
  const early = { error: (message: string, cause?: unknown) => { writeError(`error: ${message} ${cause instanceof Error ? cause.stack ?? cause.message : ''}\n`); } };
  const stop = async (): Promise<void> => {
    lspServer?.close();
    await routerProcess?.close();
    await simulation.close();
  };

  connection.onInitialize((params: InitializeParams): InitializeResult => {
    const options = (params.initializationOptions ?? {}) as InitializationOptions;
    const built = createRouterProcess({
      dataDir: options.dataDir ?? command.dataDir ?? defaultDataDir(),
      instanceId, parts, window: options.window,
      writeLog: (level, line) => {
        if (level === 'error') connection.console.error(line);
        else if (level === 'warn') connection.console.warn(line);
        else if (level === 'info') connection.console.info(line);
        else connection.console.debug(line);
      },
      portChanged: () => lspServer?.localEndpointChanged(),
    });
    routerProcess = built;
    parent.lookWith(built.ticker);
    const configFile = options.configFile ?? command.configFile;
    lspServer = new LspServer({
      connection, router: built.router, tools: built.tools, simulation, configFile: configFile === undefined ? undefined : resolve(configFile),
      localEndpoint: { status: () => built.port.status, listen: port => built.port.hold(port), check: () => built.port.check() },
    });
    if (configFile !== undefined) {
      const reload = new Guard('Reading the configuration', built.log).wrap(() => applyConfigFile(built, configFile));
      reload();
      watchConfigFile(configFile, reload);
    }
    return {
      capabilities: {
        textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Full },
        completionProvider: { triggerCharacters: ['/', ':', '-', '[', ','] }, hoverProvider: true,
      },
      serverInfo: { name: 'waybill' },
    };
  });
  connection.onShutdown(stop);
  let ending = false;
  const end = (code: number): void => {
    if (ending) return;
    ending = true;
    expectEnd({ withinMs: endWithinMs, subject: 'The server' });
    void stop().finally(() => process.exit(code));
  };
  installLastDefence({ process, log: () => routerProcess?.log ?? early, end: () => end(1) });
  const gone = (): void => end(0);
  connection.onExit(gone);
  const parent = new ParentWatch(gone);
  process.on('disconnect', gone);
  process.on('SIGTERM', gone);
  connection.listen();
}

async function applyConfigFile(routerProcess: RouterProcess, configFile: string): Promise<void> {
  const { config, keys, problems, readable } = await loadYamlConfig(configFile, process.env, { catalog: { providers, findProvider }, supportedProtocols, before: routerProcess.router.rules.used });
  if (!readable) return;
  routerProcess.router.configure(config, keys, problems);
  await keepVersion(routerProcess, configFile);
}
