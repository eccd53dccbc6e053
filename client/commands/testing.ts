import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import type { TestEndpointParams, TestEndpointResult } from '../../server/api/messages.ts';
import { messageOf } from '../base/errors.ts';
import type { WaybillServer } from '../server/waybillServer.ts';

/** Tries an endpoint while a notification, which can cancel it, says so. Never rejects. */
export async function testWithProgress(server: WaybillServer, params: TestEndpointParams): Promise<TestEndpointResult> {
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: t('Testing {0}…', params.name), cancellable: true },
    async (_progress, token) => {
      try {
        return await server.testEndpoint(params, token);
      } catch (error) {
        const message = token.isCancellationRequested ? t('The test was stopped before the provider answered.') : messageOf(error);
        return { ok: false, message, models: [] };
      }
    },
  );
}

/**
 * Shows why a test failed, in full, and asks what to do. The first button is the one that most likely helps.
 * Undefined: the user gives up.
 */
export async function askAfterFailedTest<Choice extends string>(
  result: TestEndpointResult, choices: readonly { title: string; value: Choice }[],
): Promise<Choice | undefined> {
  const pick = await vscode.window.showWarningMessage(result.message, { modal: true, detail: t('Nothing has been stored yet.') }, ...choices.map(choice => choice.title));
  return choices.find(choice => choice.title === pick)?.value;
}
