import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { whyBrief } from '../../../server/api/routes/why.ts';
import { UserError } from '../../base/errors.ts';
import { inform } from '../../base/toasts.ts';
import type { CommandTarget } from '../commandTable.ts';
import type { CommandServices } from '../services.ts';
import { askRequest } from './askRequest.ts';

const openReceipt = t('Open Receipt');

/** "Why Did It Go There?…": of the request that the command was called on, or one of the latest. */
export async function why(services: CommandServices, target: CommandTarget): Promise<void> {
  const id = target.request ?? await askRequest(services, t('Why Did It Go There?'), t('Choose a request'));
  if (id === undefined) return;
  const receipt = await services.server.receipt(id);
  if (receipt === null) throw new UserError(t('There is no receipt of this request any more.'));
  if (await inform(whyBrief(receipt), openReceipt) === openReceipt) await vscode.commands.executeCommand('waybill.openReceipt', id);
}
