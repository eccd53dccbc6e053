import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { NextStep, UserError, messageOf } from '../base/errors.ts';
import type { MessageAction } from '../base/errors.ts';
import { inform, warn } from '../base/toasts.ts';
import { commandIds, commandTarget } from './commandTable.ts';
import type { CommandHandlers } from './commandTable.ts';

/**
 * Registers every command of the table. What a command throws is shown as one sentence: a next step as information
 * with its buttons, what cannot be done as a warning, and what was not foreseen as an error, which the log explains.
 * @param load called once, when the first command runs
 */
export function registerCommands(load: () => Promise<CommandHandlers>, log: vscode.LogOutputChannel): vscode.Disposable {
  let handlers: Promise<CommandHandlers> | undefined;
  return vscode.Disposable.from(...commandIds.map(id =>
    vscode.commands.registerCommand(id, async (argument: unknown) => {
      try {
        const loaded = await (handlers ??= load());
        await loaded[id](commandTarget(argument));
      } catch (error) {
        await showProblem(error, id, log);
      }
    })));
}

async function showProblem(error: unknown, command: string, log: vscode.LogOutputChannel): Promise<void> {
  if (error instanceof NextStep) {
    await runChosen(await inform(error.message, ...error.actions.map(action => action.title)), error.actions);
    return;
  }
  const expected = error instanceof UserError;
  if (!expected) log.error(`${command}: ${error instanceof Error ? error.stack ?? error.message : String(error)}`);
  const showLog = t('Show Log');
  const pick = expected
    ? await warn(messageOf(error), showLog)
    : await vscode.window.showErrorMessage(messageOf(error), showLog);
  if (pick === showLog) log.show(true);
}

/** Runs the action with the title that was chosen, if any was. */
export async function runChosen(title: string | undefined, actions: readonly MessageAction[]): Promise<void> {
  const action = actions.find(one => one.title === title);
  if (action !== undefined) await vscode.commands.executeCommand(action.command, action.argument);
}
