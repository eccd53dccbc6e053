import type { ToolDoctor } from '../../../server/api/toolDoctor.ts';
import { examine, patients } from './examine.ts';
import { connectionAgain as plannedAgain, mend } from './mend.ts';

/** Looks at connections and mends them; see `ToolDoctor`. The command line loads this file by its name. */
export const toolDoctor: ToolDoctor = { patients, examine, mend };

/** The connection of a tool as it would be made now, for a person to agree to. @throws ConfigFileError */
export const connectionAgain = plannedAgain;
