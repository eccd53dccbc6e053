import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { describeKey, duplicateProblem, labelProblem } from '../keys/keyList.ts';
import { inform, warn } from '../base/toasts.ts';
import { addProvider } from './addProvider.ts';
import { failedTestChoices } from './addProviderSteps.ts';
import type { CommandTarget } from './commandTable.ts';
import { askKey } from './input/keyBox.ts';
import { chooseEndpoint, chooseKey, offerFor } from './input/pickers.ts';
import type { NamedEndpoint } from './input/pickers.ts';
import { askText, valueOf } from './input/quickInput.ts';
import type { CommandServices } from './services.ts';
import { askAfterFailedTest, testWithProgress } from './testing.ts';
import { offerUndo } from './undo.ts';

/** "Add Key…": one more key in an endpoint's pool, tried before it is stored. */
export async function addKey(services: CommandServices, target: CommandTarget): Promise<void> {
  const endpoint = await chooseEndpoint(services, target, t('Add Key'));
  if (endpoint === undefined) return;
  const secret = await askTestedKey(services, endpoint, t('Add Key'));
  if (secret === undefined) return;
  const key = await services.keys.add(endpoint.name, secret);
  void inform(t('{0} of {1} was stored.', describeKey(key), endpoint.name));
}

/** "Replace Key…": a new secret under the same name. */
export async function replaceKey(services: CommandServices, target: CommandTarget): Promise<void> {
  const chosen = await chooseKey(services, target, t('Replace Key'));
  if (chosen === undefined) return;
  const secret = await askTestedKey(services, chosen.endpoint, t('Replace {0}', describeKey(chosen.key)), chosen.key.id);
  if (secret === undefined) return;
  await services.keys.replace(chosen.endpoint.name, chosen.key.id, secret);
  void inform(t('The key "{0}" of {1} was replaced.', chosen.key.label, chosen.endpoint.name));
}

/** "Rename Key…". */
export async function renameKey(services: CommandServices, target: CommandTarget): Promise<void> {
  const chosen = await chooseKey(services, target, t('Rename Key'));
  if (chosen === undefined) return;
  const keys = await services.keys.list(chosen.endpoint.name);
  const label = valueOf(await askText({
    title: t('Rename Key'), placeholder: t('Name'), prompt: t('A name for the key {0}', describeKey(chosen.key)), value: chosen.key.label,
    problem: text => labelProblem(text, keys, chosen.key.id),
  }));
  if (label !== undefined && label !== chosen.key.label) await services.keys.rename(chosen.endpoint.name, chosen.key.id, label);
}

/** "Test Key…": tries one stored key with the cheapest call that proves it. */
export async function testKey(services: CommandServices, target: CommandTarget): Promise<void> {
  const chosen = await chooseKey(services, target, t('Test Key'));
  if (chosen === undefined) return;
  const { name, settings } = chosen.endpoint;
  const result = await testWithProgress(services.server, { name, settings, keyId: chosen.key.id });
  if (result.ok) void inform(`${describeKey(chosen.key)}: ${result.message}`);
  else void warn(`${describeKey(chosen.key)}: ${result.message}`);
}

/** "Remove Key…": asks, and removes. */
export async function removeKey(services: CommandServices, target: CommandTarget): Promise<void> {
  const chosen = await chooseKey(services, target, t('Remove Key'));
  if (chosen === undefined) return;
  const remove = t('Remove');
  const pick = await vscode.window.showWarningMessage(
    t('Remove the key {0} of {1}?', describeKey(chosen.key), chosen.endpoint.name),
    { modal: true, detail: t('It is deleted from the secret store. It stays valid at the provider until you revoke it there.') }, remove,
  );
  if (pick !== remove) return;
  const { endpoint: { name }, key: { id } } = chosen;
  const stored = await services.keys.stored(name);
  const index = stored.findIndex(key => key.id === id);
  const removed = stored[index];
  await services.keys.remove(name, id);
  if (removed !== undefined) await offerUndo(t('Removed {0} of {1}.', describeKey(chosen.key), name), () => services.keys.restore(name, removed, index));
}

/**
 * Asks for a key and tries it, until it works, or the user wants it all the same, or leaves; also to add the provider
 * that the key belongs to. `replaced` is the key whose place it takes.
 */
async function askTestedKey(services: CommandServices, endpoint: NamedEndpoint, title: string, replaced?: string): Promise<string | undefined> {
  const { name, settings } = endpoint;
  const [offer, offers, stored] = await Promise.all([offerFor(services, endpoint), services.server.catalog(), services.keys.stored(name)]);
  let typed: string | undefined;
  let again = false;
  for (;;) {
    if (!again) {
      const answer = await askKey({
        offer: { ...offer, keyRequired: true }, offers, ownAddress: settings.baseUrl !== undefined, look: { title }, value: typed, problem: key => duplicateProblem(key, stored, replaced),
      });
      if (answer.kind === 'elsewhere') await addProvider(services, answer);
      typed = answer.kind === 'value' ? answer.value : undefined;
    }
    if (typed === undefined) return undefined;
    const result = await testWithProgress(services.server, { name, settings, secret: typed });
    if (result.ok) {
      services.log.info(result.message);
      return typed;
    }
    const next = await askAfterFailedTest(result, failedTestChoices(result, false));
    if (next === 'save') return typed;
    if (next === undefined) return undefined;
    again = next === 'again';
  }
}
