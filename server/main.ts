import { randomUUID } from 'node:crypto';
import { logLines, logText } from './api/logText.ts';
import { usage, parseArguments } from './app/arguments.ts';
import { nodeTooOld } from './app/nodeVersion.ts';
// Loaded with this file, because the module reads the parent's id while it loads.
import './app/parentWatch.ts';

/**
 * Chooses a mode. `serve`: headless. `sandbox`: simulated providers. Otherwise a language server, over Node IPC
 * or, with `--stdio`, for any LSP editor.
 */
async function main(argv: readonly string[]): Promise<void> {
  const parsed = parseArguments(argv);
  // Checked before anything is imported that an older Node cannot load.
  const tooOld = parsed.command === 'serve' || parsed.command === 'language-server' ? nodeTooOld(process.versions.node) : undefined;
  if (tooOld !== undefined) {
    process.stderr.write(`${tooOld}\n`);
    process.exitCode = 1;
    return;
  }
  switch (parsed.command) {
    case 'serve': {
      const { runHeadless } = await import('./app/headless.ts');
      await runHeadless(parsed, randomUUID());
      return;
    }
    case 'sandbox': {
      const { runSandbox } = await import('./sandbox/runSandbox.ts');
      await runSandbox(parsed.rest);
      return;
    }
    case 'language-server': {
      const { runLanguageServer } = await import('./app/languageServer.ts');
      runLanguageServer(parsed, randomUUID());
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

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`waybill: ${logLines(error instanceof Error ? error.message : String(error))}\n`);
  process.exit(1);
});
