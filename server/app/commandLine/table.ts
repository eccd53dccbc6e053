import type { CommandSpec } from './commandSpec.ts';
import { accessSpecs } from './specs/access.ts';
import { recordSpecs } from './specs/records.ts';
import { ruleSpecs } from './specs/rules.ts';
import { runningSpecs } from './specs/running.ts';
import { servingSpecs } from './specs/serving.ts';

/** Every command. A new one is an entry in a file of `specs/`, its type in `command.ts` and its case in `server/main.ts`. */
export const commandTable: readonly CommandSpec[] = [...servingSpecs, ...runningSpecs, ...recordSpecs, ...ruleSpecs, ...accessSpecs];
