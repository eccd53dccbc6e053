import { t } from '@vscode/l10n';
import { NextStep } from '../base/errors.ts';
import { inform } from '../base/toasts.ts';

/** How long what was removed is kept for an undo, in milliseconds: keys are not to stay in memory for good. */
const undoMs = 5 * 60_000;

/** Says what was removed and offers to put it back. @throws NextStep when it is too late for that */
export async function offerUndo(done: string, undo: () => Promise<void>): Promise<void> {
  let kept: (() => Promise<void>) | undefined = undo;
  const timer = setTimeout(() => { kept = undefined; }, undoMs);
  const pick = await inform(done, t('Undo'));
  clearTimeout(timer);
  if (pick === undefined) return;
  if (kept === undefined) throw new NextStep(t('It is too late to undo this: what was removed is not kept any more.'));
  await kept();
}
