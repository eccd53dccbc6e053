import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { UserError } from '../../base/errors.ts';
import { countOf } from '../../base/figures.ts';
import { inform, warn } from '../../base/toasts.ts';
import type { RequestsView } from '../../views/requests/requestsView.ts';
import type { CommandServices } from '../services.ts';

/** "Forget Kept Titles…": removes the first words of conversations from the ledger, after a question that says of how many requests. */
export async function forgetTitles({ server, configuration }: CommandServices, requests: Pick<RequestsView, 'titlesForgotten'>): Promise<void> {
  const { count } = await server.keptTitles();
  if (count > 0) {
    const forget = t('Forget Titles');
    const detail = [
      t('They are removed from the ledger of this machine, and from its file on the disk. Everything else about the requests stays.'),
      ...(configuration.settings.keepTitles ? [t('Titles of later conversations are still kept, because waybill.keepTitles is on.')] : []),
    ].join(' ');
    if (await vscode.window.showWarningMessage(t('Forget the first words of {0}?', countOf(count, 'request')), { modal: true, detail }, forget) !== forget) return;
  }
  // Where none is left, the file is still rewritten: an earlier try may have ended half-way.
  const result = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: t('Removing titles from the ledger…') }, () => server.forgetTitles());
  if ('refused' in result) throw new UserError(result.refused);
  requests.titlesForgotten();
  const done = result.count === 0 ? t('No title of a conversation is kept.') : t('Forgot the first words of {0}.', countOf(result.count, 'request'));
  if (result.damagedCopies.length === 0) void inform(done);
  else void warn(t('{0} Damaged ledgers that were moved aside may still have some. Delete them if you do not need them: {1}', done, result.damagedCopies.join(', ')));
}
