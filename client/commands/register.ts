import * as vscode from 'vscode';
import { UserError, messageOf } from '../base/errors.ts';
import { commandTarget } from './commandTable.ts';
import type { CommandHandlers } from './commandTable.ts';

/**
 * Registers every command of the table. What a command throws is shown as one sentence; what nobody foresaw is
 * also written to the log.
 */
export function registerCommands(handlers: CommandHandlers, log: vscode.LogOutputChannel): vscode.Disposable {
  return vscode.Disposable.from(...Object.entries(handlers).map(([id, handler]) =>
    vscode.commands.registerCommand(id, async (argument: unknown) => {
      try {
        await handler(commandTarget(argument));
      } catch (error) {
        if (!(error instanceof UserError)) log.error(`${id}: ${error instanceof Error ? error.stack ?? error.message : String(error)}`);
        const pick = await vscode.window.showErrorMessage(messageOf(error), 'Show Log');
        if (pick !== undefined) log.show(true);
      }
    })));
}
