import type { ConfigProblem } from '../../api/status.ts';
import { findProvider, providers } from '../../catalog/providers.ts';
import { inOrder } from '../../config/language/rulesLanguage.ts';
import { loadYamlConfig } from '../../config/yamlFile.ts';
import { supportedProtocols } from '../../protocols/registry.ts';
import type { Command, ExitCode } from '../commandLine/command.ts';
import { print, printJson } from './commandOutput.ts';

/** One problem of a file. @property line from 1, as is the column; absent: it is about the whole file @property environment a variable is not set here */
interface FoundProblem { file: string; line?: number; column?: number; endLine?: number; endColumn?: number; message: string; path?: string; environment?: true }

/** Says what is wrong with configuration files. @returns the exit code: 1 where something is */
export async function runCheck({ files, json }: Extract<Command, { command: 'check' }>): Promise<ExitCode> {
  const found: FoundProblem[] = [];
  for (const file of files) {
    const { problems } = await loadYamlConfig(file, process.env, { catalog: { providers, findProvider }, supportedProtocols, ranges: true });
    const own = inOrder(problems).map(problem => foundIn(file, problem));
    found.push(...own);
    if (!json) print(own.length === 0 ? `${file}: nothing is wrong.` : own.map(({ line, column, message }) => `${[file, line, column].filter(part => part !== undefined).join(':')}: ${message}`).join('\n'));
  }
  if (json) printJson(found);
  return found.length === 0 ? 0 : 1;
}

function foundIn(file: string, { line, range, message, path, ofEnvironment }: ConfigProblem): FoundProblem {
  const place = range === undefined ? (line === undefined ? {} : { line })
    : { line: range.start.line + 1, column: range.start.character + 1, endLine: range.end.line + 1, endColumn: range.end.character + 1 };
  return { file, ...place, message, ...(path === undefined || path === '' ? {} : { path }), ...(ofEnvironment === true ? { environment: true } : {}) };
}
