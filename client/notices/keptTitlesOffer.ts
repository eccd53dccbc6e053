import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { countOf } from '../base/figures.ts';
import { inform } from '../base/toasts.ts';
import type { WaybillServer } from '../server/waybillServer.ts';
import type { Configuration } from '../settings/configuration.ts';

/** When `waybill.keepTitles` is switched off while titles are in the ledger, the window that has the focus offers to forget them, once. */
export function offerToForgetTitles(server: Pick<WaybillServer, 'keptTitles'>, configuration: Pick<Configuration, 'settings' | 'onDidChange'>): vscode.Disposable {
  let kept = configuration.settings.keepTitles;
  return configuration.onDidChange(({ keepTitles }) => {
    const ended = kept && !keepTitles;
    kept = keepTitles;
    if (ended && vscode.window.state.focused) void offer(server);
  });
}

async function offer(server: Pick<WaybillServer, 'keptTitles'>): Promise<void> {
  // A server that cannot say it has said why, and the command is in the palette.
  const count = await server.keptTitles().then(found => found.count, () => 0);
  if (count === 0) return;
  const forget = t('Forget Kept Titles…');
  const pick = await inform(t('No more titles are kept. The ledger still has the first words of {0}.', countOf(count, 'request')), forget);
  if (pick === forget) await vscode.commands.executeCommand('waybill.forgetTitles');
}
