import type { Command, ExitCode, LanguageServerCommand } from './commandLine/command.ts';
import type { CompiledParts } from './compiledParts.ts';
// Loaded with this file, because the module reads the parent's id while it loads.
import './parentWatch.ts';

/**
 * Runs a server until its end.
 * @param parts the files of the bundle; absent: the server runs from its sources
 */
export async function runServer(command: Extract<Command, { command: 'serve' }> | LanguageServerCommand, instanceId: string, parts?: CompiledParts): Promise<void> {
  if (command.command === 'serve') {
    const { runHeadless } = await import('./headless.ts');
    await runHeadless(command, instanceId, parts);
  } else {
    const { runLanguageServer } = await import('./languageServer.ts');
    runLanguageServer(command, instanceId, parts);
  }
}

/** Serves tools to an agent; see mcp/mcpCommand.ts. */
export async function runMcp(command: Extract<Command, { command: 'mcp' }>): Promise<void> {
  const { runMcp: run } = await import('./mcp/mcpCommand.ts');
  await run(command);
}

/** Runs a command that reads a configuration, the ledger or the tokens of a data folder. @returns the exit code */
export async function runRecords(command: Extract<Command, { command: 'check' | 'dry-run' | 'token' | 'spend' | 'export' | 'titles' }>): Promise<ExitCode> {
  switch (command.command) {
    case 'check': return (await import('./commands/checkCommand.ts')).runCheck(command);
    case 'dry-run': return (await import('./commands/dryRunCommand.ts')).runDryRun(command);
    case 'token': return (await import('./commands/tokenCommand.ts')).runToken(command);
    case 'spend': return (await import('./commands/spendCommand.ts')).runSpend(command);
    case 'titles': return (await import('./commands/titlesCommand.ts')).runTitles(command);
    case 'export': return (await import('./commands/exportCommand.ts')).runExport(command);
  }
}
