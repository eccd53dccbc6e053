import { t } from '@vscode/l10n';
import type { StopReason } from '../../server/api/conversation.ts';
import type { ChatResult } from '../../server/api/messages.ts';
import type { Caller } from '../../server/api/receipt.ts';

/** Whether an exchange gave a person a whole answer in the editor's chat; the editor's small requests, and those of other extensions, do not. */
export function isChatAnswer({ tool, purpose }: Caller, outcome: ChatResult['outcome']): boolean {
  return outcome === 'ok' && tool === 'vscode-chat' && purpose !== 'utility';
}

/**
 * The message for the user when an exchange is over: one sentence with the next action, or undefined when all is
 * well (or when the user cancelled). `shown` says whether some of the answer is already on the screen, where it stays.
 */
export function chatProblem(result: Pick<ChatResult, 'outcome' | 'error'>, shown: boolean, stopReason: StopReason | undefined): string | undefined {
  switch (result.outcome) {
    case 'cancelled':
      // Where the turn was not stopped in the chat, it was cancelled in the list of requests, and the sentence says so.
      return result.error?.message;
    case 'failed': {
      const message = result.error?.message ?? t('The request failed: see "Waybill: Show Requests" for what was tried.');
      return shown ? t('The answer above is incomplete. {0}', message) : message;
    }
    case 'ok':
      if (shown) return undefined;
      return stopReason === 'length'
        ? t('The model used its whole output limit for thinking and wrote no answer: choose a lower thinking effort, or another model.')
        : stopReason === 'context-full'
          ? t('The conversation fills the model\'s context window: start a new one, or choose a model with a larger window.')
          : t('The model answered without any text: send the message again, or choose another model.');
  }
}
