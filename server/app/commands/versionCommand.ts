import { programVersion } from '../../base/processIdentity.ts';
import type { Command, ExitCode } from '../commandLine/command.ts';
import { print, printJson } from './commandOutput.ts';

/** Says which version this is. */
export function runVersion({ json }: Extract<Command, { command: 'version' }>): ExitCode {
  const version = programVersion;
  const system = `${process.platform}-${process.arch}`;
  if (json) printJson({ version, node: process.versions.node, system });
  else print(`waybill ${version} (Node ${process.versions.node}, ${system})`);
  return 0;
}
