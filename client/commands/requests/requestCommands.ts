import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { currentLanguage } from '../../../server/api/localization/localization.ts';
import { shownMessage } from '../../../server/api/localization/said.ts';
import type { Receipt } from '../../../server/api/receipt.ts';
import type { RequestFilter } from '../../../server/api/reports/requestFilter.ts';
import { NextStep, UserError } from '../../base/errors.ts';
import { inform } from '../../base/toasts.ts';
import type { ChatProvider } from '../../chat/chatProvider.ts';
import { comparisonMarkdown } from '../../views/requests/comparison.ts';
import { isFilterPart, modelOf, withoutPart } from '../../views/requests/filterModel.ts';
import type { RequestsView } from '../../views/requests/requestsView.ts';
import type { CommandTarget } from '../commandTable.ts';
import type { CommandServices } from '../services.ts';
import { askRequest, chooseRequest } from './askRequest.ts';

const openReceipt = t('Open Receipt');
const cancelIt = t('Cancel Request');

/** "Cancel Request…": the one that the command was called on, or one of those that run. */
export async function cancelRequest({ server }: CommandServices, target: CommandTarget): Promise<void> {
  const id = target.request ?? await askRunning(server);
  if (id === undefined) return;
  const receipt = await server.receipt(id);
  if (receipt === null) throw new UserError(t('There is no receipt of this request any more.'));
  if (receipt.outcome === 'open') {
    const asked = receipt.inbound === 'lsp' ? t('The chat says that it was cancelled.') : t('The tool that sent it gets an error, and may send it again.');
    const answer = await vscode.window.showWarningMessage(t('Cancel the request for "{0}"?', receipt.plan.requestedModel), { modal: true, detail: t('{0} What it has cost until now stays in the ledger.', asked) }, cancelIt);
    if (answer !== cancelIt) return;
  }
  const result = await server.cancelRequest(id);
  const message = shownMessage(result);
  if (!result.cancelled) throw new UserError(message);
  if (await inform(message, openReceipt) === openReceipt) await vscode.commands.executeCommand('waybill.openReceipt', id);
}

async function askRunning(server: CommandServices['server']): Promise<string | undefined> {
  const running = await server.runningRequests();
  if (running.length === 0) throw new NextStep(t('No request runs now.'), { title: t('Show Requests'), command: 'waybill.showRequests' });
  return chooseRequest(running, t('Cancel Request'), t('Choose the request to cancel'));
}

/** "Compare Two Requests…": the two that are selected, the one that the command was called on and another, or two of the latest. */
export async function compareRequests(services: CommandServices, target: CommandTarget, view: Pick<RequestsView, 'selected'>, show: (markdown: string) => Promise<void>): Promise<void> {
  const { selected } = view;
  const chosen = selected.length === 2 && (target.request === undefined || selected.includes(target.request)) ? selected : target.request === undefined ? selected.slice(0, 1) : [target.request];
  const first = chosen[0] ?? await askRequest(services, t('Compare Two Requests'), t('Choose the first request'));
  if (first === undefined) return;
  const second = chosen[1] ?? await askRequest(services, t('Compare Two Requests'), t('Choose the request to compare it with'), first);
  if (second === undefined) return;
  const [one, other] = await Promise.all([receiptOf(services, first), receiptOf(services, second)]);
  // The earlier one stands on the left.
  const inOrder: [Receipt, Receipt] = one.startedAt <= other.startedAt ? [one, other] : [other, one];
  await show(comparisonMarkdown(...inOrder, { locale: currentLanguage() }));
}

async function receiptOf({ server }: CommandServices, id: string): Promise<Receipt> {
  const receipt = await server.receipt(id);
  if (receipt === null) throw new UserError(t('There is no receipt of one of these requests any more.'));
  return receipt;
}

/** "Copy Request ID". */
export async function copyRequestId(target: CommandTarget): Promise<void> {
  if (target.request === undefined) throw new NextStep(t('Choose a request in the list, and copy its id from its menu.'), { title: t('Show Requests'), command: 'waybill.showRequests' });
  await vscode.env.clipboard.writeText(target.request);
  vscode.window.setStatusBarMessage(t('Copied the request ID.'), 3_000);
}

/** "Show Only This Tool", "… Conversation" and "… Model": adds what the request has there to the filter. */
export async function showOnly({ server }: CommandServices, target: CommandTarget, view: Pick<RequestsView, 'filter' | 'show'>, part: 'tool' | 'conversation' | 'model'): Promise<void> {
  const id = target.request ?? await askRequest({ server }, t('Filter Requests'), t('Choose a request'));
  if (id === undefined) return;
  const receipt = await server.receipt(id);
  if (receipt === null) throw new UserError(t('There is no receipt of this request any more.'));
  const value = part === 'model' ? modelOf(receipt.target) ?? receipt.plan.requestedModel : receipt.caller[part];
  if (value === undefined) throw new UserError(t('This request belongs to no conversation that is known.'));
  await view.show({ ...view.filter, [part]: value } satisfies RequestFilter);
}

/** "Clear Filter of Requests": one condition, where the command was called on its line; else all of them. */
export async function clearRequestFilter(target: CommandTarget, view: Pick<RequestsView, 'filter' | 'show'>): Promise<void> {
  await view.show(isFilterPart(target.condition) ? withoutPart(view.filter, target.condition) : {});
}

/** "Show Receipt of Last Chat Answer": of this window or, where it has none yet, the latest answer of a chat in its workspace. */
export async function lastChatReceipt({ server }: CommandServices, chat: Pick<ChatProvider, 'lastAnswer'>): Promise<void> {
  const id = chat.lastAnswer ?? await latestChat(server, vscode.workspace.workspaceFolders?.[0]?.name);
  if (id === undefined) throw new NextStep(t('No chat of this workspace was answered through Waybill yet. Choose one of its models in the chat, and ask something.'), { title: t('Open Chat'), command: 'waybill.openChat' });
  await vscode.commands.executeCommand('waybill.openReceipt', id);
}

async function latestChat(server: CommandServices['server'], workspace: string | undefined): Promise<string | undefined> {
  const found = await server.findRequests({ filter: { tool: 'vscode-chat', outcome: 'ok', ...(workspace === undefined ? {} : { workspace }) }, limit: 20 });
  return 'refused' in found ? undefined : found.requests.find(({ caller }) => caller.purpose !== 'utility')?.id;
}
