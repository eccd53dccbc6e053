import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import type { NoticeParams } from '../../server/api/messages.ts';
import type { ConfigProblem, HttpStatus } from '../../server/api/status.ts';
import type { MessageAction } from '../base/errors.ts';
import { runChosen } from '../commands/register.ts';
import { openSettingsFile } from '../commands/serverCommands.ts';
import type { Configuration } from '../settings/configuration.ts';
import type { KeyStore } from '../keys/keyStore.ts';
import { portActions, portNotice, portTrouble } from '../status/localEndpoint.ts';
import { NoticeMemory, noticeActions } from './notices.ts';
import type { ServerProcess } from '../server/serverProcess.ts';
import { allowedText } from '../base/budgetWording.ts';
import { inform, warn } from '../base/toasts.ts';
import { shownMessage } from '../../server/api/localization/said.ts';

/**
 * Notifications: a server that stays down, problems in the settings, and what providers
 * say about keys and money. Each once; a failover is never one of them.
 */
export class Notifications implements vscode.Disposable {
  readonly #configuration: Configuration;
  readonly #memory = new NoticeMemory();
  readonly #subscriptions: vscode.Disposable[];
  #shownProblems = '';
  #shownPort: string | undefined;

  constructor(server: ServerProcess, configuration: Configuration, keys: KeyStore, log: vscode.LogOutputChannel) {
    this.#configuration = configuration;
    this.#subscriptions = [
      server.onDidChangeState(state => { if (state === 'failed') void this.#tellFailure(server, log); }),
      server.onDidConfigure(problems => { void this.#tellProblems(problems, log); }),
      server.onDidReceiveNotice(notice => { void this.#tellNotice(server, notice); }),
      server.onDidChangeStatus(status => {
        this.#memory.recover(status);
        void this.#tellPort(server, status.http);
      }),
      keys.onDidChange(endpoint => { this.#memory.forget(endpoint); }),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  async #tellFailure(server: ServerProcess, log: vscode.LogOutputChannel): Promise<void> {
    const [restart, showLog] = [t('Restart'), t('Show Log')];
    const pick = await vscode.window.showErrorMessage(t("Waybill's server stopped several times and was not started again."), restart, showLog);
    if (pick === restart) await server.restart();
    if (pick === showLog) log.show(true);
  }

  async #tellProblems(fromServer: readonly ConfigProblem[], log: vscode.LogOutputChannel): Promise<void> {
    const all = [...this.#configuration.problems, ...fromServer];
    const problems = [...all.filter(problem => problem.money === true), ...all.filter(problem => problem.money !== true)];
    const text = problems.map(shownMessage).join('\n');
    if (text === this.#shownProblems) return;
    this.#shownProblems = text;
    // The server writes its own into the same log.
    for (const problem of this.#configuration.problems) log.warn(`Settings: ${problem.message}`);
    const [first, ...others] = problems;
    if (first === undefined) return;
    const show = first.money === true ? vscode.window.showErrorMessage : vscode.window.showWarningMessage;
    const pick = await show(others.length === 0 ? t('Waybill settings: {0}', shownMessage(first)) : t('Waybill settings: {0} (and {1} more: see the log)', shownMessage(first), others.length), t('Open Settings'));
    if (pick !== undefined) await openSettingsFile();
  }

  /** A port that cannot be used is reported once, until it could be used again. */
  async #tellPort(server: ServerProcess, http: HttpStatus): Promise<void> {
    const trouble = portTrouble(http);
    if (http.state === 'starting' || trouble === this.#shownPort) return;
    this.#shownPort = trouble;
    if (trouble === undefined) return;
    const tools = await server.connectedTools().catch(() => []);
    const disconnect: MessageAction = { title: t('Disconnect a Tool…'), command: 'waybill.disconnectTool' };
    const actions = tools.length === 0 ? portActions : [...portActions, disconnect];
    await runChosen(await warn(portNotice(trouble, http.state, tools), ...actions.map(action => action.title)), actions);
  }

  async #tellNotice(server: ServerProcess, notice: NoticeParams): Promise<void> {
    if (!this.#memory.isNew(notice)) return;
    const actions = noticeActions(notice);
    const show = notice.alert?.event === 'over' ? inform : warn;
    const pick = await show(shownMessage(notice), ...actions.map(action => action.title));
    const action = actions.find(entry => entry.title === pick);
    switch (action?.kind) {
      case 'open': await vscode.env.openExternal(vscode.Uri.parse(action.url)); return;
      case 'replaceKey': await vscode.commands.executeCommand('waybill.replaceKey', { endpoint: action.endpoint }); return;
      case 'checkHealth': await vscode.commands.executeCommand('waybill.checkHealth'); return;
      case 'showIncidents': await vscode.commands.executeCommand('waybill.showIncidents'); return;
      case 'canaryReport': await vscode.commands.executeCommand('waybill.canaryReport', { route: action.route }); return;
      case 'editBudgets': await vscode.commands.executeCommand('waybill.editBudgets'); return;
      case 'budget': {
        const result = await server.budget({ action: action.action, budget: action.budget });
        void ('refused' in result ? warn(result.refused) : inform(allowedText({ action: action.action, budget: action.budget }, result.message, server.status?.budgets)));
        return;
      }
      case undefined: return;
    }
  }
}
