import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { logLines, logTextLines } from './api/logText.ts';
import type { ToolDoctor } from './api/toolDoctor.ts';
import type { Command, LanguageServerCommand } from './app/commandLine/command.ts';
import { languageServerArguments } from './app/commandLine/languageServer.ts';
import { CompiledParts } from './app/compiledParts.ts';
import { defaultDataDir } from './app/defaultDataDir.ts';
import type * as Modes from './app/modes.ts';
import { nodeTooOld } from './app/nodeVersion.ts';

/** Commands that ask a running server alone, or describe something. */
const withoutLedger: ReadonlySet<Command['command']> = new Set(['help', 'wrong', 'version', 'sandbox', 'doctor', 'status', 'drill', 'endpoint', 'canary', 'shadow', 'report', 'check']);

/**
 * Chooses a mode: a language server, over Node IPC or with `--stdio` for any LSP editor, or a command of the table in
 * `app/commandLine/`.
 */
async function main(argv: readonly string[]): Promise<void> {
  const editor = languageServerArguments(argv);
  if (editor !== undefined) return editor.command === 'wrong' ? tell(editor.message) : runEditor(editor);
  const { helpText, parseCommand } = await import('./app/commandLine/parse.ts');
  const command = parseCommand(argv);
  // Checked before anything is imported that an older Node cannot load.
  if (!withoutLedger.has(command.command) && isTooOld()) return;
  if (command.command === 'help') process.stdout.write(helpText(command.of));
  else if (command.command === 'wrong') tell(`${command.message}\nwaybill ${command.of === undefined ? '' : `${command.of} `}--help says how it is written.`);
  else await run(command);
}

type Runnable = Exclude<Command, { command: 'help' | 'wrong' }>;

async function run(command: Runnable): Promise<void> {
  switch (command.command) {
    case 'serve': {
      const { runServer, parts } = await loadServer(command.dataDir ?? defaultDataDir());
      await runServer(command, randomUUID(), parts);
      return;
    }
    case 'sandbox': {
      const { runSandbox } = await import('./sandbox/runSandbox.ts');
      await runSandbox(command.rest);
      return;
    }
    case 'mcp': {
      const { runMcp } = await loadServer(undefined);
      await runMcp(command);
      return;
    }
    default: process.exitCode = await runOnce(command);
  }
}

/** Runs a command that ends by itself. @returns its exit code */
async function runOnce(command: Exclude<Runnable, { command: 'serve' | 'sandbox' | 'mcp' }>): Promise<number> {
  const asking = await import('./app/commands/asking.ts');
  asking.endWithReader();
  switch (command.command) {
    case 'doctor': {
      const { runDoctor } = await import('./app/doctor.ts');
      return runDoctor(command, await loadDoctor());
    }
    case 'version': return asking.runVersion(command);
    case 'status': return asking.runStatus(command);
    case 'drill': return asking.runDrill(command);
    case 'endpoint': return asking.runEndpoint(command);
    case 'report': return asking.runReport(command);
    case 'canary':
    case 'shadow': return asking.runOnPolicy(command);
    default: return (await loadServer(undefined)).runRecords(command);
  }
}

async function runEditor(command: LanguageServerCommand): Promise<void> {
  if (isTooOld()) return;
  // Another editor names its data folder in a message, which comes too late for compiled code.
  const { runServer, parts } = await loadServer(command.dataDir);
  await runServer(command, randomUUID(), parts);
}

function isTooOld(): boolean {
  const tooOld = nodeTooOld(process.versions.node);
  if (tooOld === undefined) return false;
  process.stderr.write(`${tooOld}\n`);
  process.exitCode = 1;
  return true;
}

/** Says what is wrong with the command line. */
function tell(message: string): void {
  process.stderr.write(`${logTextLines(message)}\n`);
  process.exitCode = 2;
}

/** In the bundle, the server is a file of its own, so that its compiled code can be kept (scripts/build.mjs sets the variable). */
async function loadServer(dataDir: string | undefined): Promise<Pick<typeof Modes, 'runServer' | 'runMcp' | 'runRecords'> & { parts?: CompiledParts }> {
  if (process.env.WAYBILL_PARTS === undefined) return import('./app/modes.ts');
  const parts = new CompiledParts(path.join(import.meta.dirname, process.env.WAYBILL_PARTS), dataDir);
  const { runServer, runMcp, runRecords } = parts.load('server.js') as typeof Modes;
  return { runServer, runMcp, runRecords, parts };
}

/** What edits configurations of other tools is shared with the editor: a file of the bundle, or its source. */
async function loadDoctor(): Promise<ToolDoctor> {
  const file = process.env.WAYBILL_PARTS === undefined ? '../client/connect/doctor/doctor.ts' : `${process.env.WAYBILL_PARTS}/tools.js`;
  const { toolDoctor } = await import(pathToFileURL(path.join(import.meta.dirname, file)).href) as { toolDoctor: ToolDoctor };
  return toolDoctor;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`waybill: ${logLines(error instanceof Error ? error.message : String(error))}\n`);
  process.exit(1);
});
