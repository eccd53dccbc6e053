import type { Command } from './arguments.ts';
import type { TokenCommand } from './commands/tokenArguments.ts';
import type { CompiledParts } from './compiledParts.ts';
// Loaded with this file, because the module reads the parent's id while it loads.
import './parentWatch.ts';

/**
 * Runs a server until its end.
 * @param parts the files of the bundle; absent: the server runs from its sources
 */
export async function runServer(command: Extract<Command, { command: 'serve' | 'language-server' }>, instanceId: string, parts?: CompiledParts): Promise<void> {
  if (command.command === 'serve') {
    const { runHeadless } = await import('./headless.ts');
    await runHeadless(command, instanceId, parts);
  } else {
    const { runLanguageServer } = await import('./languageServer.ts');
    runLanguageServer(command, instanceId, parts);
  }
}

/** Applies a configuration to recorded requests; see dryRunCommand.ts. @returns the exit code */
export async function runDryRun(command: Extract<Command, { command: 'dry-run' }>): Promise<number> {
  const { runDryRun: run } = await import('./dryRunCommand.ts');
  return run(command);
}

/** Serves tools to an agent; see mcp/mcpCommand.ts. */
export async function runMcp(command: Extract<Command, { command: 'mcp' }>): Promise<void> {
  const { runMcp: run } = await import('./mcp/mcpCommand.ts');
  await run(command);
}

/** Makes, lists, rotates or revokes tokens; see commands/tokenCommand.ts. @returns the exit code */
export async function runToken(command: TokenCommand): Promise<number> {
  const { runToken: run } = await import('./commands/tokenCommand.ts');
  return run(command);
}
