import { exitCodes } from './command.ts';
import { commandGroups, type CommandSpec, type OptionSpec } from './commandSpec.ts';
import { commandTable } from './table.ts';

/** How wide the descriptions are written, in columns. */
const width = 100;

/** What describes a command. @param of its name; undefined: all commands */
export function helpText(of: string | undefined): string {
  const spec = commandTable.find(({ name }) => name === of);
  return spec === undefined ? overview() : commandHelp(spec);
}

function overview(): string {
  const groups = commandGroups.map(group => [`${group}:`, ...columns(commandTable.filter(one => one.group === group).map(({ name, summary }) => [name, summary]))].join('\n'));
  return [
    'Waybill routes AI requests over several providers, fails over, and keeps one exact ledger of spend.',
    'Usage: waybill COMMAND [OPTIONS]',
    ...groups,
    `waybill COMMAND --help describes a command. As a language server:\n  ${languageServerUsage}`,
    `Exit codes:\n${columns(Object.entries(exitCodes)).join('\n')}`,
    'From a clone or the installed extension, node dist/server.js stands in place of waybill.\n',
  ].join('\n\n');
}

function commandHelp(spec: CommandSpec): string {
  const { summary, notes = [], actions = {}, options, examples = [] } = spec;
  const parts = [
    summary, `Usage:\n${usageLines(spec).map(line => `  ${line}`).join('\n')}`,
    ...(spec.actions === undefined ? [] : [columns(Object.entries(actions).map(([name, { text }]) => [name, text])).join('\n')]),
    `Options:\n${columns(Object.entries(options).map(([name, option]) => [optionText(name, option), meaningOf(option)])).join('\n')}`,
    ...(notes.length === 0 ? [] : [notes.flatMap(note => wrapped(note, width)).join('\n')]),
    ...(examples.length === 0 ? [] : [`Examples:\n${examples.map(([line, text]) => `  ${line}\n      ${text}`).join('\n')}`]),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** As a language server for other editors. */
export const languageServerUsage = 'waybill --stdio | --node-ipc [--config FILE] [--data DIR]';

/** How a command is written: a line, or one for each action. */
export function usageLines({ name, actions, words, options }: CommandSpec): string[] {
  const line = (action: string | undefined, behind: string | undefined): string => {
    const fitting = Object.entries(options).filter(([, { of }]) => of === undefined || action === undefined || of.includes(action));
    const written = fitting.map(([option, spec]) => (spec.required === true ? optionText(option, spec) : `[${optionText(option, spec)}]`));
    return ['waybill', name, ...[action, behind].filter(part => part !== undefined), ...written].join(' ');
  };
  return actions === undefined ? [line(undefined, words)] : Object.entries(actions).map(([action, spec]) => line(action, spec.words));
}

export function optionText(name: string, { value }: OptionSpec): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

/** What an option is for, and the actions that have it. */
export function meaningOf({ of, text }: OptionSpec): string {
  return of === undefined ? text : `${of.join(', ')}: ${text}`;
}

/** Two columns; the second is wrapped. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const first = Math.min(26, Math.max(...rows.map(([name]) => name.length)));
  return rows.flatMap(([name, text]) => {
    const lines = wrapped(text, width - first - 4);
    const fits = name.length <= first;
    const indent = ' '.repeat(first + 4);
    return [...(fits ? [] : [`  ${name}`]), ...lines.map((line, index) => (index === 0 && fits ? `  ${name.padEnd(first)}  ${line}` : `${indent}${line}`))];
  });
}

function wrapped(text: string, most: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > most) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
