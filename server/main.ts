import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { logLines, logText } from './api/logText.ts';
import type { ToolDoctor } from './api/toolDoctor.ts';
import { usage, parseArguments } from './app/arguments.ts';
import { CompiledParts } from './app/compiledParts.ts';
import { defaultDataDir } from './app/defaultDataDir.ts';
import type * as Modes from './app/modes.ts';
import { nodeTooOld } from './app/nodeVersion.ts';

/**
 * Chooses a mode. `serve`: headless. `sandbox`: simulated providers. Otherwise a language server, over Node IPC
 * or, with `--stdio`, for any LSP editor.
 */
async function main(argv: readonly string[]): Promise<void> {
  const parsed = parseArguments(argv);
  // Checked before anything is imported that an older Node cannot load.
  const tooOld = parsed.command === 'serve' || parsed.command === 'language-server' || parsed.command === 'dry-run' || parsed.command === 'mcp' || parsed.command === 'token' ? nodeTooOld(process.versions.node) : undefined;
  if (tooOld !== undefined) {
    process.stderr.write(`${tooOld}\n`);
    process.exitCode = 1;
    return;
  }
  switch (parsed.command) {
    case 'serve':
    case 'language-server': {
      // Another editor names its data folder in a message, which comes too late for compiled code.
      const { runServer, parts } = await loadServer(parsed.dataDir ?? (parsed.command === 'serve' ? defaultDataDir() : undefined));
      await runServer(parsed, randomUUID(), parts);
      return;
    }
    case 'sandbox': {
      const { runSandbox } = await import('./sandbox/runSandbox.ts');
      await runSandbox(parsed.rest);
      return;
    }
    case 'doctor': {
      const { runDoctor } = await import('./app/doctor.ts');
      process.exitCode = await runDoctor(parsed, await loadDoctor());
      return;
    }
    case 'canary':
    case 'shadow': {
      const { runOnPolicy } = await import('./app/runningPolicyCommand.ts');
      process.exitCode = await runOnPolicy(parsed);
      return;
    }
    case 'endpoint': {
      const { runEndpoint } = await import('./app/commands/endpointCommand.ts');
      process.exitCode = await runEndpoint(parsed);
      return;
    }
    case 'report': {
      const { runReport } = await import('./app/reportCommand.ts');
      process.exitCode = await runReport(parsed);
        return;
      }
    case 'dry-run': {
      const { runDryRun } = await loadServer(undefined);
      process.exitCode = await runDryRun(parsed);
      return;
    }
    case 'token': {
      const { runToken } = await loadServer(undefined);
      process.exitCode = await runToken(parsed);
      return;
    }
    case 'mcp': {
      const { runMcp } = await loadServer(undefined);
      await runMcp(parsed);
      return;
    }
    case 'help':
      process.stdout.write(usage);
      return;
    case 'wrong':
      process.stderr.write(`${logText(parsed.message)}\n\n${usage}`);
      process.exitCode = 2;
  }
}

/** In the bundle, the server is a file of its own, so that its compiled code can be kept (scripts/build.mjs sets the variable). */
async function loadServer(dataDir: string | undefined): Promise<Pick<typeof Modes, 'runServer' | 'runDryRun' | 'runMcp' | 'runToken'> & { parts?: CompiledParts }> {
  if (process.env.WAYBILL_PARTS === undefined) return import('./app/modes.ts');
  const parts = new CompiledParts(path.join(import.meta.dirname, process.env.WAYBILL_PARTS), dataDir);
  const { runServer, runDryRun, runMcp, runToken } = parts.load('server.js') as typeof Modes;
  return { runServer, runDryRun, runMcp, runToken, parts };
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
