import { mostDryRunDays } from '../../../api/rules/dryRun.ts';
import { wrong } from '../command.ts';
import type { CommandSpec } from '../commandSpec.ts';
import { data, daysOf, json } from '../options.ts';

const dryRun: CommandSpec = {
  name: 'dry-run', group: 'Rules', mostWords: 0,
  summary: 'Applies a configuration to recorded requests, and says what would have gone elsewhere and what it would have cost. Sends nothing.',
  options: {
    config: { value: 'FILE', required: true, text: 'The configuration to try.' },
    against: { value: 'FILE', text: 'The configuration in force; requests whose rules are the same in both stand as they were.' },
    days: { value: 'N', text: `The requests of the last N days, at most ${mostDryRunDays}. Default 1.` },
    ...data, ...json,
  },
  read(given) {
    const file = given.value('config');
    if (file === undefined) return wrong('dry-run needs --config FILE.');
    const days = daysOf(given, 1, mostDryRunDays);
    return typeof days === 'object' ? days : { command: 'dry-run', configFile: file, against: given.value('against'), days, dataDir: given.value('data'), json: given.has('json') };
  },
};

export const ruleSpecs = [dryRun];
