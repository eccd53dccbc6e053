import * as vscode from 'vscode';
import { describeKey, labelProblem } from '../keys/keyList.ts';
import { askKey } from './addProvider.ts';
import { failedTestChoices, testedSentence } from './addProviderSteps.ts';
import type { CommandTarget } from './commandTable.ts';
import { chooseEndpoint, chooseKey, offerFor } from './pickers.ts';
import type { NamedEndpoint } from './pickers.ts';
import { askText, valueOf } from './quickInput.ts';
import type { CommandServices } from './services.ts';
import { askAfterFailedTest, testWithProgress } from './testing.ts';

/** "Add Key…": one more key in an endpoint's pool, tried before it is stored. */
export async function addKey(services: CommandServices, target: CommandTarget): Promise<void> {
  const endpoint = await chooseEndpoint(services, target, 'Add Key');
  if (endpoint === undefined) return;
  const secret = await askTestedKey(services, endpoint, 'Add Key');
  if (secret === undefined) return;
  const key = await services.keys.add(endpoint.name, secret);
  void vscode.window.showInformationMessage(`${describeKey(key)} of ${endpoint.name} was stored.`);
}

/** "Replace Key…": a new secret under the same name. */
export async function replaceKey(services: CommandServices, target: CommandTarget): Promise<void> {
  const chosen = await chooseKey(services, target, 'Replace Key');
  if (chosen === undefined) return;
  const secret = await askTestedKey(services, chosen.endpoint, `Replace ${describeKey(chosen.key)}`);
  if (secret === undefined) return;
  await services.keys.replace(chosen.endpoint.name, chosen.key.id, secret);
  void vscode.window.showInformationMessage(`The key "${chosen.key.label}" of ${chosen.endpoint.name} was replaced.`);
}

/** "Rename Key…". */
export async function renameKey(services: CommandServices, target: CommandTarget): Promise<void> {
  const chosen = await chooseKey(services, target, 'Rename Key');
  if (chosen === undefined) return;
  const keys = await services.keys.list(chosen.endpoint.name);
  const label = valueOf(await askText({
    title: 'Rename Key', placeholder: 'Name', prompt: `A name for the key ${describeKey(chosen.key)}`, value: chosen.key.label,
    problem: text => labelProblem(text, keys, chosen.key.id),
  }));
  if (label !== undefined && label !== chosen.key.label) await services.keys.rename(chosen.endpoint.name, chosen.key.id, label);
}

/** "Test Key…": tries one stored key with the cheapest call that proves it. */
export async function testKey(services: CommandServices, target: CommandTarget): Promise<void> {
  const chosen = await chooseKey(services, target, 'Test Key');
  if (chosen === undefined) return;
  const { name, settings } = chosen.endpoint;
  const result = await testWithProgress(services.server, { name, settings, keyId: chosen.key.id });
  if (result.ok) void vscode.window.showInformationMessage(`${describeKey(chosen.key)}: ${result.message}`);
  else void vscode.window.showWarningMessage(`${describeKey(chosen.key)}: ${result.message}`);
}

/** "Remove Key…": asks, and removes. */
export async function removeKey(services: CommandServices, target: CommandTarget): Promise<void> {
  const chosen = await chooseKey(services, target, 'Remove Key');
  if (chosen === undefined) return;
  const remove = 'Remove';
  const pick = await vscode.window.showWarningMessage(
    `Remove the key ${describeKey(chosen.key)} of ${chosen.endpoint.name}?`,
    { modal: true, detail: 'It is deleted from the secret store. It stays valid at the provider until you revoke it there.' }, remove,
  );
  if (pick === remove) await services.keys.remove(chosen.endpoint.name, chosen.key.id);
}

/** Asks for a key and tries it, until it works, or the user wants it all the same, or leaves. */
async function askTestedKey(services: CommandServices, endpoint: NamedEndpoint, title: string): Promise<string | undefined> {
  const offer = await offerFor(services, endpoint);
  let typed: string | undefined;
  let again = false;
  for (;;) {
    if (!again) typed = valueOf(await askKey({ ...offer, keyRequired: true }, { title }, typed));
    if (typed === undefined) return undefined;
    const result = await testWithProgress(services.server, { name: endpoint.name, settings: endpoint.settings, secret: typed });
    if (result.ok) {
      services.log.info(testedSentence(endpoint.name, result));
      return typed;
    }
    const next = await askAfterFailedTest(result, failedTestChoices(result, false));
    if (next === 'save') return typed;
    if (next === undefined) return undefined;
    again = next === 'again';
  }
}
