import { countText } from '../../api/reports/reportText.ts';
import type { Command, ExitCode } from '../commandLine/command.ts';
import { defaultDataDir } from '../defaultDataDir.ts';
import { fromLedger } from '../recordedHistory.ts';
import { warningsLog } from '../warningsLog.ts';
import { failed, print, printJson } from './commandOutput.ts';

/** Counts or removes the first words of conversations in a ledger, whether a server runs there or not. @returns the exit code: 0 where it was done */
export async function runTitles({ action, dataDir = defaultDataDir(), json }: Extract<Command, { command: 'titles' }>): Promise<ExitCode> {
  try {
    const none = { count: 0, damagedCopies: [] };
    const { count, damagedCopies } = await fromLedger(dataDir, warningsLog(), async history => (
      action === 'forget' ? history.forgetTitles() : { ...none, count: await history.keptTitles() })) ?? none;
    if (json) printJson(action === 'forget' ? { forgotten: count, damagedCopies } : { count });
    else {
      print(action === 'forget' ? `Forgot the first words of ${countText(count, 'request')}.` : `The ledger has the first words of ${countText(count, 'request')}.`);
      if (damagedCopies.length > 0) print(`Damaged ledgers that were moved aside may still have some. Delete them if you do not need them: ${damagedCopies.join(', ')}`);
    }
    return 0;
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}
