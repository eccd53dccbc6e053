import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { inform } from '../../base/toasts.ts';
import { askMany, valueOf } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';

/** How many of the latest requests are looked through for extensions that ask. */
const mostRequests = 500;
const title = t('Block Extension');

/** "Block Extension…": the extensions that asked, and those that are blocked; the chosen ones are refused from now on. */
export async function blockExtension({ server, configuration }: CommandServices): Promise<void> {
  const blocked = configuration.settings.blockedExtensions;
  const asked = new Map<string, number>(blocked.map(id => [id, 0]));
  for (const { caller: { extension } } of await server.requests({ limit: mostRequests })) if (extension !== undefined) asked.set(extension, (asked.get(extension) ?? 0) + 1);
  if (asked.size === 0) {
    void inform(t('No extension has asked Waybill for an answer yet. VS Code names the extension with its first request.'));
    return;
  }
  const chosen = valueOf(await askMany<string>({
    title, placeholder: t('Choose the extensions whose requests are refused; the others may ask'),
    items: [...asked].map(([value, count]) => ({ label: vscode.extensions.getExtension(value)?.packageJSON?.displayName as string | undefined ?? value, description: value, ...(count === 0 ? {} : { detail: t('{0} of the latest {1} requests', count, mostRequests) }), value })),
    picked: value => blocked.includes(value),
  }));
  if (chosen === undefined) return;
  await configuration.blockExtensions(chosen);
  void inform(chosen.length === 0 ? t('No extension is blocked.') : t('Refused from now on: {0}.', chosen.join(', ')));
}
