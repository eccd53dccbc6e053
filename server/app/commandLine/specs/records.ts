import { exportFormats } from '../../../api/reports/exportFormat.ts';
import { spendGroupings } from '../../../api/reports/groupedSpend.ts';
import { usualIncidentDays } from '../../../api/reports/incidents.ts';
import { suggestion } from '../../../config/nearest.ts';
import { wrong, type ReportName } from '../command.ts';
import type { CommandSpec, OptionSpec } from '../commandSpec.ts';
import { data, daysOf, isWrong, json, place, placeOf, range, requestsOf, where, whereFields } from '../options.ts';

const fields = `Fields of --where: ${whereFields.join(', ')}.`;
const offline = 'While no server of the data folder runs, its ledger is read.';

const spend: CommandSpec = {
  name: 'spend', group: 'Spend and records', mostWords: 0,
  summary: 'Shows what requests cost: exact sums, by what they are grouped by.',
  notes: [
    'A figure with ~ holds an estimate; one with + lacks costs that are not known; unknown: nothing of it is known. JSON has micro-dollars (millionths of a US dollar).',
    `${offline} --by: ${spendGroupings.join(', ')}.`, fields,
  ],
  options: { by: { value: 'FIELD', text: 'What it is grouped by. Default model.' }, ...range, ...where, ...place },
  examples: [['waybill spend --days 7 --by team', 'What each team cost in the last week'], ['waybill spend --from 2026-11-01 --until 2026-11-30 --by day --where user=mai', 'What one person cost, day by day']],
  read(given) {
    const requests = requestsOf(given);
    const by = given.value('by') ?? 'model';
    const grouping = spendGroupings.find(one => one === by);
    if (isWrong(requests)) return requests;
    if (grouping === undefined) return wrong(`--by knows no "${by}"${suggestion(by, spendGroupings, `; give one of ${spendGroupings.join(', ')}.`)}`);
    const off = notOfSpend.find(field => requests.filter[field] !== undefined);
    if (off !== undefined) return wrong(`Spend cannot be narrowed by ${off}; export can.`);
    return { command: 'spend', by: grouping, ...requests };
  },
};
/** Fields of requests that sums over attempts do not have. */
const notOfSpend = ['text', 'outcome', 'minCostMicroUsd'] as const;

const exported: CommandSpec = {
  name: 'export', group: 'Spend and records', mostWords: 0,
  summary: 'Writes one line for each request of a range, newest first: when, who, where, tokens, cost.',
  notes: [
    'Prompts and answers are in no line, because they are in no ledger. Lines are written while they are read, so that a ledger of any size fits; a reader that closes the pipe ends it.',
    `${offline} docs/commandLine.md lists the columns.`, fields,
  ],
  options: {
    format: { value: 'csv|jsonl', text: 'CSV (RFC 4180), or a JSON object a line. Default csv.' },
    output: { value: 'FILE', text: 'Writes to a file, which takes its name when it is whole. Default: standard output.' },
    ...range, ...where, ...place, json: { text: 'The same as --format jsonl.' },
  },
  examples: [['waybill export --days 31 --output november.csv', 'A file for a spreadsheet'], ['waybill export --format jsonl --where tool=codex | jq .cost_usd', 'Lines for another program']],
  read(given) {
    const requests = requestsOf(given);
    if (isWrong(requests)) return requests;
    const word = given.value('format') ?? (given.has('json') ? 'jsonl' : 'csv');
    const format = exportFormats.find(one => one === word);
    if (format === undefined) return wrong(`--format wants one of ${exportFormats.join(', ')}, not "${word}".`);
    if (given.has('json') && format !== 'jsonl') return wrong('Give --json or --format csv, and not both.');
    return { command: 'export', format, file: given.value('output'), ...requests };
  },
};

const titles: CommandSpec = {
  name: 'titles', group: 'Spend and records', mostWords: 0,
  actions: {
    count: { text: 'says of how many requests they are kept' },
    forget: { text: 'removes them from the ledger, and from its file on the disk' },
  },
  summary: 'Counts or removes the first words of conversations that keepTitles keeps in the ledger of a data folder.',
  notes: ['Servers of the folder may run meanwhile: their records wait while the file is rewritten. They keep new titles as long as their configuration says so.'],
  options: { ...data, ...json },
  examples: [['waybill titles forget', 'Removes them, after keepTitles was switched off']],
  read: given => ({ command: 'titles', action: given.action === 'forget' ? 'forget' : 'count', dataDir: given.value('data'), json: given.has('json') }),
};

function report(name: ReportName, spec: { summary: string; words: string; usualDays: number }): CommandSpec {
  const options: Readonly<Record<string, OptionSpec>> = { days: { value: 'N', text: `The last N days, at most 92. Default ${spec.usualDays}.` }, ...place };
  return {
    name, group: 'Spend and records', summary: spec.summary, words: spec.words, mostWords: 1, options,
    read(given) {
      const [at, days] = [placeOf(given), daysOf(given, spec.usualDays, 92)];
      if (isWrong(at)) return at;
      if (typeof days === 'object') return days;
      if (name === 'migration' && given.words[0] === undefined) return wrong('migration needs where to move: an endpoint, a provider, a model, or endpoint/model.');
      return { command: 'report', report: name, subject: given.words[0], days, ...at };
    },
  };
}

export const recordSpecs = [
  spend, exported, titles,
  report('savings', { summary: 'Shows what requests saved against a baseline: first (the first target of each route; the default), an endpoint, a provider, a model, or endpoint/model.', words: '[BASELINE]', usualDays: 30 }),
  report('migration', { summary: 'Shows what was used, what that would cost at an endpoint, a provider, a model, or endpoint/model, what is missing there, and the way in stages.', words: 'TO', usualDays: 30 }),
  report('incidents', { summary: 'Shows when endpoints failed, for how long, who answered instead, and what that cost.', words: '[ENDPOINT]', usualDays: usualIncidentDays }),
];
