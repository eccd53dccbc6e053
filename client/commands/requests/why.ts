import * as vscode from 'vscode';
import { whyBrief } from '../../../server/api/routes/why.ts';
import { NextStep, UserError } from '../../base/errors.ts';
import { countOf, formatListTime } from '../../base/figures.ts';
import { callerText, outcomeText } from '../../base/outcomeWording.ts';
import { inform } from '../../base/toasts.ts';
import type { CommandTarget } from '../commandTable.ts';
import { askChoice, valueOf } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';

const offered = 50;
const openReceipt = 'Open Receipt';

/** "Why Did It Go There?…": of the request that the command was called on, or one of the latest. */
export async function why(services: CommandServices, target: CommandTarget): Promise<void> {
  const id = target.request ?? await askRequest(services);
  if (id === undefined) return;
  const receipt = await services.server.receipt(id);
  if (receipt === null) throw new UserError('There is no receipt of this request any more.');
  if (await inform(whyBrief(receipt), openReceipt) === openReceipt) await vscode.commands.executeCommand('waybill.openReceipt', id);
}

async function askRequest({ server }: CommandServices): Promise<string | undefined> {
  const requests = await server.requests({ limit: offered });
  if (requests.length === 0) throw new NextStep('There is no request yet. Send one, then ask again.', { title: 'Open Chat', command: 'waybill.openChat' });
  const now = Date.now();
  const style = { locale: vscode.env.language };
  return valueOf(await askChoice({
    title: 'Why Did It Go There?', placeholder: 'Choose a request',
    items: requests.map(request => ({
      label: request.requestedModel, description: request.target === undefined ? '' : `→ ${request.target}`,
      detail: [formatListTime(request.startedAt, now, style), callerText(request.caller), outcomeText(request.outcome, request.failedAttempts, request.failureClass, request.attempts), countOf(request.attempts, 'attempt')].join(' · '),
      value: request.id,
    })),
  }));
}
