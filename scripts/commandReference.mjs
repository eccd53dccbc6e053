/** docs/commandLine.md, from the table of commands. */
import { requestColumns } from '../server/api/reports/requestRows.ts';
import { exitCodes } from '../server/app/commandLine/command.ts';
import { commandGroups } from '../server/app/commandLine/commandSpec.ts';
import { languageServerUsage, meaningOf, optionText, usageLines } from '../server/app/commandLine/help.ts';
import { commandTable } from '../server/app/commandLine/table.ts';

/** @returns {string} Markdown */
export function commandReference() {
  return `${[
    '# The command line',
    'This page is made by `npm run commands` from the table of commands in `server/app/commandLine/`.',
    'From a clone or the installed extension, `node dist/server.js` stands in place of `waybill`. `waybill COMMAND --help` describes a command. Nothing secret is ever an argument: keys come from environment variables that the configuration names.',
    `As a language server for other editors: \`${languageServerUsage}\`.`,
    'Commands that ask a running server find it by the data folder, whatever its port. With `--json`, standard output has JSON alone; what went wrong is on standard error. Colours are for terminals alone, and `NO_COLOR` switches them off. A reader that closes the pipe, such as `head`, ends a command well.',
    '| exit code | meaning |\n|--:|---|',
    ...Object.entries(exitCodes).map(([code, text]) => `| ${code} | ${text} |`),
  ].join('\n\n').replaceAll('|\n\n|', '|\n|')}\n${commandGroups.map(section).join('')}\n## Columns of export\n\nJSON Lines have the same fields, and \`cost_micro_usd\` in millionths of a US dollar; what is not known is empty, or null.\n\n| column | what it holds |\n|---|---|\n${Object.entries(requestColumns).map(([name, text]) => `| \`${name}\` | ${text} |`).join('\n')}\n`;
}

function section(group) {
  return `\n## ${group}\n${commandTable.filter((spec) => spec.group === group).map(describe).join('')}`;
}

function describe(spec) {
  const { name, summary, notes = [], actions = {}, options, examples = [] } = spec;
  const parts = [
    `### ${name}`, `${summary}${notes.length === 0 ? '' : ` ${notes.join(' ')}`}`, `\`\`\`sh\n${usageLines(spec).join('\n')}\n\`\`\``,
    ...(spec.actions === undefined ? [] : [Object.entries(actions).map(([action, { text }]) => `- \`${action}\`: ${text}`).join('\n')]),
    `| option | meaning |\n|---|---|\n${Object.entries(options).map(([option, value]) => `| \`${optionText(option, value).replaceAll('|', '\\|')}\` | ${meaningOf(value).replaceAll('|', '\\|')} |`).join('\n')}`,
    ...examples.map(([line, text]) => `${text}:\n\n\`\`\`sh\n${line}\n\`\`\``),
  ];
  return `\n${parts.join('\n\n')}\n`;
}
